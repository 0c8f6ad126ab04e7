#include "usb/flash_plan.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <set>

#include "bundle/hash.h"
#include "bundle/image.h"

namespace mv::usb {
namespace {

using Bytes = std::span<const std::uint8_t>;
using bundle::ErrorKind;
namespace chip = stm32u585;

// The header of a signed image; numbers are little-endian.
constexpr std::string_view kMagic = "MVIM";
constexpr std::uint32_t kHeaderVersion = 2;
constexpr std::size_t kLengthAt = 8, kLoadAt = 12, kVersionAt = 16, kBoardAt = 20, kBoardSize = 12, kHashAt = 32,
                      kHashSize = 32, kHeaderSize = 128;

tl::unexpected<PlanError> wrong(ErrorKind kind, std::string message, std::string hint = {}) {
  return tl::make_unexpected(PlanError{kind, std::move(message), std::move(hint)});
}

std::uint32_t word_at(Bytes bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | bytes[at + i];
  return value;
}

bool is_signed_image(Bytes file) {
  return file.size() >= kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), file.begin());
}

// An address of either alias as an offset from the start of flash; none if it is not of the flash.
std::optional<std::uint32_t> flash_offset(std::uint64_t address, std::uint64_t length) {
  for (const std::uint64_t start : {chip::kFlash, chip::kSecureFlash}) {
    const std::uint64_t offset = address - start;
    if (address >= start && offset < chip::kFlashSize && length <= chip::kFlashSize - offset) {
      return static_cast<std::uint32_t>(offset);
    }
  }
  return std::nullopt;
}

Planned<Region> region_at(std::string what, std::uint64_t address, std::vector<std::uint8_t> content) {
  const auto offset = flash_offset(address, content.size());
  if (!offset) {
    return wrong(ErrorKind::kOutsideArea,
                 what + " (" + std::to_string(content.size()) + " bytes at " +
                     secure_address_text(static_cast<std::uint32_t>(address)) +
                     ") is not inside the flash of stm32u585",
                 "its flash: 0x08000000 + 2 MiB, which is also 0x0C000000 + 2 MiB (Secure)");
  }
  // Before the first whole quad-word, and behind the last one, stands erased flash.
  const std::uint32_t before = *offset % chip::kQuadWord;
  content.insert(content.begin(), before, 0xFF);
  content.resize((content.size() + chip::kQuadWord - 1) / chip::kQuadWord * chip::kQuadWord, 0xFF);
  return Region{std::move(what), chip::kFlash + *offset - before, std::move(content)};
}

bool in_ram(std::uint32_t address) {
  return (address >= chip::kRam && address <= chip::kRam + chip::kRamSize) ||
         (address >= chip::kSecureRam && address <= chip::kSecureRam + chip::kRamSize);
}

// Stack pointer and reset handler, as every image for a Cortex-M begins (DDI 0553B, B3.29).
bool begins_with_vectors(Bytes file, std::uint32_t address) {
  if (file.size() < 8) return false;
  const std::uint32_t reset = word_at(file, 4);
  const auto target = flash_offset(reset & ~1U, 2);
  const auto start = flash_offset(address, file.size());
  return in_ram(word_at(file, 0)) && (reset & 1) != 0 && target && start && *target >= *start &&
         *target < *start + file.size();
}

Planned<Region> signed_region(const ImageArgument& image, const std::vector<std::uint8_t>& file) {
  const std::string name = image.file.filename().string();
  const auto header = check_signed_image(file);
  if (!header) {
    return wrong(header.error().kind, name + ": " + header.error().message, header.error().hint);
  }
  if (header->board != chip::kBoard) {
    return wrong(ErrorKind::kBadInput,
                 name + " is a microvisor for " + header->board + ", this is " + std::string(chip::kBoard),
                 "give the microvisor.bin of a firmware build for stm32u585");
  }
  // The header stands in front of what runs.
  const std::uint32_t address = image.address.value_or(header->load_address - std::uint32_t{kHeaderSize});
  if (!image.address && !flash_offset(address, file.size())) {
    return wrong(ErrorKind::kOutsideArea,
                 name + " runs at " + secure_address_text(header->load_address) +
                     ", which is not in flash: its header does not say where it is kept",
                 "say where: --image " + name + "@microvisor");
  }
  return region_at("microvisor " + header->version, address, file);
}

