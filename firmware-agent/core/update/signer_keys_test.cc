#include "core/update/signer_keys.h"

#include <memory>

#include <gtest/gtest.h>

#include "core/update/signer_keys_fixture.h"

namespace mv::update {
namespace {

using namespace fixture;
using host::FakeFlash;
using rig::Bytes;

class SignerKeysTest : public ::testing::Test {
 protected:
  using Signers = std::vector<const KeyPair*>;

  // What a change of this device would be, without anything to change.
  static wire::KeyChange change(std::uint64_t sequence = 1) {
    wire::KeyChange change;
    change.set_sequence(sequence);
    change.set_device_id(kDeviceId);
    return change;
  }

  static Bytes signed_by(const wire::KeyChange& change, const Signers& signers) {
    return fixture::signed_by(change.SerializeAsString(), signers);
  }

  static Bytes bundle_signature(const KeyPair& signer, const std::string& body) {
    const std::string signature = signer.sign("twlo-mv-manifest-v1", body);
    return {signature.begin(), signature.end()};
  }

  static void add(wire::KeyChange& change, const KeyPair& signer) { change.add_add(text(signer.point())); }

  // Applies to a device that has just booted; what it says.
  mv_wire_KeyChangeError apply(const Bytes& message, std::vector<std::uint64_t> in_use = {}) {
    SignerKeys keys(flash_, identity_);
    keys.mount();
    return keys.apply(message, in_use);
  }

