#include "boards/mps2-an505/file_flash.h"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace mv::board {
namespace {

using Result = Flash::Result;

constexpr std::size_t kFile = 0x1000000;
using Quad = std::array<std::uint8_t, Flash::kQuadWord>;

struct Rig {
  std::vector<std::uint8_t> file = std::vector<std::uint8_t>(kFile, 0xff);
  FileFlash flash{file};

  std::uint8_t& marks_of(std::uint32_t quad) { return file[kFile - FileFlash::kMapSize + quad / 4]; }
};

Quad filled(std::uint8_t byte) {
  Quad quad;
  quad.fill(byte);
  return quad;
}

TEST(FileFlash, ReadsBackWhatWasProgrammed) {
  Rig rig;
  EXPECT_EQ(rig.flash.program(0x2010, filled(0x5a)), Result::kOk);
  Quad read{};
  EXPECT_EQ(rig.flash.read(0x2010, read), Result::kOk);
  EXPECT_EQ(read, filled(0x5a));
}

TEST(FileFlash, RefusesASecondProgramEvenOfAllOnes) {
  Rig rig;
  EXPECT_EQ(rig.flash.program(0, filled(0xff)), Result::kOk);
  EXPECT_EQ(rig.flash.program(0, filled(0x12)), Result::kNotErased);
}

TEST(FileFlash, TakesDataThatAToolPutIntoTheFileAsProgrammed) {
  Rig rig;
  rig.file[0x40] = 0x12;
  EXPECT_EQ(rig.flash.program(0x40, filled(0)), Result::kNotErased);
}

TEST(FileFlash, EraseFreesExactlyOnePage) {
  Rig rig;
  EXPECT_EQ(rig.flash.program(0x2000, filled(1)), Result::kOk);
  EXPECT_EQ(rig.flash.program(0x4000, filled(2)), Result::kOk);
  EXPECT_EQ(rig.flash.erase_page(0x2000), Result::kOk);
  EXPECT_EQ(rig.flash.program(0x2000, filled(3)), Result::kOk);
  EXPECT_EQ(rig.flash.program(0x4000, filled(3)), Result::kNotErased);
}

TEST(FileFlash, ReportsAQuadWordThatWasTornByAKill) {
  Rig rig;
  rig.marks_of(0x100) = 0xfd;  // what the file holds if the kill came between mark and cells
  Quad read{};
  EXPECT_EQ(rig.flash.read(0x1000, read), Result::kEccError);
  EXPECT_EQ(rig.flash.read(0x1010, read), Result::kOk);
  EXPECT_EQ(rig.flash.program(0x1000, filled(1)), Result::kNotErased);
  EXPECT_EQ(rig.flash.erase_page(0), Result::kOk);
  EXPECT_EQ(rig.flash.read(0x1000, read), Result::kOk);
}

TEST(FileFlash, RefusesWhatIsNotAlignedOrNotInside) {
  Rig rig;
  Quad quad{};
  EXPECT_EQ(rig.flash.program(8, quad), Result::kOutOfRange);
  EXPECT_EQ(rig.flash.program(0, std::span(quad).first(8)), Result::kOutOfRange);
  EXPECT_EQ(rig.flash.erase_page(0x1000), Result::kOutOfRange);
  EXPECT_EQ(rig.flash.erase_page(rig.flash.size()), Result::kOutOfRange);
  EXPECT_EQ(rig.flash.read(rig.flash.size() - 8, quad), Result::kOutOfRange);
  EXPECT_EQ(rig.flash.read(0xfffffff8, quad), Result::kOutOfRange);
}

}  // namespace
}  // namespace mv::board