Planned<std::vector<Region>> linked_regions(const ImageArgument& image, const std::vector<std::uint8_t>& file) {
  const std::string name = image.file.filename().string();
  if (image.address) {
    return wrong(ErrorKind::kBadInput, name + " says itself where it goes: it takes no address",
                 "leave the @ADDRESS out");
  }
  const auto linked = bundle::read_image(file, 0);
  if (!linked) return wrong(linked.error().kind, name + ": " + linked.error().message, linked.error().hint);
  std::vector<Region> regions;
  for (const bundle::Section& section : linked->sections()) {
    auto region = region_at(name + " " + section.name, section.address, section.content);
    if (!region) return tl::make_unexpected(region.error());
    regions.push_back(*std::move(region));
  }
  return regions;
}

// A line of Intel HEX: ':' and two digits at least.
bool looks_like_hex(Bytes file) {
  return file.size() > 2 && file[0] == ':' && std::isxdigit(file[1]) != 0 && std::isxdigit(file[2]) != 0;
}

}  // namespace

ImageArgument parse_image_argument(const std::string& text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string::npos || at == 0) return {text, std::nullopt};
  const std::string behind = text.substr(at + 1);
  for (const chip::Place& place : chip::kPlaces) {
    if (behind == place.name) return {text.substr(0, at), place.address};
  }
  const bool hexadecimal = behind.starts_with("0x") || behind.starts_with("0X");
  const char* begin = behind.data() + (hexadecimal ? 2 : 0);
  const char* end = behind.data() + behind.size();
  std::uint32_t address = 0;
  const auto [stop, error] = std::from_chars(begin, end, address, hexadecimal ? 16 : 10);
  if (error != std::errc() || stop != end) return {text, std::nullopt};
  return {text.substr(0, at), address};
}

Planned<SignedImage> check_signed_image(Bytes file) {
  const std::string again = "build it again: the firmware build makes microvisor.bin";
  if (!is_signed_image(file) || file.size() < kHeaderSize) {
    return wrong(ErrorKind::kBadInput, "it is no signed image of a microvisor", again);
  }
  if (word_at(file, 4) != kHeaderVersion) {
    return wrong(ErrorKind::kBadInput,
                 "its header has version " + std::to_string(word_at(file, 4)) + ", known is version " +
                     std::to_string(kHeaderVersion),
                 "use an mvctl and a firmware of the same release");
  }
  const auto content = file.subspan(kHeaderSize);
  const auto hash = bundle::sha256(content);
  if (word_at(file, kLengthAt) != content.size() || !std::ranges::equal(hash.bytes, file.subspan(kHashAt, kHashSize))) {
    return wrong(ErrorKind::kBadInput, "it is damaged or cut off: its content is not what its header says", again);
  }
  const std::string field(reinterpret_cast<const char*>(file.data()) + kBoardAt, kBoardSize);
  const std::string board = field.substr(0, field.find('\0'));
  if (board.empty() || board.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) {
    return wrong(ErrorKind::kBadInput, "it names no board", again);
  }
  const std::uint32_t version = word_at(file, kVersionAt);
  return SignedImage{word_at(file, kLoadAt),
                     std::to_string(version >> 24) + "." + std::to_string(version >> 16 & 0xFF) + "." +
                         std::to_string(version & 0xFFFF),
                     board};
}

