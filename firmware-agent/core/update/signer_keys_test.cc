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
  using Signers = std::vector<const rig::Signer*>;
  static inline const std::string kBody = "a bundle";

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

  // What a device that has just booted says of a bundle with these signatures.
  tl::expected<SignerIds, mv_wire_UpdateError> check(const std::vector<std::pair<std::uint64_t, Bytes>>& signatures) {
    SignerKeys keys(flash_, identity_);
    keys.mount();
    std::vector<Signature> views;
    for (const auto& [id, bytes] : signatures) views.push_back({id, bytes});
    return keys.check(views, {reinterpret_cast<const std::uint8_t*>(kBody.data()), kBody.size()});
  }
  static std::pair<std::uint64_t, Bytes> by(const rig::Signer& signer) { return {signer.id(), signer.sign(kBody)}; }

  static void add(wire::KeyChange& change, const rig::Signer& signer) { change.add_add(text(signer.point())); }

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
    for (const rig::Signer* signer : {&one_, &two_, &three_}) {
      if (keys.contains(signer->id())) found.push_back(signer);
    }
    EXPECT_EQ(found.size(), keys.count());
    return found;
  }
  // The crypto library comes before the first key.
  const bool ready_ = (rig::set_up_crypto(), true);
  rig::Signer one_, two_, three_;
  mv_wire_Identity identity_ = identity_with({&one_, &two_});
  FakeFlash flash_{kKeysFlash};
};

TEST_F(SignerKeysTest, BeginsWithTheKeysItWasProvisionedWith) {
  EXPECT_EQ(known(), (Signers{&one_, &two_}));
  ASSERT_TRUE(check({by(one_)}));
  EXPECT_EQ(check({by(one_)})->view()[0], one_.id());
  EXPECT_EQ(check({by(three_)}).error(), mv_wire_UpdateError_UPDATE_UNKNOWN_SIGNER);
  EXPECT_EQ(check({}).error(), mv_wire_UpdateError_UPDATE_UNKNOWN_SIGNER);
  EXPECT_EQ(check({{one_.id(), two_.sign(kBody)}}).error(), mv_wire_UpdateError_UPDATE_BAD_SIGNATURE);
}

TEST_F(SignerKeysTest, WantsAsManySignersOfABundleAsItsThreshold) {
  auto wanted = change(1);
  wanted.set_threshold(2);
  ASSERT_EQ(apply(signed_by(wanted, {&one_})), mv_wire_KeyChangeError_KEYS_OK);
  EXPECT_EQ(check({by(one_)}).error(), mv_wire_UpdateError_UPDATE_TOO_FEW_SIGNERS);
  EXPECT_EQ(check({by(one_), by(one_)}).error(), mv_wire_UpdateError_UPDATE_TOO_FEW_SIGNERS);
  EXPECT_EQ(check({by(one_), by(three_)}).error(), mv_wire_UpdateError_UPDATE_TOO_FEW_SIGNERS);
  EXPECT_EQ(check({by(three_)}).error(), mv_wire_UpdateError_UPDATE_UNKNOWN_SIGNER);
  EXPECT_EQ(check({by(one_), {two_.id(), one_.sign(kBody)}}).error(), mv_wire_UpdateError_UPDATE_BAD_SIGNATURE);
  ASSERT_TRUE(check({by(three_), by(two_), by(one_)}));
  EXPECT_EQ(check({by(two_), by(one_)})->count, 2);
}

TEST_F(SignerKeysTest, WantsAsManySignersAsItWasProvisionedWith) {
  identity_.signer_threshold = 2;
  EXPECT_EQ(check({by(one_)}).error(), mv_wire_UpdateError_UPDATE_TOO_FEW_SIGNERS);
  EXPECT_TRUE(check({by(one_), by(two_)}));
  auto wanted = change(1);
  wanted.set_threshold(1);
  EXPECT_EQ(apply(signed_by(wanted, {&one_})), mv_wire_KeyChangeError_KEYS_TOO_FEW_SIGNERS);
  EXPECT_EQ(apply(signed_by(wanted, {&one_, &two_})), mv_wire_KeyChangeError_KEYS_OK);
  EXPECT_TRUE(check({by(one_)}));
}

TEST_F(SignerKeysTest, ReportsWhatItHas) {
  auto wanted = change(7);
  add(wanted, three_);
  wanted.set_threshold(2);
  const std::string body = wanted.SerializeAsString();
  ASSERT_EQ(apply(signed_by(wanted, {&one_})), mv_wire_KeyChangeError_KEYS_OK);
  SignerKeys keys(flash_, identity_);
  keys.mount();
  mv_wire_KeysReport report = mv_wire_KeysReport_init_zero;
  keys.report(report);
  EXPECT_EQ(report.sequence, 7U);
  EXPECT_EQ(report.threshold, 2U);
  ASSERT_EQ(report.keys_count, 3U);
  EXPECT_EQ(report.keys[2], three_.id());
  EXPECT_EQ(text({report.change.bytes, report.change.size}), text(rig::sha256({body.begin(), body.end()})));
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
  EXPECT_EQ(apply(message), mv_wire_KeyChangeError_KEYS_OK) << "its answer may have been lost";
  auto other = change(5);
  other.set_threshold(1);
  EXPECT_EQ(apply(signed_by(other, {&one_})), mv_wire_KeyChangeError_KEYS_OLD_SEQUENCE);
  EXPECT_EQ(apply(signed_by(change(4), {&one_})), mv_wire_KeyChangeError_KEYS_OLD_SEQUENCE);
  EXPECT_EQ(apply(signed_by(change(6), {&one_})), mv_wire_KeyChangeError_KEYS_OK);
  EXPECT_EQ(apply(message), mv_wire_KeyChangeError_KEYS_OLD_SEQUENCE) << "not the last one any more";
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
  signature.set_signature(text(one_.sign(message.body())));
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
  std::vector<std::unique_ptr<rig::Signer>> others;
  mv_wire_KeyChangeError last = mv_wire_KeyChangeError_KEYS_OK;
  for (std::uint64_t sequence = 1; sequence <= 7; ++sequence) {
    wanted = change(sequence);
    add(wanted, *others.emplace_back(std::make_unique<rig::Signer>()));
    last = apply(signed_by(wanted, {&one_}));
    EXPECT_EQ(last, sequence <= 6 ? mv_wire_KeyChangeError_KEYS_OK : mv_wire_KeyChangeError_KEYS_TOO_MANY) << sequence;
  }
}

TEST_F(SignerKeysTest, NoiseIsNotUnderstood) {
  EXPECT_EQ(apply(Bytes(SignerKeys::kMaxMessage + 1, 0)), mv_wire_KeyChangeError_KEYS_NOT_UNDERSTOOD);
  EXPECT_EQ(apply(rig::pattern(300, 1)), mv_wire_KeyChangeError_KEYS_NOT_UNDERSTOOD);
  EXPECT_NE(apply({}), mv_wire_KeyChangeError_KEYS_OK);
}

}  // namespace
}  // namespace mv::update
