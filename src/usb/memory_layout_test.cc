#include "usb/memory_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mv::usb {
namespace {

using testing::HasSubstr;

TEST(MemoryLayout, ReadsTheFlashOfAnStm32U585) {
  const auto layout = MemoryLayout::parse("@Internal Flash   /0x08000000/256*08Kg");

  ASSERT_TRUE(layout.has_value()) << layout.error();
  EXPECT_EQ(layout->name(), "Internal Flash");
  EXPECT_EQ(layout->size(), 2U * 1024 * 1024);
  ASSERT_EQ(layout->runs().size(), 1U);
  const SectorRun& run = layout->runs()[0];
  EXPECT_EQ(run.address, 0x0800'0000U);
  EXPECT_EQ(run.count, 256U);
  EXPECT_EQ(run.sector_size, 8192U);
  EXPECT_TRUE(run.readable && run.erasable && run.writable);
}

TEST(MemoryLayout, OptionBytesAreReadAndWrittenButNotErased) {
  const auto layout = MemoryLayout::parse("@Option Bytes   /0x40022040/01*64 e");

  ASSERT_TRUE(layout.has_value()) << layout.error();
  EXPECT_EQ(layout->size(), 64U);
  EXPECT_TRUE(layout->runs()[0].readable && layout->runs()[0].writable);
  EXPECT_FALSE(layout->runs()[0].erasable);
}

TEST(MemoryLayout, RunsOfDifferentSectorsFollowEachOther) {
  const auto layout = MemoryLayout::parse("@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg");

  ASSERT_TRUE(layout.has_value()) << layout.error();
  ASSERT_EQ(layout->runs().size(), 3U);
  EXPECT_EQ(layout->runs()[1].address, 0x0801'0000U);
  EXPECT_EQ(layout->runs()[2].address, 0x0802'0000U);
  EXPECT_EQ(layout->size(), 1024U * 1024);
}

TEST(MemoryLayout, SeveralAreasHaveTheirOwnAddresses) {
  const auto layout = MemoryLayout::parse("@Flash /0x08000000/1*16Kg/0x90000000/2*1Mg");

  ASSERT_TRUE(layout.has_value()) << layout.error();
  EXPECT_EQ(layout->runs()[1].address, 0x9000'0000U);
  EXPECT_EQ(layout->find(0x9000'0000, 2 << 20), &layout->runs()[1]);
  EXPECT_EQ(layout->find(0x9000'0001, 2 << 20), nullptr);
  EXPECT_EQ(layout->find(0x0800'4000, 1), nullptr);
}

TEST(MemoryLayout, TheLastByteOfTheAddressSpaceIsWithinAndTheNextIsNot) {
  EXPECT_TRUE(MemoryLayout::parse("@X /0xFFFFFC00/1*1Kg").has_value());
  EXPECT_FALSE(MemoryLayout::parse("@X /0xFFFFFC01/1*1Kg").has_value());
}

class HostileLayout : public testing::TestWithParam<const char*> {};

TEST_P(HostileLayout, IsRefusedWithThePlaceWhereItIsWrong) {
  const auto layout = MemoryLayout::parse(GetParam());

  ASSERT_FALSE(layout.has_value());
  EXPECT_THAT(layout.error(), HasSubstr("at character "));
}

INSTANTIATE_TEST_SUITE_P(Texts, HostileLayout,
                         testing::Values("", "@", "Internal Flash /0x0/1*1Kg", "@Internal Flash", "@X /",
                                         "@X /08/1*1Kg", "@X /0x/1*1Kg", "@X /0x0/", "@X /0x0/0*1Kg",
                                         "@X /0x0/65537*1Kg", "@X /0x0/1*0Kg", "@X /0x0/1*1", "@X /0x0/1*1K",
                                         "@X /0x0/1*1Kh", "@X /0x0/1*1Qg", "@X /0x0/1*1Kg,", "@X /0x0/1*1Kg;",
                                         "@X /0x0/-1*1Kg", "@X /0x0/1*99999999999Kg", "@X /0xFFFFFFFFF/1*1Kg",
                                         "@X /0x0/65536*4000Mg"));

}  // namespace
}  // namespace mv::usb