  // The keys that the device has after a boot.
  Signers known() {
    SignerKeys keys(flash_, identity_);
    keys.mount();
    Signers found;
    for (const KeyPair* signer : {&one_, &two_, &three_}) {
      if (keys.contains(signer->id())) found.push_back(signer);
    }
    EXPECT_EQ(found.size(), keys.count());
    return found;
  }
  // The crypto library comes before the first key.
  const bool ready_ = (rig::set_up_crypto(), true);
  KeyPair one_, two_, three_;
  mv_wire_Identity identity_ = identity_with({&one_, &two_});
  FakeFlash flash_{kKeysFlash};
};

TEST_F(SignerKeysTest, BeginsWithTheKeysItWasProvisionedWith) {
  EXPECT_EQ(known(), (Signers{&one_, &two_}));
  SignerKeys keys(flash_, identity_);
  keys.mount();
  const std::string body = "a bundle";
  const Bytes bytes(body.begin(), body.end());
  EXPECT_TRUE(keys.check(one_.id(), bytes, bundle_signature(one_, body)));
  EXPECT_EQ(keys.check(three_.id(), bytes, bundle_signature(three_, body)).error(),
            mv_wire_UpdateError_UPDATE_UNKNOWN_SIGNER);
  EXPECT_EQ(keys.check(one_.id(), bytes, bundle_signature(two_, body)).error(),
            mv_wire_UpdateError_UPDATE_BAD_SIGNATURE);
}

TEST_F(SignerKeysTest, AddsAndRemovesAndRemembersIt) {
  auto wanted = change();
  add(wanted, three_);
  wanted.add_remove(one_.id());
  EXPECT_EQ(apply(signed_by(wanted, {&one_})), mv_wire_KeyChangeError_KEYS_OK);
  EXPECT_EQ(known(), (Signers{&two_, &three_}));
}

TEST_F(SignerKeysTest, TakesAChangeForEveryDeviceOfItsCa) {
  auto wanted = change();
  wanted.clear_device_id();
  wanted.set_ca_hash(text(rig::sha256({'t', 'h', 'e'})));
  add(wanted, three_);
  EXPECT_EQ(apply(signed_by(wanted, {&one_})), mv_wire_KeyChangeError_KEYS_OK);
  wanted.set_sequence(2);
  wanted.set_ca_hash(text(rig::sha256({'a', 'n'})));
  EXPECT_EQ(apply(signed_by(wanted, {&one_})), mv_wire_KeyChangeError_KEYS_OTHER_DEVICE);
  wanted.clear_ca_hash();
  EXPECT_EQ(apply(signed_by(wanted, {&one_})), mv_wire_KeyChangeError_KEYS_OTHER_DEVICE);
  wanted.set_device_id("UV00000000000000000000000000000002");
  EXPECT_EQ(apply(signed_by(wanted, {&one_})), mv_wire_KeyChangeError_KEYS_OTHER_DEVICE);
}

TEST_F(SignerKeysTest, NoChangeTwiceAndNoOlderOne) {
  auto wanted = change(5);
  add(wanted, three_);
  const Bytes message = signed_by(wanted, {&one_});
  EXPECT_EQ(apply(message), mv_wire_KeyChangeError_KEYS_OK);
  EXPECT_EQ(apply(message), mv_wire_KeyChangeError_KEYS_OLD_SEQUENCE);
  EXPECT_EQ(apply(signed_by(change(4), {&one_})), mv_wire_KeyChangeError_KEYS_OLD_SEQUENCE);
  EXPECT_EQ(apply(signed_by(change(6), {&one_})), mv_wire_KeyChangeError_KEYS_OK);
}

TEST_F(SignerKeysTest, CountsGoodSignaturesOfDifferentKnownKeys) {
  auto wanted = change(1);
  wanted.set_threshold(2);
  EXPECT_EQ(apply(signed_by(wanted, {&three_})), mv_wire_KeyChangeError_KEYS_TOO_FEW_SIGNERS);
  EXPECT_EQ(apply(signed_by(wanted, {})), mv_wire_KeyChangeError_KEYS_TOO_FEW_SIGNERS);
  EXPECT_EQ(apply(signed_by(wanted, {&one_})), mv_wire_KeyChangeError_KEYS_OK);
  wanted = change(2);
  add(wanted, three_);
  EXPECT_EQ(apply(signed_by(wanted, {&one_})), mv_wire_KeyChangeError_KEYS_TOO_FEW_SIGNERS);
  EXPECT_EQ(apply(signed_by(wanted, {&one_, &one_})), mv_wire_KeyChangeError_KEYS_TOO_FEW_SIGNERS);
  EXPECT_EQ(apply(signed_by(wanted, {&one_, &three_})), mv_wire_KeyChangeError_KEYS_TOO_FEW_SIGNERS);
  EXPECT_EQ(apply(signed_by(wanted, {&two_, &one_})), mv_wire_KeyChangeError_KEYS_OK);
}

TEST_F(SignerKeysTest, ASignatureUnderABundlesPrefixIsNone) {
  wire::SignedKeyChange message;
  message.set_body(change().SerializeAsString());
  auto& signature = *message.add_signatures();
  signature.set_key_id(one_.id());
  signature.set_signature(one_.sign("twlo-mv-manifest-v1", message.body()));
  const std::string bytes = message.SerializeAsString();
  EXPECT_EQ(apply({bytes.begin(), bytes.end()}), mv_wire_KeyChangeError_KEYS_TOO_FEW_SIGNERS);
}

TEST_F(SignerKeysTest, EveryChangedByteIsRefused) {
  auto wanted = change();
  add(wanted, three_);
  const Bytes good = signed_by(wanted, {&one_});
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= 0x01;
    ASSERT_NE(apply(bad), mv_wire_KeyChangeError_KEYS_OK) << at;
  }
  EXPECT_EQ(known(), (Signers{&one_, &two_}));
}

TEST_F(SignerKeysTest, KeepsWhatItNeeds) {
  auto wanted = change();
  wanted.add_remove(one_.id());
  EXPECT_EQ(apply(signed_by(wanted, {&two_}), {one_.id()}), mv_wire_KeyChangeError_KEYS_IN_USE);
  wanted.add_remove(two_.id());
  EXPECT_EQ(apply(signed_by(wanted, {&two_})), mv_wire_KeyChangeError_KEYS_BELOW_THRESHOLD);
  wanted = change();
  wanted.set_threshold(2);
  EXPECT_EQ(apply(signed_by(wanted, {&one_}), {one_.id()}), mv_wire_KeyChangeError_KEYS_IN_USE)
      << "what runs would not run again after a boot";
  wanted.set_threshold(3);
  EXPECT_EQ(apply(signed_by(wanted, {&one_, &two_})), mv_wire_KeyChangeError_KEYS_BELOW_THRESHOLD);
  wanted.set_threshold(0x100 + 1);
  EXPECT_EQ(apply(signed_by(wanted, {&one_, &two_})), mv_wire_KeyChangeError_KEYS_BELOW_THRESHOLD);
  EXPECT_EQ(known(), (Signers{&one_, &two_}));
}

TEST_F(SignerKeysTest, RefusesKeysThatAreNoneOrNotThereOrTooMany) {
  auto wanted = change();
  wanted.add_add(std::string(65, '\x04'));
  EXPECT_EQ(apply(signed_by(wanted, {&one_})), mv_wire_KeyChangeError_KEYS_BAD_POINT);
  wanted = change();
  wanted.add_add("short");
  EXPECT_EQ(apply(signed_by(wanted, {&one_})), mv_wire_KeyChangeError_KEYS_BAD_POINT);
  wanted = change();
  wanted.add_remove(three_.id());
  EXPECT_EQ(apply(signed_by(wanted, {&one_})), mv_wire_KeyChangeError_KEYS_UNKNOWN_KEY);
  std::vector<std::unique_ptr<KeyPair>> others;
  mv_wire_KeyChangeError last = mv_wire_KeyChangeError_KEYS_OK;
  for (std::uint64_t sequence = 1; sequence <= 7; ++sequence) {
    wanted = change(sequence);
    add(wanted, *others.emplace_back(std::make_unique<KeyPair>()));
    last = apply(signed_by(wanted, {&one_}));
    EXPECT_EQ(last, sequence <= 6 ? mv_wire_KeyChangeError_KEYS_OK : mv_wire_KeyChangeError_KEYS_TOO_MANY) << sequence;
  }
}

TEST_F(SignerKeysTest, NoiseIsNotUnderstood) {
  EXPECT_EQ(apply(Bytes(SignerKeys::kMaxMessage + 1, 0)), mv_wire_KeyChangeError_KEYS_NOT_UNDERSTOOD);
  EXPECT_EQ(apply(rig::pattern(300, 1)), mv_wire_KeyChangeError_KEYS_NOT_UNDERSTOOD);
  EXPECT_NE(apply({}), mv_wire_KeyChangeError_KEYS_OK);
}

// At every flash operation: the old set or the new one, and the change can be made again if it did not happen.
TEST_F(SignerKeysTest, SurvivesEveryPowerCut) {
  auto first = change(1);
  first.set_threshold(2);
  ASSERT_EQ(apply(signed_by(first, {&one_})), mv_wire_KeyChangeError_KEYS_OK);
  const FakeFlash base = flash_;
  auto wanted = change(2);
  add(wanted, three_);
  wanted.add_remove(one_.id());
  const Bytes message = signed_by(wanted, {&one_, &two_});
  int cuts = 0;
  for (const auto how :
       {FakeFlash::Cut::kNotDone, FakeFlash::Cut::kTornEarly, FakeFlash::Cut::kTornLate, FakeFlash::Cut::kDone}) {
    for (std::uint32_t at = 0;; ++at) {
      SCOPED_TRACE("operation " + std::to_string(at));
      flash_ = base;
      flash_.cut_at(at, how, at + 1);
      (void)apply(message);
      if (flash_.powered()) break;
      ++cuts;
      flash_.restore_power();
      const Signers now = known();
      const bool is_new = now == Signers{&two_, &three_};
      ASSERT_TRUE(is_new || (now == Signers{&one_, &two_}));
      // Made again when it has happened, one of its signers is none of this device any more.
      ASSERT_EQ(apply(message), is_new ? mv_wire_KeyChangeError_KEYS_TOO_FEW_SIGNERS : mv_wire_KeyChangeError_KEYS_OK);
      ASSERT_EQ(known(), (Signers{&two_, &three_}));
    }
  }
  EXPECT_GT(cuts, 30);
}

}  // namespace
}  // namespace mv::update
