// Bundles that are encrypted to a group of devices: sealed by the host's code, opened by the device's.
#include <gtest/gtest.h>

#include "core/update/update_rig.h"

namespace mv::update {
namespace {

using namespace rig;
using bundle::PrivateKey;

// The identity of a device that has these keys.
mv_wire_Identity identity_with(const std::vector<PrivateKey>& keys) {
  mv_wire_Identity identity = mv_wire_Identity_init_zero;
  for (const PrivateKey& key : keys) {
    auto& bytes = identity.decryption_keys[identity.decryption_keys_count++];
    const auto scalar = key.scalar();
    bytes.size = static_cast<pb_size_t>(scalar.size());
    std::ranges::copy(scalar, bytes.bytes);
  }
  return identity;
}

class EncryptedUpdateTest : public ::testing::Test {
 protected:
  void SetUp() override { set_up_crypto(); }

  Bundle encrypted(const std::vector<Bytes>& contents, const std::vector<PrivateKey>& readers) {
    Bundle bundle = make_bundle(contents);
    std::vector<bundle::PublicKey> keys;
    for (const PrivateKey& each : readers) keys.push_back(each.public_key());
    encrypt(bundle, keys);
    seal(bundle);
    cloud_.add(bundle);
    return bundle;
  }

  void boot(const std::vector<PrivateKey>& keys) {
    device_.reset();
    identity_ = identity_with(keys);
    device_ = std::make_unique<Device>(flash_, cloud_, accept_, "mps2-an505",
                                       DecryptionKeys(identity_.decryption_keys, identity_.decryption_keys_count));
  }

  mv_wire_UpdateError order(const Bundle& bundle, std::uint64_t generation = 1) {
    device_->desire(bundle, generation);
    device_->run();
    return device_->report().error;
  }

