#include "boards/mps2-an505/file_external_flash.h"

#include <algorithm>
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "boards/host/fakes.h"

namespace mv::board {
namespace {

class FileExternalFlashTest : public ::testing::Test {
 protected:
  void wait() { clock_.now_us += FileExternalFlash::kEraseUs; }

  std::vector<std::uint8_t> cells_ = std::vector<std::uint8_t>(3 * ExternalFlash::kSector, 0x00);
  host::FakeClock clock_;
  FileExternalFlash flash_{cells_, clock_};
};

TEST_F(FileExternalFlashTest, ErasesASectorAndTakesItsTime) {
  ASSERT_TRUE(flash_.begin_erase(4096));
  EXPECT_TRUE(flash_.busy());
  clock_.now_us += FileExternalFlash::kEraseUs - 1;
  EXPECT_TRUE(flash_.busy());
  clock_.now_us += 1;
  EXPECT_FALSE(flash_.busy());
  EXPECT_EQ(std::count(cells_.begin(), cells_.end(), 0xff), 4096);
  EXPECT_EQ(cells_[4095], 0);
  EXPECT_EQ(cells_[4096], 0xff);
}

TEST_F(FileExternalFlashTest, ProgrammingOnlyClearsBits) {
  flash_.begin_erase(0);
  wait();
  ASSERT_TRUE(flash_.begin_program(5, std::array<std::uint8_t, 2>{0xf0, 0x0f}));
  wait();
  ASSERT_TRUE(flash_.begin_program(5, std::array<std::uint8_t, 1>{0x3f}));
  wait();
  std::array<std::uint8_t, 3> read{};
  ASSERT_TRUE(flash_.read(4, read));
  EXPECT_EQ(read, (std::array<std::uint8_t, 3>{0xff, 0x30, 0x0f}));
}

TEST_F(FileExternalFlashTest, RefusesWhatAChipCouldNotDo) {
  const std::vector<std::uint8_t> page(257);
  std::vector<std::uint8_t> out(2);
  EXPECT_FALSE(flash_.begin_program(0, page)) << "more than a page";
  EXPECT_FALSE(flash_.begin_program(255, std::span(page).first(2))) << "across pages";
  EXPECT_FALSE(flash_.begin_program(flash_.size(), std::span(page).first(1)));
  EXPECT_FALSE(flash_.begin_erase(100));
  EXPECT_FALSE(flash_.begin_erase(flash_.size()));
  EXPECT_FALSE(flash_.read(flash_.size() - 1, out));
  ASSERT_TRUE(flash_.begin_erase(0));
  EXPECT_FALSE(flash_.begin_erase(4096)) << "busy";
  EXPECT_FALSE(flash_.read(4096, out)) << "busy";
}

}  // namespace
}  // namespace mv::board
