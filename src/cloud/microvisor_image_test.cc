#include "cloud/microvisor_image.h"

#include <gtest/gtest.h>

namespace mv::cloud {
namespace {

void put_word(std::string& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

std::string make_file(const std::string& content = "a microvisor", std::uint32_t version = 0x01020003) {
  std::string file(128, '\0');
  file.replace(0, 4, "MVIM");
  put_word(file, 4, 2);
  put_word(file, 8, static_cast<std::uint32_t>(content.size()));
  put_word(file, 16, version);
  file.replace(20, 10, "mps2-an505");
  file.replace(32, 32, sha256(content));
  return file + content;
}

std::string refusal_of(const std::string& file) {
  const auto image = check_microvisor_image(file);
  return image ? "" : image.error();
}

TEST(MicrovisorImageTest, ReadsVersionAndBoard) {
  const auto image = check_microvisor_image(make_file());
  ASSERT_TRUE(image) << image.error();
  EXPECT_EQ(microvisor_version_text(image->version), "1.2.3");
  EXPECT_EQ(image->board, "mps2-an505");
}

TEST(MicrovisorImageTest, RefusesEveryPrefix) {
  const std::string file = make_file();
  for (std::size_t size = 0; size < file.size(); ++size) EXPECT_NE(refusal_of(file.substr(0, size)), "") << size;
}

TEST(MicrovisorImageTest, RefusesWhatTheHeaderDoesNotFit) {
  EXPECT_NE(refusal_of(make_file() + "x").find("damaged or cut off"), std::string::npos);
  std::string changed = make_file();
  changed.back() ^= 1;
  EXPECT_NE(refusal_of(changed).find("damaged or cut off"), std::string::npos);
  std::string old_header = make_file();
  put_word(old_header, 4, 1);
  EXPECT_NE(refusal_of(old_header).find("header of version 1"), std::string::npos);
  std::string nameless = make_file();
  nameless.replace(20, 10, std::string(10, '\0'));
  EXPECT_NE(refusal_of(nameless).find("names no board"), std::string::npos);
  std::string strange = make_file();
  strange[22] = '\n';
  EXPECT_NE(refusal_of(strange).find("names no board"), std::string::npos);
  EXPECT_NE(refusal_of(std::string(1000, 'x')).find("no microvisor image"), std::string::npos);
  EXPECT_NE(refusal_of(make_file(std::string(kMaxMicrovisorImage, 'x'))).find("devices have room"), std::string::npos);
}

}  // namespace
}  // namespace mv::cloud
