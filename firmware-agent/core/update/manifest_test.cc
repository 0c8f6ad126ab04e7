#include "core/update/manifest.h"

#include <functional>

#include <gtest/gtest.h>

#include "core/update/signer_keys_fixture.h"
#include "core/update/update_rig.h"

namespace mv::update {
namespace {

using namespace rig;

class ManifestTest : public ::testing::Test {
 protected:
  ManifestTest() { set_up_crypto(); }

  // Parses a bundle with one layer whose body `edit` changed; the refusal, or "" if it is accepted.
  std::string refusal(const std::function<void(wire::AppBody&)>& edit,
                      mv_wire_UpdateError expected = mv_wire_UpdateError_UPDATE_OK) {
    Bundle bundle;
    add_layer(bundle, 0, 16384, pattern(9000, 1));
    bundle.body.mutable_info()->set_board("mps2-an505");
    edit(bundle.body);
    seal(bundle);
    return parse(bundle.manifest, accept_, expected);
  }

  std::string parse(const Bytes& file, SignatureCheck& signatures, mv_wire_UpdateError expected) {
    pb_istream_t stream = pb_istream_from_buffer(file.data(), file.size());
    const auto parsed = parse_manifest(stream, {}, {signatures, "mps2-an505"}, scratch_, manifest_);
    EXPECT_EQ(parsed ? mv_wire_UpdateError_UPDATE_OK : parsed.error().error, expected);
    return parsed ? "" : std::string(parsed.error().sentence.view());
  }

  static wire::FlashRegion& region(wire::AppBody& body) {
    return *body.mutable_layers(0)->mutable_target()->mutable_internal_flash();
  }

