// What is to be written where: files made into regions of an STM32U585's flash, checked before a board is touched.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "bundle/error.h"
#include "usb/board.h"
#include "usb/board_layout.h"

namespace mv::usb {

using PlanError = bundle::Error;
template <typename T>
using Planned = tl::expected<T, PlanError>;

// Bytes for flash, at an address as the boot loader sees it (0x08...). Whole quad-words, within the flash, not empty.
struct Region {
  std::string what;  // "microvisor 0.2.0"; "app.elf .text"
  std::uint32_t address = 0;
  std::vector<std::uint8_t> content;

  std::uint64_t end() const { return std::uint64_t{address} + content.size(); }
};

// "FILE", "FILE@0x0C100000" or "FILE@boot-stage". An '@' behind which stands neither a number nor a place belongs to
// the file's name.
struct ImageArgument {
  std::filesystem::path file;
  std::optional<std::uint32_t> address;  // as given: Secure or Non-secure alias
};
ImageArgument parse_image_argument(const std::string& text);

// A signed image of the microvisor as its header describes it (firmware-agent/core/image/image.h).
struct SignedImage {
  std::uint32_t load_address = 0;
  std::string version;
  std::string board;
};

// Errors: kBadInput (no such header, cut off, or damaged: the hash in it is not that of the content).
Planned<SignedImage> check_signed_image(std::span<const std::uint8_t> file);

// Reads the file and says where it goes:
//   a signed image of ours: where its header says that it runs, or to the address given; it must be for this board;
//   ELF and Intel HEX: to the addresses in it;
//   anything else: to the address given, and it must begin with a vector table that fits there.
//
// Errors: kUnreadable, kTooBig, kBadInput, kOutsideArea.
Planned<std::vector<Region>> load_image(const ImageArgument& image);

// A region for bytes that are made here (an identity record). Errors: kTooBig.
Planned<Region> region_for(const stm32u585::Place& place, const std::string& what, std::vector<std::uint8_t> content);

// In the order of their addresses. Errors: kOverlap (names both).
Planned<std::vector<Region>> arrange(std::vector<Region> regions);

// The addresses of all pages that the regions touch: each is erased as a whole.
std::vector<std::uint32_t> pages_of(const std::vector<Region>& regions);

// Whether the board is what the images are for, by the memories that its boot loader presents. The STM32U575 has the
// same ones and cannot be told apart. The error is a sentence.
tl::expected<void, std::string> check_chip(const Board& board);

// "0x0C100000": the Secure alias, as the build's maps and the manual of the microvisor have it.
std::string secure_address_text(std::uint32_t address);

}  // namespace mv::usb
