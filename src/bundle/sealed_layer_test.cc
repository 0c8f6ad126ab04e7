#include "bundle/sealed_layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "bundle/test_support.h"

namespace mv::bundle {
namespace {

using ::testing::HasSubstr;

std::vector<std::uint8_t> noise(std::size_t size) {
  std::mt19937 random(7);
  std::vector<std::uint8_t> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

class SealedLayerTest : public ::testing::Test {
 protected:
  const ContentKey key_ = *ContentKey::generate();
  const std::vector<std::uint8_t> content_ = noise(sealed::kKeySize + delta::kSegmentSize);
  const std::uint32_t size_ = static_cast<std::uint32_t>(content_.size());
  const std::vector<std::uint8_t> file_ = *key_.seal(content_, 3);
};

TEST_F(SealedLayerTest, OpensAsItWas) {
  const auto opened = key_.open(file_, 3, size_);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(*opened, content_);
  EXPECT_EQ(*key_.open(*key_.seal(std::vector<std::uint8_t>(100'000, 0x20), 0), 0, 100'000),
            std::vector<std::uint8_t>(100'000, 0x20));
}

TEST_F(SealedLayerTest, IsCutIntoSegmentsWithoutAKey) {
  const auto pieces = sealed_segments(file_, size_);
  ASSERT_TRUE(pieces);
  ASSERT_EQ(pieces->size(), 2u);
  EXPECT_LE((*pieces)[0].size(), sealed::kMostSealedBytes);
  EXPECT_LT((*pieces)[1].size(), 100u);
}

TEST_F(SealedLayerTest, EveryChangedByteIsNoticed) {
  const auto small = noise(300);
  const auto file = *key_.seal(small, 0);
  ASSERT_TRUE(key_.open(file, 0, 300));
  for (std::size_t i = 0; i < file.size(); ++i) {
    auto changed = file;
    changed[i] ^= 1;
    EXPECT_FALSE(key_.open(changed, 0, 300)) << i;
    EXPECT_FALSE(key_.open(Bytes(file).first(i), 0, 300)) << i;
  }
  EXPECT_FALSE(key_.open(file, 0, 299));
  EXPECT_FALSE(key_.open(file, 0, 0));
  EXPECT_FALSE(key_.open(file, 0, 0xFFFFFFFF));
}

TEST_F(SealedLayerTest, AnotherPlaceOrAnotherKeyDoesNotOpen) {
  EXPECT_FALSE(key_.open(file_, 2, size_));
  EXPECT_THAT(ContentKey::generate()->open(file_, 3, size_).error().message, HasSubstr("segment 1 of layer 4"));
}

TEST_F(SealedLayerTest, TheKeyIsUnwrappedByItsReceiversAlone) {
  const auto one = *PrivateKey::generate(), two = *PrivateKey::generate(), other = *PrivateKey::generate();
  std::vector<Recipient> recipients = {*key_.wrap(one.public_key()), *key_.wrap(two.public_key())};
  for (const auto& each : {one, two}) {
    const auto unwrapped = ContentKey::unwrap(recipients, each);
    ASSERT_TRUE(unwrapped) << unwrapped.error().message;
    EXPECT_EQ(*unwrapped->open(file_, 3, size_), content_);
  }
  EXPECT_THAT(ContentKey::unwrap(recipients, other).error().message, HasSubstr("not encrypted to key"));
  std::swap(recipients[0].sealed_key, recipients[1].sealed_key);
  EXPECT_FALSE(ContentKey::unwrap(recipients, one));
}

class EncryptedBundleTest : public ::testing::Test {
 protected:
  EncryptedBundleTest() {
    options_.encrypt_to = {reader_.public_key()};
    options_.signer = &signer_;
  }

  const PrivateKey reader_ = *PrivateKey::generate(), signer_ = *PrivateKey::generate();
  const std::string secret_ = "the quick brown fox jumps over the lazy dog";
  CreateOptions options_ = create_options();

  std::vector<std::uint8_t> program() const {
    auto bytes = application(100'000);
    std::ranges::copy(secret_, bytes.begin() + 0x200);
    return bytes;
  }
};

TEST_F(EncryptedBundleTest, HoldsNothingReadableAndOpensForItsReader) {
  const auto plain = program();
  const auto bytes = create_bundle(image_of(plain), options_);
  ASSERT_TRUE(bytes) << bytes.error().message;
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  EXPECT_EQ(text.find(secret_.substr(0, 8)), std::string_view::npos);

  const auto bundle = Bundle::parse(*bytes);
  ASSERT_TRUE(bundle) << bundle.error().message;
  ASSERT_EQ(bundle->manifest().body().recipients.size(), 1u);
  EXPECT_EQ(bundle->manifest().body().recipients[0].key, reader_.public_key().id());
  const auto contents = bundle->decrypt(reader_);
  ASSERT_TRUE(contents) << contents.error().message;
  ASSERT_EQ(contents->size(), 2u);
  EXPECT_TRUE(std::ranges::equal((*contents)[0], std::span(plain).first(64 << 10)));
  EXPECT_FALSE(bundle->decrypt(signer_));
}

TEST_F(EncryptedBundleTest, TwoAreNeverTheSame) {
  EXPECT_NE(*create_bundle(image_of(program()), options_), *create_bundle(image_of(program()), options_));
}

TEST_F(EncryptedBundleTest, StaysWholeWhenItIsSignedAgain) {
  const auto bytes = *create_bundle(image_of(program()), options_);
  const auto bundle = Bundle::parse(bytes);
  const auto again = bundle->encode_with(*bundle->manifest().signed_also_with(reader_));
  ASSERT_TRUE(again) << again.error().message;
  const auto parsed = Bundle::parse(*again);
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->decrypt(reader_));
}

TEST_F(EncryptedBundleTest, ContentThatIsNotWhatWasMeasuredIsNoticed) {
  const auto bytes = *create_bundle(image_of(program()), options_);
  const auto bundle = Bundle::parse(bytes);
  AppBody changed = bundle->manifest().body();
  changed.layers[1].measurement_hash = sha256(as_bytes("something else"));
  const auto other = bundle->encode_with(*Manifest::from_body(changed));
  ASSERT_TRUE(other);
  const auto opened = Bundle::parse(*other);  // without a key nobody can tell
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_THAT(opened->decrypt(reader_).error().message, HasSubstr("measurement hash"));
}

TEST_F(EncryptedBundleTest, FourCanReadItAndNoMore) {
  options_.encrypt_to.assign(4, reader_.public_key());
  EXPECT_THAT(create_bundle(image_of(program()), options_).error().message, HasSubstr("twice"));
  options_.encrypt_to.clear();
  for (int i = 0; i < 4; ++i) options_.encrypt_to.push_back(PrivateKey::generate()->public_key());
  EXPECT_TRUE(create_bundle(image_of(program()), options_));
  options_.encrypt_to.push_back(reader_.public_key());
  EXPECT_THAT(create_bundle(image_of(program()), options_).error().message, HasSubstr("at most 4"));
}

}  // namespace
}  // namespace mv::bundle
