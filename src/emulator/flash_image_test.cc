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

  std::filesystem::path write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }

  std::string flash() {
    std::ifstream in(folder_ / "flash.bin", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("mv-flash-test-" + std::to_string(::getpid()));
  const std::vector<std::uint8_t> identity_{'w', 'h', 'o'};
};

TEST(Crc32, MatchesThePublishedCheckValue) {
  const std::string_view text = "123456789";
  EXPECT_EQ(crc32({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}), 0xCBF43926U);
}

TEST_F(FlashImageTest, IsErasedButForMicrovisorAndIdentity) {
  const auto made = make_flash(folder_ / "flash.bin", write("mv.bin", "MICRO"), identity_);
  ASSERT_TRUE(made.has_value()) << made.error();
  const std::string content = flash();
  ASSERT_EQ(content.size(), 16U << 20);
  EXPECT_EQ(content.substr(0x800000, 6), std::string("MICRO\xFF"));
  EXPECT_EQ(content.substr(0x900000, 4), std::string("\x03\0\0\0", 4));
  EXPECT_EQ(content.substr(0x900008, 4), std::string("who\xFF"));
  EXPECT_EQ(content.find_first_not_of('\xFF'), 0x800000U);
}

TEST_F(FlashImageTest, KeepsTheRestWhenTheMicrovisorIsReplaced) {
  ASSERT_TRUE(make_flash(folder_ / "flash.bin", write("mv.bin", "A LONG IMAGE"), identity_).has_value());
  ASSERT_TRUE(replace_microvisor(folder_ / "flash.bin", write("mv2.bin", "NEW")).has_value());
  EXPECT_EQ(flash().substr(0x800000, 5), std::string("NEW\xFF\xFF"));
  EXPECT_EQ(flash().substr(0x900008, 3), "who");
}

// The records say which slot starts; a mark left at 00 would make the new bytes look as the device's own.
TEST_F(FlashImageTest, AReplacedMicrovisorIsTheOneThatStarts) {
  ASSERT_TRUE(make_flash(folder_ / "flash.bin", write("mv.bin", "OLD"), identity_).has_value());
  {
    std::fstream file(folder_ / "flash.bin", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(0x908000).write("RECORD", 6);
    file.seekp(0xFC0000 + 0x908000 / 64).write("\0", 1);
    file.seekp(0xFC0000 + 0x800000 / 64).write("\x55", 1);
  }
  ASSERT_TRUE(replace_microvisor(folder_ / "flash.bin", write("mv2.bin", "NEW")).has_value());
  EXPECT_EQ(flash().substr(0x908000, 6), std::string(6, '\xFF'));
  EXPECT_EQ(flash().substr(0xFC0000).find_first_not_of('\xFF'), std::string::npos);
}

TEST_F(FlashImageTest, MarksTellImagesApart) {
  const auto one = microvisor_mark(write("mv.bin", "OLD"));
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(*microvisor_mark(write("mv1.bin", "OLD")), *one);
  EXPECT_NE(*microvisor_mark(write("mv2.bin", "NEW")), *one);
}

TEST_F(FlashImageTest, SaysWhatDoesNotFit) {
  const auto big = make_flash(folder_ / "flash.bin", write("mv.bin", "x"), std::vector<std::uint8_t>(8192));
  EXPECT_EQ(big.error(), "the identity has 8192 bytes, which does not fit its area of the flash");
  const auto missing = make_flash(folder_ / "flash.bin", folder_ / "none.bin", identity_);
  EXPECT_NE(missing.error().find("cannot read the microvisor's image"), std::string::npos);
  EXPECT_FALSE(make_flash(folder_ / "flash.bin", write("big.bin", std::string(0x80001, 'x')), identity_).has_value());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "flash.bin"));
}

}  // namespace
}  // namespace mv::emulator
