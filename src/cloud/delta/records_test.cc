#include "cloud/delta/records.h"

#include <gtest/gtest.h>

namespace mv::cloud {
namespace {

DeltaRecords a_set() {
  return DeltaRecords::make(
      {{40'000, true, false, {{1, 2, 3}, {4}}}, {10, true, true, {{5, 6}}}, {7, false, false, {}}});
}

TEST(DeltaRecords, AreReadAsTheyWereMade) {
  const auto made = a_set();
  const auto read = DeltaRecords::parse(std::string(made.bytes()));
  ASSERT_TRUE(read) << read.error();
  ASSERT_EQ(read->layers().size(), 3u);
  EXPECT_EQ(read->layers()[0].content_size, 40'000u);
  EXPECT_EQ(read->layers()[0].records, (std::vector<std::string_view>{"\1\2\3", "\4"}));
  EXPECT_FALSE(read->layers()[0].installed);
  EXPECT_TRUE(read->layers()[1].installed);
  EXPECT_EQ(read->layers()[1].records, (std::vector<std::string_view>{"\5\6"}));
  EXPECT_FALSE(read->layers()[2].served);
}

TEST(DeltaRecords, StayValidWhenTheyAreMoved) {
  auto first = a_set();
  const DeltaRecords second = std::move(first);
  EXPECT_EQ(second.layers()[0].records[0], "\1\2\3");
}

TEST(DeltaRecords, WhatIsInstalledIsNotReceivedAndWhatIsNotServedComesWhole) {
  EXPECT_EQ(a_set().bytes_to_receive(), 4u + 0 + 7);
}

TEST(DeltaRecords, WhatIsSealedAndWhatIsKeptOfItIsRead) {
  const auto made = DeltaRecords::make({{40'000, true, false, {{1, 2, 3}, {4, 5}}, true, {true}}});
  const auto read = DeltaRecords::parse(std::string(made.bytes()));
  ASSERT_TRUE(read) << read.error();
  EXPECT_TRUE(read->layers()[0].sealed);
  EXPECT_EQ(read->layers()[0].kept, (std::vector<bool>{true, false}));
  EXPECT_EQ(read->layers()[0].records[0].size(), 3u);
  EXPECT_EQ(read->bytes_to_receive(), 2u);
}

TEST(DeltaRecords, EveryCutAndEveryChangedByteIsNoticed) {
  const std::string good(a_set().bytes());
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(DeltaRecords::parse(good.substr(0, size))) << size;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(DeltaRecords::parse(bad)) << i;
  }
}

// Whoever can write the folder can make the hash right.
TEST(DeltaRecords, LengthsThatReachBeyondTheFileAreRefused) {
  const std::string good(a_set().bytes());
  const std::string body = good.substr(0, good.size() - 32);
  for (std::size_t i = 8; i < body.size(); ++i) {
    std::string bad = body;
    bad[i] = '\xff';
    const auto parsed = DeltaRecords::parse(bad + sha256(bad));
    if (!parsed) continue;
    for (const auto& layer : parsed->layers()) EXPECT_LE(layer.record_bytes(), bad.size());
  }
  EXPECT_FALSE(DeltaRecords::parse(body + "x" + sha256(body + "x")));
}

}  // namespace
}  // namespace mv::cloud
