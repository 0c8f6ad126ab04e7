#include "bundle/key_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bundle/test_support.h"

namespace mv::bundle {
namespace {

using ::testing::HasSubstr;

class KeyChangeTest : public ::testing::Test {
 protected:
  static KeyChange change() {
    KeyChange change;
    change.sequence = 7;
    change.device_id = "UV" + std::string(32, '1');
    change.threshold = 2;
    return change;
  }
  static std::string refusal(const KeyChange& change) {
    const auto made = SignedKeyChange::make(change);
    return made ? "" : made.error().message;
  }

  const PrivateKey one_ = *PrivateKey::generate();
  const PrivateKey two_ = *PrivateKey::generate();
};

TEST_F(KeyChangeTest, IsReadAsItWasWrittenAndSigned) {
  KeyChange wanted = change();
  wanted.add = {one_.public_key(), two_.public_key()};
  wanted.remove = {KeyId{0x1122334455667788}};
  const auto made = SignedKeyChange::make(wanted);
  ASSERT_TRUE(made) << made.error().message;
  auto signed_once = made->signed_with(one_);
  ASSERT_TRUE(signed_once);
  const auto signed_twice = signed_once->signed_with(two_);
  ASSERT_TRUE(signed_twice);
  const auto read = SignedKeyChange::parse(signed_twice->encoded());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->change().sequence, 7U);
  EXPECT_EQ(read->change().device_id, wanted.device_id);
  ASSERT_EQ(read->change().add.size(), 2U);
  EXPECT_EQ(read->change().add[1].id(), two_.public_key().id());
  EXPECT_EQ(read->change().remove, wanted.remove);
  EXPECT_EQ(read->change().threshold, 2U);
  EXPECT_EQ(read->body_hash(), made->body_hash());
  ASSERT_EQ(read->signatures().size(), 2U);
  EXPECT_EQ(read->signatures()[1].key, two_.public_key().id());
  EXPECT_EQ(signed_twice->signed_with(one_)->signatures().size(), 2U) << "it has signed already";
}

TEST_F(KeyChangeTest, TheSignatureIsOverPrefixAndBody) {
  const auto made = SignedKeyChange::make(change())->signed_with(one_);
  const std::string body = [&] {
    // The body is the first field: tag, length, bytes.
    const auto& bytes = made->encoded();
    return std::string(bytes.begin() + 2, bytes.begin() + 2 + bytes[1]);
  }();
  const std::string message = std::string("mv-key-change-v1\0", 17) + body;
  EXPECT_TRUE(one_.public_key().verify(as_bytes(message), made->signatures()[0].bytes));
}

TEST_F(KeyChangeTest, RefusesWhatNoDeviceTakes) {
  KeyChange wanted = change();
  wanted.sequence = 0;
  EXPECT_THAT(refusal(wanted), HasSubstr("has no sequence number"));
  wanted = change();
  wanted.threshold = 0;
  EXPECT_THAT(refusal(wanted), HasSubstr("changes nothing"));
  wanted = change();
  wanted.threshold = 9;
  EXPECT_THAT(refusal(wanted), HasSubstr("more signers than the 8 keys"));
  wanted = change();
  wanted.ca_hash.assign(32, 1);
  EXPECT_THAT(refusal(wanted), HasSubstr("one device or for one CA"));
  wanted.device_id.clear();
  EXPECT_EQ(refusal(wanted), "");
  wanted.ca_hash.pop_back();
  EXPECT_THAT(refusal(wanted), HasSubstr("without a SHA-256"));
  wanted = change();
  wanted.device_id = "UV1";
  EXPECT_THAT(refusal(wanted), HasSubstr("no device id"));
  wanted = change();
  wanted.add.assign(5, one_.public_key());
  EXPECT_THAT(refusal(wanted), HasSubstr("more than 4 keys"));
  EXPECT_FALSE(SignedKeyChange::parse(std::vector<std::uint8_t>(1201, 0)));
  EXPECT_FALSE(SignedKeyChange::parse(std::vector<std::uint8_t>(100, 0xFF)));
  EXPECT_FALSE(SignedKeyChange::parse({}));
}

TEST_F(KeyChangeTest, TheLargestOneFits) {
  KeyChange wanted = change();
  wanted.device_id.clear();
  wanted.ca_hash.assign(32, 1);
  wanted.sequence = UINT64_MAX;
  while (wanted.add.size() < SignedKeyChange::kMostAdded) wanted.add.push_back(PrivateKey::generate()->public_key());
  while (wanted.remove.size() < SignedKeyChange::kMostRemoved) wanted.remove.push_back(KeyId{UINT64_MAX});
  auto made = SignedKeyChange::make(wanted);
  for (std::size_t i = 0; i < SignedKeyChange::kMostSignatures; ++i) {
    ASSERT_TRUE(made) << made.error().message;
    made = made->signed_with(*PrivateKey::generate());
  }
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_FALSE(made->signed_with(one_)) << "a fifth";
}

}  // namespace
}  // namespace mv::bundle
