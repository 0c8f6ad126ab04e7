// Small applications and files for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "bundle/bundle.h"
#include "bundle/image.h"
#include "bundle/layers.h"

namespace mv::bundle {

inline std::vector<std::uint8_t> words(std::initializer_list<std::uint32_t> values) {
  std::vector<std::uint8_t> bytes;
  for (const std::uint32_t value : values) {
    for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
  return bytes;
}

// A vector table for mps2-an505 (stack at the end of RAM, reset at 0x00100040), and `size` bytes of content in all.
inline std::vector<std::uint8_t> application(std::size_t size = 0x100, std::uint8_t fill = 0x5A) {
  auto bytes = words({0x2828'0000, 0x0010'0041});
  bytes.resize(std::max<std::size_t>(size, 0x44), fill);
  return bytes;
}

inline Image image_of(std::vector<std::uint8_t> content, std::uint32_t address = 0x0010'0000) {
  return *Image::from_sections({{"section .text", address, std::move(content)}}, {1, 2, 3, 4});
}

inline CreateOptions create_options() {
  CreateOptions options;
  options.info.name = "blinky";
  options.info.version = "1.0.0";
  options.info.board = "mps2-an505";
  return options;
}

// A folder that is removed with its content.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "mv-bundle-XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return std::filesystem::path(path_) / name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline void write_file(const std::filesystem::path& path, Bytes content) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
}

// The error of an Expected that must have failed.
template <typename Value>
Error error_of(const Expected<Value>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? Error{} : result.error();
}

}  // namespace mv::bundle
