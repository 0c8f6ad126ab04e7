#include "cloud/delta/cache.h"

#include <gtest/gtest.h>

#include <fstream>

#include "cloud/temporary_folder.h"

namespace mv::cloud {
namespace {

namespace fs = std::filesystem;

DeltaPair pair(char from, char to) { return {std::string(32, from), std::string(32, to)}; }

DeltaRecords a_set(std::size_t record_size) {
  return DeltaRecords::make({{40'000, true, false, {std::vector<std::uint8_t>(record_size, 9)}}});
}

class DeltaCacheTest : public ::testing::Test {
 protected:
  DeltaCache open(std::uint64_t limit = 1'000'000) { return *DeltaCache::open(folder_.path() / "deltas", limit); }

  // Makes the file look as if it had been used so long ago.
  void age(std::chrono::seconds age) {
    for (const auto& file : fs::directory_iterator(folder_.path() / "deltas")) {
      fs::last_write_time(file, fs::last_write_time(file) - age);
    }
  }

  TemporaryFolder folder_;
};

TEST_F(DeltaCacheTest, KeepsSetsOverARestart) {
  ASSERT_TRUE(open().store(pair(1, 2), a_set(100)));
  const auto cache = open();
  const auto kept = cache.load(pair(1, 2));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->bytes(), a_set(100).bytes());
  EXPECT_FALSE(cache.load(pair(2, 1)));
  EXPECT_FALSE(cache.load({"", pair(1, 2).to}));
}

TEST_F(DeltaCacheTest, WhatWasUsedLeastRecentlyGoes) {
  const std::uint64_t each = a_set(1000).bytes().size();
  const auto cache = open(2 * each);
  ASSERT_TRUE(cache.store(pair(1, 2), a_set(1000)));
  age(std::chrono::seconds(10));
  ASSERT_TRUE(cache.store(pair(3, 4), a_set(1000)));
  age(std::chrono::seconds(10));
  ASSERT_TRUE(cache.load(pair(1, 2)));
  ASSERT_TRUE(cache.store(pair(5, 6), a_set(1000)));
  EXPECT_EQ(cache.size(), 2 * each);
  EXPECT_TRUE(cache.load(pair(1, 2)));
  EXPECT_FALSE(cache.load(pair(3, 4)));
  EXPECT_TRUE(cache.load(pair(5, 6)));
  EXPECT_LE(open(each).size(), each) << "a lower limit holds from the start";
}

TEST_F(DeltaCacheTest, ADamagedFileIsRemoved) {
  const auto cache = open();
  ASSERT_TRUE(cache.store(pair(1, 2), a_set(100)));
  const fs::path file = fs::directory_iterator(folder_.path() / "deltas")->path();
  fs::resize_file(file, fs::file_size(file) - 1);
  EXPECT_FALSE(cache.load(pair(1, 2)));
  EXPECT_EQ(cache.size(), 0u);
}

TEST_F(DeltaCacheTest, AnInterruptedWriteLeavesNothing) {
  open();
  std::ofstream(folder_.path() / "deltas" / ".new-0011") << "half";
  EXPECT_EQ(open().size(), 0u);
}

TEST_F(DeltaCacheTest, ForgetsAllOfOneBundle) {
  const auto cache = open();
  for (const auto& one : {pair(1, 2), pair(2, 3), pair(3, 4)}) ASSERT_TRUE(cache.store(one, a_set(10)));
  cache.forget(std::string(32, 2));
  EXPECT_FALSE(cache.load(pair(1, 2)));
  EXPECT_FALSE(cache.load(pair(2, 3)));
  EXPECT_TRUE(cache.load(pair(3, 4)));
}

}  // namespace
}  // namespace mv::cloud