Planned<std::vector<Region>> load_image(const ImageArgument& image) {
  // An ELF carries much that does not go into flash.
  constexpr std::uint64_t kLargestFile = 64 * 1024 * 1024;
  const auto file = bundle::read_file(image.file, kLargestFile);
  if (!file) {
    PlanError error = file.error();
    // parse_image_argument() takes what it does not know as a part of the file's name.
    if (!image.address && image.file.native().find('@') != std::string::npos) {
      error.hint = "behind @ goes an address, as 0x0C100000, or a place: boot-stage, microvisor, identity";
    }
    return tl::make_unexpected(std::move(error));
  }
  if (bundle::is_elf(*file) || looks_like_hex(*file)) return linked_regions(image, *file);
  const std::string name = image.file.filename().string();
  Planned<Region> region;
  if (is_signed_image(*file)) {
    region = signed_region(image, *file);
  } else if (!image.address) {
    return wrong(ErrorKind::kBadInput,
                 name + " is neither a signed image nor ELF nor HEX: it does not say where it goes",
                 "say where: --image " + name + "@0x0C100000, or @boot-stage");
  } else if (!begins_with_vectors(*file, *image.address)) {
    return wrong(ErrorKind::kBadInput,
                 name + " does not begin with a vector table for " + secure_address_text(*image.address) +
                     " (stack pointer in RAM, reset handler within the image)",
                 "check file and address; what is no program is written with dfu-util");
  } else {
    region = region_at(name, *image.address, *file);
  }
  if (!region) return tl::make_unexpected(region.error());
  return std::vector<Region>{*std::move(region)};
}

Planned<Region> region_for(const chip::Place& place, const std::string& what, std::vector<std::uint8_t> content) {
  if (content.empty() || content.size() > place.size) {
    return wrong(ErrorKind::kTooBig, what + " has " + std::to_string(content.size()) +
                                         " bytes; its place has room for " + std::to_string(place.size));
  }
  return region_at(what, place.address, std::move(content));
}

Planned<std::vector<Region>> arrange(std::vector<Region> regions) {
  std::ranges::sort(regions, {}, &Region::address);
  for (std::size_t i = 1; i < regions.size(); ++i) {
    if (regions[i].address >= regions[i - 1].end()) continue;
    return wrong(
        ErrorKind::kOverlap,
        regions[i - 1].what + " reaches into " + regions[i].what + " at " + secure_address_text(regions[i].address),
        "check the addresses");
  }
  return regions;
}

std::vector<std::uint32_t> pages_of(const std::vector<Region>& regions) {
  std::set<std::uint32_t> pages;
  for (const Region& region : regions) {
    for (std::uint64_t page = region.address / chip::kPageSize; page * chip::kPageSize < region.end(); ++page) {
      pages.insert(static_cast<std::uint32_t>(page * chip::kPageSize));
    }
  }
  return {pages.begin(), pages.end()};
}

tl::expected<void, std::string> check_chip(const Board& board) {
  const DfuMemory* flash = find_memory(board, "Internal Flash");
  if (flash == nullptr) return tl::make_unexpected("its boot loader presents no internal flash");
  const SectorRun& run = flash->layout.runs().front();
  if (flash->layout.runs().size() != 1 || run.address != chip::kFlash || run.size() != chip::kFlashSize ||
      run.sector_size != chip::kPageSize) {
    return tl::make_unexpected("its flash has " + std::to_string(flash->layout.size() / 1024) + " KiB in sectors of " +
                               std::to_string(run.sector_size) + " bytes, an stm32u585 has 2048 KiB in pages of 8192");
  }
  const DfuMemory* options = find_memory(board, "Option Bytes");
  const bool fits = options != nullptr && options->layout.runs().front().address == chip::kOptionBytes &&
                    options->layout.size() == chip::kOptionBytesSize;
  if (!fits) return tl::make_unexpected("its option bytes are not where an stm32u585 has them (0x40022040, 64 bytes)");
  return {};
}

std::string secure_address_text(std::uint32_t address) {
  const auto offset = flash_offset(address, 0);
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "0x%08X", offset ? chip::kSecureFlash + *offset : address);
  return text.data();
}

}  // namespace mv::usb
