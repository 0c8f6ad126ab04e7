#include "gdbserver/session/flash_writer.h"

#include <gtest/gtest.h>

namespace mv::gdb {
namespace {

const std::vector<Region> kRegions = {{0x1000, 0x1000, MemoryKind::kFlash}, {0x20000000, 0x100, MemoryKind::kRam}};

TEST(FlashWriter, JoinsWhatTouchesInWhateverOrderItComes) {
  FlashWriter writer(kRegions);
  ASSERT_TRUE(writer.erase(0x1000, 0x100));
  ASSERT_TRUE(writer.erase(0x1100, 0x100));
  ASSERT_TRUE(writer.write(0x1000, {1, 2}));
  ASSERT_TRUE(writer.write(0x1004, {5}));
  ASSERT_TRUE(writer.write(0x1002, {3, 4}));
  ASSERT_TRUE(writer.write(0x10ff, {6, 7}));
  const auto content = writer.take();
  ASSERT_TRUE(content);
  ASSERT_EQ(content->size(), 2U);
  EXPECT_EQ((*content)[0].address, 0x1000U);
  EXPECT_EQ((*content)[0].bytes, (Bytes{1, 2, 3, 4, 5}));
  EXPECT_EQ((*content)[1].address, 0x10ffU);
  EXPECT_EQ((*content)[1].bytes, (Bytes{6, 7}));
}

TEST(FlashWriter, TakesFlashOnlyAndAllOfIt) {
  FlashWriter writer(kRegions);
  EXPECT_TRUE(writer.erase(0x1000, 0x1000));
  EXPECT_FALSE(writer.erase(0x1800, 0x1000));
  EXPECT_FALSE(writer.erase(0xfff, 2));
  EXPECT_FALSE(writer.erase(0x20000000, 0x100));
  EXPECT_FALSE(writer.erase(0x1000, 0));
  EXPECT_FALSE(writer.erase(0xffffffff, 0xffffffff));
}

TEST(FlashWriter, RefusesWhatWasNotErasedOrIsWrittenTwice) {
  FlashWriter writer(kRegions);
  EXPECT_FALSE(writer.write(0x1000, {1}));
  ASSERT_TRUE(writer.erase(0x1000, 0x10));
  EXPECT_FALSE(writer.write(0x100f, {1, 2}));
  ASSERT_TRUE(writer.write(0x1004, {1, 2, 3, 4}));
  EXPECT_FALSE(writer.write(0x1003, {1, 2}));
  EXPECT_FALSE(writer.write(0x1005, {1}));
  EXPECT_FALSE(writer.write(0x1007, {1}));
  EXPECT_FALSE(writer.write(0x1000, Bytes(0x10)));
  EXPECT_TRUE(writer.write(0x1008, {5}));
}

TEST(FlashWriter, AnEraseAfterAWriteBeginsAnew) {
  FlashWriter writer(kRegions);
  ASSERT_TRUE(writer.erase(0x1000, 0x10));
  ASSERT_TRUE(writer.write(0x1000, {1}));
  ASSERT_TRUE(writer.erase(0x1100, 0x10));
  EXPECT_FALSE(writer.write(0x1000, {1})) << "the first erase was given up with what was written";
  ASSERT_TRUE(writer.write(0x1100, {2}));
  const auto content = writer.take();
  ASSERT_TRUE(content);
  EXPECT_EQ(content->size(), 1U);
}

TEST(FlashWriter, SaysThatNothingWasWritten) {
  FlashWriter writer(kRegions);
  ASSERT_TRUE(writer.erase(0x1000, 0x10));
  EXPECT_FALSE(writer.take());
  ASSERT_TRUE(writer.erase(0x1000, 0x10));
  ASSERT_TRUE(writer.write(0x1000, {1}));
  EXPECT_TRUE(writer.take());
  EXPECT_FALSE(writer.take()) << "what was taken is not there again";
}

}  // namespace
}  // namespace mv::gdb