  const PrivateKey ours_ = *PrivateKey::generate();
  const PrivateKey other_ = *PrivateKey::generate();
  host::FakeFlash flash_{kFlashSize};
  FakeCloud cloud_;
  AcceptAll accept_;
  mv_wire_Identity identity_{};
  std::unique_ptr<Device> device_;
};

TEST_F(EncryptedUpdateTest, IsInstalledByADeviceThatHasTheKey) {
  const Bundle bundle = encrypted({pattern(70'000, 1), Bytes(5000, 0x20)}, {other_, ours_});
  boot({*PrivateKey::generate(), ours_});
  EXPECT_EQ(order(bundle), mv_wire_UpdateError_UPDATE_OK);
  EXPECT_TRUE(device_->runs(bundle));
  EXPECT_TRUE(installed(flash_, bundle));
  boot({});  // what is installed runs without the key
  EXPECT_TRUE(device_->runs(bundle));
}

TEST_F(EncryptedUpdateTest, OnlySegmentsThatChangedAreAskedFor) {
  Bytes content = pattern(100'000, 1);
  const Bundle first = encrypted({content}, {ours_});
  content[50'000] ^= 1;
  const Bundle second = encrypted({content}, {ours_});
  boot({ours_});
  ASSERT_EQ(order(first), mv_wire_UpdateError_UPDATE_OK);
  const auto before = cloud_.bytes_served;
  EXPECT_EQ(order(second, 2), mv_wire_UpdateError_UPDATE_OK);
  EXPECT_TRUE(installed(flash_, second));
  EXPECT_EQ(cloud_.bytes_served - before, second.manifest.size() + second.sealed[0][1].size());
}

TEST_F(EncryptedUpdateTest, FromPlainToEncryptedAndBack) {
  const Bytes content = pattern(40'000, 1);
  Bytes changed = content;
  changed[35'000] ^= 1;
  const Bundle plain = make_bundle({content}), back = make_bundle({content}, 1);
  cloud_.add(plain);
  cloud_.add(back);
  const Bundle sealed = encrypted({changed}, {ours_});
  boot({ours_});
  ASSERT_EQ(order(plain), mv_wire_UpdateError_UPDATE_OK);
  EXPECT_EQ(order(sealed, 2), mv_wire_UpdateError_UPDATE_OK);
  EXPECT_TRUE(installed(flash_, sealed));
  EXPECT_EQ(order(back, 3), mv_wire_UpdateError_UPDATE_OK);
  EXPECT_TRUE(installed(flash_, back));
}

TEST_F(EncryptedUpdateTest, ADeviceWithoutTheKeyRefusesTheManifestAndFetchesNothing) {
  const Bundle bundle = encrypted({pattern(5000, 1)}, {ours_});
  for (const std::vector<PrivateKey>& keys : {std::vector<PrivateKey>{}, {other_}}) {
    boot(keys);
    const auto before = cloud_.bytes_served;
    EXPECT_EQ(order(bundle), mv_wire_UpdateError_UPDATE_NO_DECRYPTION_KEY);
    EXPECT_STREQ(device_->report().detail, "the bundle is encrypted, and not to a key of this device");
    EXPECT_EQ(cloud_.bytes_served - before, bundle.manifest.size());
  }
}

TEST_F(EncryptedUpdateTest, AWrappedKeyThatWasChangedDoesNotOpen) {
  for (const std::size_t at : {0u, 15u, 31u}) {
    Bundle bundle = make_bundle({pattern(5000, 1)});
    encrypt(bundle, {ours_.public_key()});
    (*bundle.body.mutable_recipients(0)->mutable_sealed_key())[at] ^= 1;
    seal(bundle);
    cloud_.add(bundle);
    boot({ours_});
    EXPECT_EQ(order(bundle, at + 1), mv_wire_UpdateError_UPDATE_BAD_SEAL);
  }
  for (const std::size_t size : {0u, 1u, 31u}) {
    Bundle bundle = make_bundle({pattern(5000, 1)});
    encrypt(bundle, {ours_.public_key()});
    bundle.body.mutable_recipients(0)->mutable_sealed_key()->resize(size);
    bundle.body.mutable_recipients(0)->mutable_enc()->resize(size);
    seal(bundle);
    cloud_.add(bundle);
    boot({ours_});
    EXPECT_EQ(order(bundle, size + 1), mv_wire_UpdateError_UPDATE_BAD_SEAL);
  }
}

TEST_F(EncryptedUpdateTest, EveryChangedByteOfASegmentIsNoticedAndNothingIsWritten) {
  const Bundle bundle = encrypted({Bytes(3000, 0x5A)}, {ours_});
  Bytes& segment = cloud_.sealed_segment(bundle, 0, 0);
  const Bytes good = segment;
  for (std::size_t i = 0; i < good.size(); ++i) {
    segment = good;
    segment[i] ^= 0x80;
    flash_ = host::FakeFlash(kFlashSize);
    boot({ours_});
    ASSERT_EQ(order(bundle), mv_wire_UpdateError_UPDATE_BAD_SEAL) << i;
    EXPECT_STREQ(device_->report().detail, "segment 1 of layer 1 does not open with the bundle's key: it was changed");
    EXPECT_FALSE(installed(flash_, bundle));
  }
  segment = good;
  EXPECT_EQ(order(bundle, 2), mv_wire_UpdateError_UPDATE_OK);
}

TEST_F(EncryptedUpdateTest, ACutOrLengthenedSegmentIsNoticed) {
  const Bundle bundle = encrypted({Bytes(3000, 0x5A)}, {ours_});
  Bytes& segment = cloud_.sealed_segment(bundle, 0, 0);
  const Bytes good = segment;
  boot({ours_});
  std::uint64_t generation = 0;
  for (std::size_t size = 1; size < good.size() + 5; ++size) {
    if (size == good.size()) continue;
    segment = good;
    segment.resize(size, 0);
    ASSERT_EQ(order(bundle, ++generation), mv_wire_UpdateError_UPDATE_BAD_SEAL) << size;
  }
  segment = Bytes(sealed::kMostSealedBytes + 1, 0);
  EXPECT_EQ(order(bundle, ++generation), mv_wire_UpdateError_UPDATE_BAD_SEAL);
}

TEST_F(EncryptedUpdateTest, SegmentsInEachOthersPlacesDoNotOpen) {
  const Bundle bundle = encrypted({pattern(70'000, 1)}, {ours_});
  std::swap(cloud_.sealed_segment(bundle, 0, 0), cloud_.sealed_segment(bundle, 0, 1));
  boot({ours_});
  EXPECT_EQ(order(bundle), mv_wire_UpdateError_UPDATE_BAD_SEAL);
}

// What the maker of the bundle sealed is something else than he signed.
TEST_F(EncryptedUpdateTest, ASegmentThatOpensAndIsNotWhatWasSignedIsRefused) {
  Bundle bundle = make_bundle({pattern(5000, 1)});
  bundle.layers[0][17] ^= 1;
  encrypt(bundle, {ours_.public_key()});
  seal(bundle);
  cloud_.add(bundle);
  boot({ours_});
  EXPECT_EQ(order(bundle), mv_wire_UpdateError_UPDATE_BAD_LAYER);
}

TEST_F(EncryptedUpdateTest, GoesOnAfterAReboot) {
  const Bundle bundle = encrypted({pattern(200'000, 1)}, {ours_});
  boot({ours_});
  device_->desire(bundle);
  device_->run(60);
  const auto half = device_->report();
  ASSERT_EQ(half.state, mv_wire_AppState_APP_DOWNLOADING);
  ASSERT_GT(half.bytes_done, 0U);
  boot({ours_});
  EXPECT_EQ(order(bundle), mv_wire_UpdateError_UPDATE_OK);
  EXPECT_TRUE(installed(flash_, bundle));
}

TEST_F(EncryptedUpdateTest, AfterARebootWithoutTheKeySaysSo) {
  const Bundle bundle = encrypted({pattern(200'000, 1)}, {ours_});
  boot({ours_});
  device_->desire(bundle);
  device_->run(60);
  boot({});
  EXPECT_EQ(order(bundle), mv_wire_UpdateError_UPDATE_NO_DECRYPTION_KEY);
}

}  // namespace
}  // namespace mv::update
