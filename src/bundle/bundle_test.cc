#include "bundle/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <cstdlib>

#include "bundle/test_support.h"
#include "wire/proto/manifest.pb.h"

namespace mv::bundle {
namespace {

using ::testing::HasSubstr;

std::vector<std::uint8_t> signed_bundle(const PrivateKey& key, std::size_t size = 0x100) {
  CreateOptions options = create_options();
  options.signer = &key;
  return *create_bundle(image_of(application(size)), options);
}

std::vector<std::uint8_t> layer_content(const Bundle& bundle, const Layer& layer) {
  std::vector<std::uint8_t> content;
  const auto read = bundle.read_layer(layer, [&](Bytes piece) -> Expected<void> {
    content.insert(content.end(), piece.begin(), piece.end());
    return {};
  });
  EXPECT_TRUE(read) << read.error().message;
  return content;
}

// A zip of any entries, deflated as the original's tool does, which write_archive never does.
std::vector<std::uint8_t> deflated_zip(const std::vector<std::pair<std::string, std::string>>& entries) {
  zip_source_t* source = zip_source_buffer_create(nullptr, 0, 0, nullptr);
  zip_source_keep(source);
  zip_t* zip = zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  for (const auto& [name, content] : entries) {
    const auto index = zip_file_add(zip, name.c_str(), zip_source_buffer(zip, content.data(), content.size(), 0), 0);
    zip_set_file_compression(zip, static_cast<zip_uint64_t>(index), ZIP_CM_DEFLATE, 9);
  }
  EXPECT_EQ(zip_close(zip), 0);
  zip_stat_t stat;
  zip_source_stat(source, &stat);
  std::vector<std::uint8_t> bytes(stat.size);
  zip_source_open(source);
  zip_source_read(source, bytes.data(), bytes.size());
  zip_source_close(source);
  zip_source_free(source);
  return bytes;
}

std::string text_of(const Hash& hash) { return {hash.bytes.begin(), hash.bytes.end()}; }

// The body of an original bundle: one layer, internal flash from 0, a whole MiB.
wire::AppBody original_body(const std::string& content) {
  wire::AppBody body;
  auto& layer = *body.add_layers();
  layer.mutable_target()->mutable_internal_flash()->set_size(0x100000);
  layer.set_fetch_hash(text_of(sha256(as_bytes(content))));
  std::string padded = content;
  padded.resize(0x100000, '\xFF');
  layer.set_measurement_hash(text_of(sha256(as_bytes(padded))));
  return body;
}

std::string manifest_of(const wire::AppBody& body) {
  wire::OpaqueManifest manifest;
  manifest.set_body(body.SerializeAsString());
  return manifest.SerializeAsString();
}

std::vector<std::uint8_t> bundle_of(const wire::AppBody& body, const std::string& content) {
  return deflated_zip({{"manifest", manifest_of(body)}, {hex(sha256(as_bytes(content))), content}});
}

TEST(Bundle, WhatWasPutInComesOut) {
  const auto key = PrivateKey::generate();
  const auto content = application(200'000);
  CreateOptions options = create_options();
  options.signer = &*key;
  options.info.git_revision = "a1b2c3d-dirty";
  options.policies.maximum_politeness_time_sec = 600;
  options.policies.confirm_timeout_sec = 60;
  options.policies.confirm_by = ConfirmBy::kApplication;
  options.policies.reflect_faults = true;
  options.policies.crash_regions = {{0x28200000, 64}, {0x28200100, 4}};
  const auto bytes = create_bundle(image_of(content), options);
  ASSERT_TRUE(bytes) << bytes.error().message;
  const auto bundle = Bundle::parse(*bytes);
  ASSERT_TRUE(bundle) << bundle.error().message;
  const AppBody& body = bundle->manifest().body();
  EXPECT_EQ(body.info.name, "blinky");
  EXPECT_EQ(body.info.git_revision, "a1b2c3d-dirty");
  EXPECT_EQ(body.info.build_id, (std::vector<std::uint8_t>{1, 2, 3, 4}));
  EXPECT_EQ(body.policies.maximum_politeness_time_sec, 600u);
  EXPECT_EQ(body.policies.confirm_timeout_sec, 60u);
  EXPECT_EQ(body.policies.confirm_by, ConfirmBy::kApplication);
  EXPECT_TRUE(body.policies.reflect_faults);
  ASSERT_EQ(body.policies.crash_regions.size(), 2u);
  EXPECT_EQ(body.policies.crash_regions[1].address, 0x28200100u);
  EXPECT_EQ(body.policies.crash_regions[1].length, 4u);
  std::vector<std::uint8_t> together;
  for (const Layer& layer : body.layers) {
    const auto part = layer_content(*bundle, layer);
    EXPECT_EQ(bundle->layer_bytes(layer), part.size());
    together.insert(together.end(), part.begin(), part.end());
  }
  EXPECT_EQ(together, content);
}

TEST(Bundle, TheSameInputGivesTheSameBytes) {
  const auto key = PrivateKey::generate();
  setenv("TZ", "Pacific/Auckland", 1);
  const auto first = signed_bundle(*key, 150'000);
  setenv("TZ", "America/New_York", 1);
  const auto second = signed_bundle(*key, 150'000);
  unsetenv("TZ");
  EXPECT_EQ(first, second);
}

TEST(Bundle, SigningAgainGivesTheBytesOfSigningAtOnce) {
  const auto key = PrivateKey::generate();
  const auto unsigned_bytes = create_bundle(image_of(application()), create_options());
  const auto bundle = Bundle::parse(*unsigned_bytes);
  const auto manifest = bundle->manifest().signed_with(*key);
  EXPECT_EQ(*bundle->encode_with(*manifest), signed_bundle(*key));
}

TEST(Bundle, OnlyATrustedKeysSignatureVerifies) {
  const auto key = PrivateKey::generate();
  const auto other = PrivateKey::generate();
  const auto bytes = signed_bundle(*key);
  const auto bundle = Bundle::parse(bytes);
  const std::vector<PublicKey> both{other->public_key(), key->public_key()};
  EXPECT_EQ(bundle->manifest().verify(both)->front().id(), key->public_key().id());
  const Error error = error_of(bundle->manifest().verify(std::span(both).first(1)));
  EXPECT_EQ(error.kind, ErrorKind::kUnknownSigner);
  EXPECT_THAT(error.message, HasSubstr(describe(key->public_key().id())));
}

TEST(Bundle, MoreThanOneKeyMaySignIt) {
  const auto key = PrivateKey::generate();
  const auto other = PrivateKey::generate();
  const auto bytes = signed_bundle(*key);
  const auto bundle = Bundle::parse(bytes);
  auto twice = bundle->manifest().signed_also_with(*other);
  ASSERT_TRUE(twice);
  EXPECT_EQ(twice->signatures().size(), 2U);
  EXPECT_EQ(twice->signer(), key->public_key().id());
  EXPECT_EQ(twice->signed_also_with(*key)->encoded(), twice->encoded()) << "it has signed already";
  const std::vector<PublicKey> both{other->public_key(), key->public_key()};
  EXPECT_EQ(twice->verify(both)->size(), 2U);
  ASSERT_EQ(twice->verify(std::span(both).first(1))->size(), 1U);
  EXPECT_EQ(twice->verify(std::span(both).first(1))->front().id(), other->public_key().id());
  EXPECT_EQ(twice->signed_with(*other)->signatures().size(), 1U);
  for (std::size_t i = 2; i < kMostSignatures; ++i) twice = twice->signed_also_with(*PrivateKey::generate());
  EXPECT_EQ(twice->signatures().size(), kMostSignatures);
  EXPECT_EQ(error_of(twice->signed_also_with(*PrivateKey::generate())).kind, ErrorKind::kTooBig);
}

TEST(Bundle, ExtraSignaturesThatMakeNoSenseAreRefused) {
  const auto key = PrivateKey::generate();
  const auto bytes = signed_bundle(*key);
  const auto bundle = Bundle::parse(bytes);
  const auto with = [&](auto edit) {
    wire::OpaqueManifest outer;
    const auto& encoded = bundle->manifest().encoded();
    EXPECT_TRUE(outer.ParseFromArray(encoded.data(), static_cast<int>(encoded.size())));
    edit(outer);
    return error_of(Manifest::parse(as_bytes(outer.SerializeAsString()))).message;
  };
  const auto add = [](wire::OpaqueManifest& outer, std::uint64_t id, std::size_t size) {
    wire::ExtraSignature& extra = *outer.add_extra_signatures();
    extra.set_signer_id(id);
    extra.set_signature(std::string(size, 's'));
  };
  EXPECT_THAT(with([&](auto& outer) { add(outer, 1, 63); }), HasSubstr("not 64 bytes long"));
  EXPECT_THAT(with([&](auto& outer) { add(outer, key->public_key().id().value, 64); }), HasSubstr("two signatures"));
  EXPECT_THAT(with([&](auto& outer) {
                for (std::uint64_t id = 1; id <= 5; ++id) add(outer, id, 64);
              }),
              HasSubstr("more than 5"));
  EXPECT_THAT(with([&](auto& outer) {
                add(outer, 1, 64);
                outer.clear_signature();
                outer.clear_signer_id();
              }),
              HasSubstr("not the first"));
}

TEST(Bundle, AnUnsignedBundleReadsButDoesNotVerify) {
  const auto bytes = create_bundle(image_of(application()), create_options());
  const auto bundle = Bundle::parse(*bytes);
  ASSERT_TRUE(bundle);
  EXPECT_EQ(error_of(bundle->manifest().verify({})).kind, ErrorKind::kUnsigned);
}

TEST(Bundle, AChangedBodyDoesNotVerify) {
  const auto key = PrivateKey::generate();
  const auto bytes = signed_bundle(*key);
  wire::OpaqueManifest outer;
  const auto bundle = Bundle::parse(bytes);
  const auto& encoded = bundle->manifest().encoded();
  ASSERT_TRUE(outer.ParseFromArray(encoded.data(), static_cast<int>(encoded.size())));
  wire::AppBody body;
  ASSERT_TRUE(body.ParseFromString(outer.body()));
  body.mutable_update()->set_maximum_politeness_time_sec(1);
  outer.set_body(body.SerializeAsString());
  const auto changed = Manifest::parse(as_bytes(outer.SerializeAsString()));
  ASSERT_TRUE(changed);
  EXPECT_EQ(error_of(changed->verify(std::vector{key->public_key()})).kind, ErrorKind::kBadSignature);
}

TEST(Bundle, EveryTruncationIsRefused) {
  const auto bytes = signed_bundle(*PrivateKey::generate());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(Bundle::parse(Bytes(bytes).first(length))) << "cut to " << length;
  }
}

// Whatever byte is changed, the bundle is refused, or its signature fails, or nothing that is signed changed.
TEST(Bundle, EveryEditIsNoticedOrHarmless) {
  const auto key = PrivateKey::generate();
  const auto good = signed_bundle(*key);
  const auto content = application();
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bytes = good;
    bytes[i] ^= 0x41;
    const auto bundle = Bundle::parse(bytes);
    if (!bundle || !bundle->manifest().verify(std::vector{key->public_key()})) continue;
    EXPECT_EQ(bundle->manifest().body_bytes(), Bundle::parse(good)->manifest().body_bytes()) << "byte " << i;
    EXPECT_EQ(layer_content(*bundle, bundle->manifest().body().layers[0]), content) << "byte " << i;
  }
}

TEST(Bundle, AnOriginalBundleReads) {
  const std::string content(50'000, 'x');
  const auto bytes = bundle_of(original_body(content), content);
  EXPECT_LT(bytes.size(), 5000u) << "the fixture is not deflated";
  const auto bundle = Bundle::parse(bytes);
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_FALSE(bundle->manifest().signer());
  EXPECT_EQ(layer_content(*bundle, bundle->manifest().body().layers[0]).size(), content.size());
}

TEST(Bundle, AnOldParserWouldFindItsFieldsUnchanged) {
  const auto key = PrivateKey::generate();
  const auto bytes = signed_bundle(*key);
  const auto bundle = Bundle::parse(bytes);
  // The first bytes on the wire: field 1 as varint (08), then field 2 (12), as the original's schema has them.
  const auto& encoded = bundle->manifest().encoded();
  EXPECT_EQ(encoded[0], 0x08);
  wire::OpaqueManifest outer;
  ASSERT_TRUE(outer.ParseFromArray(encoded.data(), static_cast<int>(encoded.size())));
  EXPECT_EQ(outer.signer_id(), key->public_key().id().value);
  EXPECT_EQ(outer.signature().size(), 64u);
}

TEST(Bundle, ALayerThatIsMissingIsNamed) {
  const std::string content(100, 'x');
  const auto bytes = deflated_zip({{"manifest", manifest_of(original_body(content))}});
  const Error error = error_of(Bundle::parse(bytes));
  EXPECT_EQ(error.kind, ErrorKind::kBadArchive);
  EXPECT_THAT(error.message, HasSubstr("lacks layer flash 0x00000000"));
}

TEST(Bundle, ALayerWithOtherContentThanItsNameIsRefused) {
  const std::string content(100, 'x');
  const std::string other(100, 'y');
  const auto bytes =
      deflated_zip({{"manifest", manifest_of(original_body(content))}, {hex(sha256(as_bytes(content))), other}});
  EXPECT_EQ(error_of(Bundle::parse(bytes)).kind, ErrorKind::kWrongContent);
}

TEST(Bundle, AWrongMeasurementHashIsRefused) {
  const std::string content(100, 'x');
  auto body = original_body(content);
  body.mutable_layers(0)->set_measurement_hash(std::string(32, 'm'));
  EXPECT_THAT(error_of(Bundle::parse(bundle_of(body, content))).message, HasSubstr("measurement hash"));
}

TEST(Bundle, AnEntryThatNoManifestNamesIsRefused) {
  const std::string content(100, 'x');
  const std::string stowaway = "more";
  const auto bytes = deflated_zip({{"manifest", manifest_of(original_body(content))},
                                   {hex(sha256(as_bytes(content))), content},
                                   {hex(sha256(as_bytes(stowaway))), stowaway}});
  EXPECT_THAT(error_of(Bundle::parse(bytes)).message, HasSubstr("does not name"));
}

TEST(Bundle, APathInAnEntryNameIsRefused) {
  for (const char* name : {"../../etc/passwd", "/etc/passwd", "a/manifest", "..\\manifest"}) {
    const Error error = error_of(Bundle::parse(deflated_zip({{"manifest", "x"}, {name, "x"}})));
    EXPECT_THAT(error.message, HasSubstr("path in its name")) << name;
  }
}

TEST(Bundle, AnEntryNameThatIsNotUtf8IsRefusedAndNotPrinted) {
  const Error error = error_of(Bundle::parse(deflated_zip({{"manifest", "x"}, {"ab\xC3\x28\x1b[31m", "x"}})));
  EXPECT_EQ(error.kind, ErrorKind::kBadArchive);
  EXPECT_THAT(error.message, HasSubstr("'ab?(?[31m'"));
}

TEST(Bundle, AZipThatIsNoBundleIsTold) {
  EXPECT_THAT(error_of(Bundle::parse(deflated_zip({{hex(sha256({})), ""}}))).message, HasSubstr("no entry 'manifest'"));
  EXPECT_THAT(error_of(Bundle::parse(as_bytes("no zip at all"))).message, HasSubstr("not a whole zip file"));
}

TEST(Bundle, AZipBombIsCutOff) {
  const std::string content(0x100001, '\0');  // a kilobyte when packed
  const auto bomb = bundle_of(original_body(std::string(1, 'x')), content);
  EXPECT_FALSE(Bundle::parse(bomb));
  auto body = original_body(std::string(1, 'x'));
  body.mutable_layers(0)->set_fetch_hash(text_of(sha256(as_bytes(content))));
  const Error error = error_of(Bundle::parse(bundle_of(body, content)));
  EXPECT_EQ(error.kind, ErrorKind::kTooBig);
  EXPECT_THAT(error.message, HasSubstr("unpacks to more than the 1048576 bytes"));
  const auto manifest_bomb = deflated_zip({{"manifest", std::string(1 << 24, '\0')}});
  EXPECT_THAT(error_of(Bundle::parse(manifest_bomb)).message, HasSubstr("unpacks to more than"));
}

TEST(Bundle, TenThousandLayersAreRefused) {
  wire::AppBody body;
  for (int i = 0; i < 10'000; ++i) body.add_layers();
  const Error error = error_of(Manifest::parse(as_bytes(manifest_of(body))));
  EXPECT_EQ(error.kind, ErrorKind::kTooBig);
  EXPECT_THAT(error.message, HasSubstr("10000 layers, at most 256"));
  std::vector<std::pair<std::string, std::string>> entries;
  for (int i = 0; i < 10'000; ++i) entries.emplace_back(hex(sha256(as_bytes(std::to_string(i)))), "");
  EXPECT_THAT(error_of(Bundle::parse(deflated_zip(entries))).message, HasSubstr("10000 entries, at most 257"));
}

TEST(Bundle, OverlappingLayersAreRefused) {
  auto body = original_body("x");
  *body.add_layers() = body.layers(0);
  body.mutable_layers(1)->mutable_target()->mutable_internal_flash()->set_start(0xFFFFF);
  EXPECT_EQ(error_of(Manifest::parse(as_bytes(manifest_of(body)))).kind, ErrorKind::kOverlap);
}

TEST(Bundle, ALayerOutsideTheBoardsAreaIsRefused) {
  auto body = original_body("x");
  body.mutable_info()->set_board("mps2-an505");
  body.mutable_layers(0)->mutable_target()->mutable_internal_flash()->set_start(1);
  const Error error = error_of(Manifest::parse(as_bytes(manifest_of(body))));
  EXPECT_EQ(error.kind, ErrorKind::kOutsideArea);
  EXPECT_THAT(error.hint, HasSubstr("flash 0x00100000 + 1024 KiB"));
}

TEST(Bundle, ARegionThatWrapsAroundTheAddressSpaceIsRefused) {
  auto body = original_body("x");
  body.mutable_layers(0)->mutable_target()->mutable_internal_flash()->set_start(0xFFFFFFFF);
  EXPECT_EQ(error_of(Manifest::parse(as_bytes(manifest_of(body)))).kind, ErrorKind::kBadManifest);
}

TEST(Bundle, RegionsForCrashRecordsThatADeviceCouldNotKeepAreRefused) {
  const auto with = [](std::initializer_list<CrashRegion> regions) {
    auto body = original_body("x");
    body.mutable_info()->set_board("mps2-an505");
    for (const CrashRegion& region : regions) {
      auto& added = *body.mutable_crash()->add_regions();
      added.set_address(region.address);
      added.set_length(region.length);
    }
    return Manifest::parse(as_bytes(manifest_of(body)));
  };
  constexpr std::uint32_t kRam = 0x28200000, kSize = 0x80000;
  EXPECT_TRUE(with({{kRam, 384}, {kRam + kSize - 384, 384}}));
  EXPECT_THAT(error_of(with({{kRam, 385}, {kRam, 384}})).message, HasSubstr("names 769 bytes of RAM"));
  EXPECT_THAT(error_of(with({{kRam, 0}})).message, HasSubstr("of 0 bytes"));
  EXPECT_THAT(error_of(with({{kRam + kSize - 1, 2}})).message, HasSubstr("not the board's RAM"));
  EXPECT_THAT(error_of(with({{0xFFFFFFFF, 2}})).message, HasSubstr("past the end"));
  EXPECT_THAT(error_of(with({{kRam, 1}, {kRam, 1}, {kRam, 1}, {kRam, 1}, {kRam, 1}})).message,
              HasSubstr("more than 4 regions"));
}

TEST(Bundle, TextsThatAreNotUtf8OrNotPrintableAreRefused) {
  const std::string escape =
      "\x82\x01\x05\x0A\x03"
      "a\x1b"
      "b";  // field 16, info; field 1, name
  const std::string broken = "\x82\x01\x04\x0A\x02\xC3\x28";
  for (const auto& info : {escape, broken}) {
    wire::OpaqueManifest outer;
    outer.set_body(original_body("x").SerializeAsString() + info);
    EXPECT_EQ(error_of(Manifest::parse(as_bytes(outer.SerializeAsString()))).kind, ErrorKind::kBadManifest);
  }
}

TEST(Bundle, AFileReadsAsItsBytesDo) {
  const TemporaryFolder folder;
  const auto bytes = signed_bundle(*PrivateKey::generate(), 100'000);
  write_file(folder / "app.zip", bytes);
  const auto bundle = Bundle::open(folder / "app.zip");
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(bundle->manifest().hash(), Bundle::parse(bytes)->manifest().hash());
  EXPECT_EQ(error_of(Bundle::open(folder / "none.zip")).kind, ErrorKind::kUnreadable);
}

TEST(Bundle, AFileThatChangesAfterItWasCheckedIsNoticedWhenRead) {
  const TemporaryFolder folder;
  auto bytes = signed_bundle(*PrivateKey::generate(), 100'000);
  write_file(folder / "app.zip", bytes);
  const auto bundle = Bundle::open(folder / "app.zip");
  ASSERT_TRUE(bundle);
  bytes[50'000] ^= 1;
  write_file(folder / "app.zip", bytes);
  const auto ignore = [](Bytes) -> Expected<void> { return {}; };
  EXPECT_FALSE(bundle->read_layer(bundle->manifest().body().layers[0], ignore));
}

TEST(Bundle, ABundleOverTheSizeLimitIsRefusedUnread) {
  const auto bytes = signed_bundle(*PrivateKey::generate());
  Limits limits;
  limits.bundle_bytes = bytes.size() - 1;
  EXPECT_EQ(error_of(Bundle::parse(bytes, limits)).kind, ErrorKind::kTooBig);
}

TEST(Bundle, AnUnknownBoardIsRefusedWithTheKnownOnes) {
  CreateOptions options = create_options();
  options.info.board = "toaster";
  EXPECT_THAT(error_of(create_bundle(image_of(application()), options)).hint, HasSubstr("mps2-an505, stm32u585"));
}

TEST(Bundle, AFullFlashStillGivesAManifestThatADeviceTakes) {
  const auto key = PrivateKey::generate();
  CreateOptions options = create_options();
  options.info.name = std::string(64, 'n');
  options.info.version = std::string(64, 'v');
  options.signer = &*key;
  std::vector<std::uint8_t> content = application(0x100000);
  for (std::size_t i = 0x100; i < content.size(); i += 7) content[i] = static_cast<std::uint8_t>(i >> 8);
  const auto bytes = create_bundle(image_of(content), options);
  ASSERT_TRUE(bytes) << bytes.error().message;
  const auto bundle = Bundle::parse(*bytes);
  EXPECT_EQ(bundle->manifest().body().layers.size(), kDeviceLayers);
  EXPECT_LE(bundle->manifest().body_bytes().size(), kDeviceBodyBytes);
}

TEST(Bundle, RegionsWithTheSameContentTravelOnce) {
  std::vector<std::uint8_t> content = application(3 * kLayerSize, 0xAB);
  const auto bytes = create_bundle(image_of(content), create_options());
  EXPECT_LT(bytes->size(), 2 * kLayerSize + 4096);
  const auto bundle = Bundle::parse(*bytes);
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(bundle->manifest().body().layers.size(), 3u);
}

}  // namespace
}  // namespace mv::bundle
