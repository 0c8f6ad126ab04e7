#include "cloud/microvisor_image.h"

namespace mv::cloud {
namespace {

// The header of firmware-agent/core/image/image.h; numbers are little-endian.
constexpr std::string_view kMagic = "MVIM";
constexpr std::uint32_t kHeaderVersion = 2;
constexpr std::size_t kVersionAt = 16, kBoardAt = 20, kBoardSize = 12, kHashAt = 32, kHashSize = 32, kHeaderSize = 128;

std::uint32_t word(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

}  // namespace

Result<MicrovisorImage> check_microvisor_image(std::string_view file) {
  if (file.size() < kHeaderSize || !file.starts_with(kMagic)) {
    return fail("the file is no microvisor image: send microvisor.bin of a firmware build");
  }
  if (file.size() > kMaxMicrovisorImage) {
    return fail("the microvisor image has " + std::to_string(file.size()) + " bytes, devices have room for " +
                std::to_string(kMaxMicrovisorImage));
  }
  if (word(file, 4) != kHeaderVersion) {
    return fail("the microvisor image has a header of version " + std::to_string(word(file, 4)) +
                ", this cloud knows version " + std::to_string(kHeaderVersion) + ": build firmware and cloud alike");
  }
  if (word(file, 8) != file.size() - kHeaderSize ||
      sha256(file.substr(kHeaderSize)) != file.substr(kHashAt, kHashSize)) {
    return fail("the microvisor image is damaged or cut off: build it again");
  }
  const std::string_view field = file.substr(kBoardAt, kBoardSize);
  const std::string_view board = field.substr(0, field.find('\0'));
  if (!is_name(board) || field.find_first_not_of('\0', board.size()) != std::string_view::npos) {
    return fail("the microvisor image names no board: build it again");
  }
  return MicrovisorImage{word(file, kVersionAt), std::string(board)};
}

std::string microvisor_version_text(std::uint32_t version) {
  return std::to_string(version >> 24) + "." + std::to_string(version >> 16 & 0xFF) + "." +
         std::to_string(version & 0xFFFF);
}

}  // namespace mv::cloud
