#include "cli/bundle_diff.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "bundle/test_support.h"

namespace mv::cli {
namespace {

using Content = std::vector<std::uint8_t>;

// An application of `size` bytes that do not compress.
Content application(std::size_t size) {
  Content content = bundle::application(0x44);
  std::mt19937 random(1);
  while (content.size() < size) content.push_back(static_cast<std::uint8_t>(random()));
  return content;
}

struct TestBundle {
  explicit TestBundle(Content content, bundle::CreateOptions options = bundle::create_options())
      : bytes(*bundle::create_bundle(bundle::image_of(std::move(content)), options)),
        opened(*bundle::Bundle::parse(bytes)) {}

  std::vector<std::uint8_t> bytes;
  bundle::Bundle opened;
};

BundleDiff diff(const Content& old, const Content& wanted) {
  return diff_bundles(TestBundle(old).opened, TestBundle(wanted).opened).value();
}

TEST(BundleDiff, OfABundleWithItselfSendsNothing) {
  const auto same = diff(application(100000), application(100000));

  EXPECT_EQ(same.content_bytes(), 100000u);
  EXPECT_EQ(same.sent_bytes(), 0u);
}

TEST(BundleDiff, SendsTheSegmentThatDiffersAndNotTheOtherLayer) {
  Content wanted = application(100000);
  wanted[40000] ^= 1;

  const auto one = diff(application(100000), wanted);

  ASSERT_EQ(one.layers.size(), 2u);
  ASSERT_EQ(one.layers[0].segments.size(), 2u);
  EXPECT_EQ(one.layers[0].segments[0].kind, "same");
  EXPECT_EQ(one.layers[0].segments[1].kind, "delta");
  EXPECT_TRUE(one.layers[1].segments.empty());
  EXPECT_LT(one.sent_bytes(), 40u);
}

TEST(BundleDiff, FindsWhatMovedIntoAnotherLayer) {
  const Content old = application(100000);
  Content wanted = old;
  wanted.insert(wanted.begin() + 0x44, 0x1000, 0x11);

  const auto moved = diff(old, wanted);

  EXPECT_EQ(moved.content_bytes(), 100000u + 0x1000u);
  EXPECT_LT(moved.sent_bytes(), 300u);
}

TEST(BundleDiff, RefusesBundlesOfDifferentBoards) {
  bundle::CreateOptions options = bundle::create_options();
  const TestBundle here(application(1000), options);
  options.info.board = "stm32u585";
  Content there = application(1000);
  there[3] = 0x20, there[2] = 0x08, there[7] = 0x08, there[6] = 0x00;  // stack and reset vector of that board
  const auto other = bundle::create_bundle(bundle::image_of(there, 0x0800'0000), options);
  ASSERT_TRUE(other.has_value()) << other.error().message;
  const auto opened = bundle::Bundle::parse(*other).value();

  const auto refused = diff_bundles(here.opened, opened);

  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "the bundles are for different boards: mps2-an505 and stm32u585");
}

TEST(BundleDiff, OfAnEncryptedBundleSegmentsThatChangedAreSentAsTheyAreSealed) {
  bundle::CreateOptions options = bundle::create_options();
  const Content content = application(100'000);
  const TestBundle old(content, options);
  Content changed = content;
  changed[40'000] ^= 1;
  options.encrypt_to = {bundle::PrivateKey::generate()->public_key()};
  const TestBundle sealed(changed, options), again(content, options);

  const auto one = diff_bundles(old.opened, sealed.opened);
  ASSERT_TRUE(one.has_value()) << one.error().message;
  ASSERT_EQ(one->layers[0].segments.size(), 2u);
  EXPECT_EQ(one->layers[0].segments[0].kind, "same");
  EXPECT_EQ(one->layers[0].segments[0].bytes, 0u);
  EXPECT_EQ(one->layers[0].segments[1].kind, "sealed");
  EXPECT_EQ(one->sent_bytes(), one->layers[0].segments[1].bytes);
  EXPECT_TRUE(one->layers[1].segments.empty());
  EXPECT_EQ(diff_bundles(sealed.opened, again.opened)->layers[0].segments[1].kind, "sealed");
  EXPECT_EQ(diff_bundles(again.opened, old.opened)->sent_bytes(), 0u);
}

TEST(BundleDiff, SaysWhatItSendsInJsonAndInATable) {
  Content wanted = application(50000);
  wanted[40000] ^= 1;
  const auto one = diff(application(50000), wanted);

  const auto document = diff_json(one);
  EXPECT_EQ(document["content_size"], 50000);
  EXPECT_EQ(document["bytes"], one.sent_bytes());
  EXPECT_EQ(document["layers"][0]["segments"][1]["kind"], "delta");

  std::ostringstream nowhere;
  const std::string text = diff_text(one, Output(Terminal{&nowhere, &nowhere}));
  EXPECT_NE(text.find("same"), std::string::npos);
  EXPECT_NE(text.find(std::to_string(one.sent_bytes()) + " bytes for 50000, 0.05 %"), std::string::npos) << text;
}

}  // namespace
}  // namespace mv::cli
