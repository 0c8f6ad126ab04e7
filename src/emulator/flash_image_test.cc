#include "emulator/flash_image.h"

#include <unistd.h>

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace mv::emulator {
namespace {

class FlashImageTest : public testing::Test {
 protected:
  FlashImageTest() { std::filesystem::create_directories(folder_); }
  ~FlashImageTest() override { std::filesystem::remove_all(folder_); }

  // The folder of a firmware whose microvisor is this.
  std::filesystem::path firmware(const std::string& microvisor) {
    std::ofstream(folder_ / "microvisor.bin", std::ios::binary) << microvisor;
    std::ofstream(folder_ / "boot-rom.bin", std::ios::binary) << "BOOT";
    return folder_;
  }

  std::string flash() {
    std::ifstream in(folder_ / "flash.bin", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("mv-flash-test-" + std::to_string(::getpid()));
  const FlashFiles files_{folder_ / "flash.bin", folder_ / "nor.bin"};
  const EmulatedBoard& board_ = *find_emulated_board("mps2-an505");
  const EmulatedBoard& stm32u585_ = *find_emulated_board("stm32u585");
  const std::vector<std::uint8_t> identity_{'w', 'h', 'o'};
};

TEST(Crc32, MatchesThePublishedCheckValue) {
  const std::string_view text = "123456789";
  EXPECT_EQ(crc32({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}), 0xCBF43926U);
}

TEST_F(FlashImageTest, IsErasedButForMicrovisorAndIdentity) {
  const auto made = make_flash(board_, files_, firmware("MICRO"), identity_);
  ASSERT_TRUE(made.has_value()) << made.error();
  const std::string content = flash();
  ASSERT_EQ(content.size(), 16U << 20);
  EXPECT_EQ(content.substr(0x800000, 6), std::string("MICRO\xFF"));
  EXPECT_EQ(content.substr(0x900000, 4), std::string("\x03\0\0\0", 4));
  EXPECT_EQ(content.substr(0x900008, 4), std::string("who\xFF"));
  EXPECT_EQ(content.find_first_not_of('\xFF'), 0x800000U);
}

TEST_F(FlashImageTest, KeepsTheRestWhenTheMicrovisorIsReplaced) {
  ASSERT_TRUE(make_flash(board_, files_, firmware("A LONG IMAGE"), identity_).has_value());
  ASSERT_TRUE(replace_microvisor(board_, files_, firmware("NEW")).has_value());
  EXPECT_EQ(flash().substr(0x800000, 5), std::string("NEW\xFF\xFF"));
  EXPECT_EQ(flash().substr(0x900008, 3), "who");
}

// The records say which slot starts; a mark left at 00 would make the new bytes look as the device's own.
TEST_F(FlashImageTest, AReplacedMicrovisorIsTheOneThatStarts) {
  ASSERT_TRUE(make_flash(board_, files_, firmware("OLD"), identity_).has_value());
  {
    std::fstream file(folder_ / "flash.bin", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(0x908000).write("RECORD", 6);
    file.seekp(0xFC0000 + 0x908000 / 64).write("\0", 1);
    file.seekp(0xFC0000 + 0x800000 / 64).write("\x55", 1);
  }
  ASSERT_TRUE(replace_microvisor(board_, files_, firmware("NEW")).has_value());
  EXPECT_EQ(flash().substr(0x908000, 6), std::string(6, '\xFF'));
  EXPECT_EQ(flash().substr(0xFC0000).find_first_not_of('\xFF'), std::string::npos);
}

TEST_F(FlashImageTest, AnStm32u585HasItsBootStageInFlashToo) {
  ASSERT_TRUE(make_flash(stm32u585_, files_, firmware("MICRO"), identity_).has_value());
  const std::string content = flash();
  ASSERT_EQ(content.size(), (2U << 20) + (128U << 10) + 8192);
  EXPECT_EQ(content.substr(0x100000, 5), std::string("BOOT\xFF"));
  EXPECT_EQ(content.substr(0x10FF80, 5), "MICRO");
  EXPECT_EQ(content.substr(0x1FC008, 3), "who");
  EXPECT_EQ(content.find_first_not_of('\xFF'), 0x100000U);
  EXPECT_EQ(std::filesystem::file_size(folder_ / "nor.bin"), 0U);
}

TEST_F(FlashImageTest, AReplacedMicrovisorOfAnStm32u585LeavesNoSlotToStartFrom) {
  ASSERT_TRUE(make_flash(stm32u585_, files_, firmware("OLD"), identity_).has_value());
  std::ofstream(folder_ / "nor.bin", std::ios::binary) << std::string(0x400000, 'x');
  ASSERT_TRUE(replace_microvisor(stm32u585_, files_, firmware("NEW")).has_value());
  EXPECT_EQ(flash().substr(0x10FF80, 4), std::string("NEW\xFF"));
  std::ifstream in(folder_ / "nor.bin", std::ios::binary);
  const std::string nor((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_EQ(nor.substr(0x210000 / 0x2000 * 0x3000, 0x3000), std::string(0x3000, '\0'));
  EXPECT_EQ(nor.substr(0x290000 / 0x2000 * 0x3000, 0x3000), std::string(0x3000, '\0'));
  EXPECT_EQ(nor[0], 'x');
}

TEST_F(FlashImageTest, ABareFlashHoldsOneProgramInPlaceOfTheBootStage) {
  std::ofstream(folder_ / "program.bin") << "PROGRAM";
  ASSERT_TRUE(make_bare_flash(stm32u585_, files_.flash, folder_ / "program.bin").has_value());
  const std::string content = flash();
  EXPECT_EQ(content.size(), stm32u585_.file_size);
  EXPECT_EQ(content.substr(0x100000, 8), std::string("PROGRAM\xFF"));
  EXPECT_EQ(content.find_first_not_of('\xFF'), 0x100000U);
  std::ofstream(folder_ / "program.bin") << std::string(0xe001, 'x');
  EXPECT_FALSE(make_bare_flash(stm32u585_, files_.flash, folder_ / "program.bin").has_value());
  EXPECT_FALSE(make_bare_flash(stm32u585_, files_.flash, folder_ / "nothing").has_value());
}

TEST_F(FlashImageTest, MarksTellImagesApart) {
  const auto one = microvisor_mark(board_, firmware("OLD"));
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(*microvisor_mark(board_, firmware("OLD")), *one);
  EXPECT_NE(*microvisor_mark(board_, firmware("NEW")), *one);
}

TEST_F(FlashImageTest, SaysWhatDoesNotFit) {
  const auto big = make_flash(board_, files_, firmware("x"), std::vector<std::uint8_t>(8192));
  EXPECT_EQ(big.error(), "the identity has 8192 bytes, which does not fit its area of the flash");
  const auto missing = make_flash(board_, files_, folder_ / "none", identity_);
  EXPECT_NE(missing.error().find("cannot read the image"), std::string::npos);
  EXPECT_FALSE(make_flash(board_, files_, firmware(std::string(0x80001, 'x')), identity_).has_value());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "flash.bin"));
}

}  // namespace
}  // namespace mv::emulator