  AcceptAll accept_;
  ManifestScratch scratch_;
  Manifest manifest_;
};

TEST_F(ManifestTest, TakesPoliciesKeysAndBuildId) {
  EXPECT_EQ(refusal([](wire::AppBody& body) {
              body.mutable_debug()->set_debug_auth_pubkey(std::string(65, 'd'));
              body.mutable_info()->set_build_id(std::string(20, 'b'));
              body.mutable_crash()->set_minimum_restart_ms(250);
              body.mutable_update()->set_maximum_politeness_time_sec(60);
            }),
            "");
  EXPECT_TRUE(manifest_.has_debug_key);
  EXPECT_EQ(manifest_.debug_key[64], 'd');
  EXPECT_EQ(manifest_.build_id_size, 20U);
  EXPECT_EQ(manifest_.minimum_restart_ms, 250U);
  EXPECT_EQ(manifest_.maximum_politeness_time_sec, 60U);
  EXPECT_EQ(manifest_.layers[0].content_size, 9000U);
}

TEST_F(ManifestTest, WithoutADebugKeyThereIsNoDebugging) {
  EXPECT_EQ(refusal([](wire::AppBody& body) { body.mutable_debug()->set_debuggable(true); }), "");
  EXPECT_FALSE(manifest_.has_debug_key);
}

TEST_F(ManifestTest, SaysWhetherTheLayersAreEncrypted) {
  EXPECT_EQ(refusal([](wire::AppBody&) {}), "");
  EXPECT_FALSE(manifest_.encrypted);
  EXPECT_EQ(refusal([](wire::AppBody& body) { body.mutable_layers(0)->set_encrypted_with_key_id(5); }), "");
  EXPECT_TRUE(manifest_.encrypted);
}

TEST_F(ManifestTest, TakesABundleOfTheOriginalWithoutOurFields) {
  EXPECT_EQ(refusal([](wire::AppBody& body) {
              body.clear_info();
              body.mutable_layers(0)->clear_content_size();
              body.mutable_layers(0)->clear_segment_size();
              body.mutable_layers(0)->clear_segment_hashes();
            }),
            "");
}

TEST_F(ManifestTest, RefusesWhatIsForAnotherBoardOrANewerMicrovisor) {
  EXPECT_EQ(refusal([](wire::AppBody& body) { body.mutable_info()->set_board("stm32u585"); },
                    mv_wire_UpdateError_UPDATE_WRONG_BOARD),
            "the bundle is for stm32u585, this device is a mps2-an505");
  EXPECT_EQ(refusal([](wire::AppBody& body) { body.mutable_update()->set_minimum_kernel_version(900); },
                    mv_wire_UpdateError_UPDATE_KERNEL_TOO_OLD),
            "the bundle wants microvisor version 900, this is 1");
}

TEST_F(ManifestTest, RefusesLayersThatDoNotFit) {
  const auto outside = mv_wire_UpdateError_UPDATE_OUTSIDE_AREA;
  EXPECT_EQ(refusal([](wire::AppBody& body) { region(body).set_start(4096); }, outside),
            "layer 1 does not begin at a multiple of 8192 bytes");
  for (const auto& [start, size] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
           {0x100000, 8192}, {0xFFFFE000, 16384}, {0, 0x100001}, {8192, 0x100000}, {0, 0}, {8192, 0xFFFFFFFF}}) {
    EXPECT_EQ(refusal(
                  [&](wire::AppBody& body) {
                    region(body).set_start(start);
                    region(body).set_size(size);
                  },
                  outside),
              "layer 1 is not within the 1048576 bytes of the application's flash");
  }
  EXPECT_EQ(refusal([](wire::AppBody& body) { body.mutable_layers(0)->set_content_size(16385); },
                    mv_wire_UpdateError_UPDATE_TOO_LARGE),
            "layer 1 holds 1 bytes more than its region");
  EXPECT_EQ(refusal([](wire::AppBody& body) { *body.add_layers() = body.layers(0); }, outside),
            "layer 2 overlaps layer 1");
  EXPECT_EQ(refusal(
                [](wire::AppBody& body) {
                  const auto start = region(body).start();
                  body.mutable_layers(0)->mutable_target()->mutable_external_flash()->set_start(start);
                },
                outside),
            "layer 1 is not for internal flash");
}

TEST_F(ManifestTest, RefusesWhatItCannotRead) {
  const auto bad = mv_wire_UpdateError_UPDATE_BAD_MANIFEST;
  EXPECT_EQ(refusal([](wire::AppBody& body) { body.clear_layers(); }, bad), "the bundle has no layers");
  EXPECT_EQ(refusal(
                [](wire::AppBody& body) {
                  *body.add_layers() = body.layers(0);
                  body.mutable_layers(1)->set_encrypted_with_key_id(5);
                },
                bad),
            "layer 2 is not encrypted with the key of the first one");
  EXPECT_EQ(refusal(
                [](wire::AppBody& body) {
                  body.mutable_layers(0)->set_encrypted_with_key_id(5);
                  body.mutable_layers(0)->clear_segment_hashes();
                },
                bad),
            "layer 1 does not have a hash for each segment of 32768 bytes");
  EXPECT_EQ(refusal([](wire::AppBody& body) { body.mutable_layers(0)->set_fetch_hash("short"); }, bad),
            "layer 1 lacks a SHA-256 hash");
  EXPECT_NE(refusal(
                [](wire::AppBody& body) {
                  for (int i = 0; i < 10; ++i) body.add_layers();
                  body.mutable_info()->set_name(std::string(200, 'n'));
                },
                bad),
            "");
  for (int layers : {17, 100}) {
    EXPECT_NE(refusal(
                  [&](wire::AppBody& body) {
                    while (body.layers_size() < layers) *body.add_layers() = wire::Layer();
                  },
                  bad),
              "");
  }
  EXPECT_NE(parse(Bytes(100, 0xFF), accept_, bad), "");
  EXPECT_NE(parse({}, accept_, bad), "");
}

TEST_F(ManifestTest, AcceptsOnlyWhatASignerOfThisDeviceSigned) {
  const Signer owner, stranger;
  const mv_wire_Identity identity = fixture::identity_with({&owner});
  host::FakeFlash flash(fixture::kKeysFlash);
  SignerKeys signatures(flash, identity);
  signatures.mount();

  Bundle bundle = make_bundle({pattern(100, 1)});
  seal(bundle, {&owner});
  EXPECT_EQ(parse(bundle.manifest, signatures, mv_wire_UpdateError_UPDATE_OK), "");
  EXPECT_EQ(manifest_.signers.count, 1);

  Bundle foreign = make_bundle({pattern(100, 1)});
  seal(foreign, {&stranger});
  EXPECT_NE(parse(foreign.manifest, signatures, mv_wire_UpdateError_UPDATE_UNKNOWN_SIGNER), "");
  seal(foreign, {&stranger, &owner});
  EXPECT_EQ(parse(foreign.manifest, signatures, mv_wire_UpdateError_UPDATE_OK), "");
  EXPECT_EQ(manifest_.signers.view()[0], owner.id());

  wire::OpaqueManifest edited;
  ASSERT_TRUE(edited.ParseFromArray(bundle.manifest.data(), static_cast<int>(bundle.manifest.size())));
  for (const int cut : {0, 1, 63}) {
    wire::OpaqueManifest copy = edited;
    copy.mutable_signature()->resize(static_cast<std::size_t>(cut));
    const std::string file = copy.SerializeAsString();
    EXPECT_NE(parse({file.begin(), file.end()}, signatures, mv_wire_UpdateError_UPDATE_BAD_SIGNATURE), "");
  }
  (*edited.mutable_body())[5] ^= 1;
  const std::string file = edited.SerializeAsString();
  EXPECT_NE(parse({file.begin(), file.end()}, signatures, mv_wire_UpdateError_UPDATE_BAD_SIGNATURE), "");
}

}  // namespace
}  // namespace mv::update
