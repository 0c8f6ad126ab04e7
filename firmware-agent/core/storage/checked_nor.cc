#include "core/storage/checked_nor.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/storage/crc32.h"

namespace mv::storage {
namespace {

constexpr std::uint32_t kBlank = 0xffffffff;
constexpr std::uint32_t kChecks = kPage;  // where the check words of a page begin, from its first sector
constexpr std::uint32_t kAtOnce = 16;     // quad-words that are looked at in one go: 256 bytes of stack

using Words = std::array<std::uint32_t, kAtOnce>;
using Data = std::array<std::uint8_t, kAtOnce * kQuadWord>;

// Never the word of one that was not programmed.
std::uint32_t check_of(std::span<const std::uint8_t> quad_word) {
  const std::uint32_t check = crc32(quad_word);
  return check == kBlank ? 0 : check;
}

bool is_blank(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0xff; });
}

std::span<std::uint8_t> bytes_of(Words& words, std::size_t count) {
  return {reinterpret_cast<std::uint8_t*>(words.data()), count * sizeof(std::uint32_t)};
}

// The quad-words from `offset` on that are looked at in one go: up to the end of `size` bytes, and of the page.
std::uint32_t quads_from(std::uint32_t offset, std::size_t size) {
  const std::uint32_t first = offset / kQuadWord;
  const auto last = static_cast<std::uint32_t>((offset + size + kQuadWord - 1) / kQuadWord);
  const std::uint32_t end_of_page = (offset / kPage + 1) * (kPage / kQuadWord);
  return std::min({last, end_of_page, first + kAtOnce}) - first;
}

std::uint32_t in_page(std::uint32_t offset) { return offset % kPage / kQuadWord; }

}  // namespace

Flash::Result CheckedNor::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  Data data;
  Words checks;
  while (!out.empty()) {
    const std::uint32_t count = quads_from(offset, out.size()), quad = in_page(offset);
    const std::span<std::uint8_t> read(data.data(), count * kQuadWord);
    if (!device_.read(page_at(offset) + quad * kQuadWord, read) ||
        !device_.read(page_at(offset) + kChecks + quad * 4, bytes_of(checks, count))) {
      return Flash::Result::kFailed;
    }
    for (std::uint32_t at = 0; at < count; ++at) {
      const auto quad_word = read.subspan(at * kQuadWord, kQuadWord);
      const bool good = checks[at] == kBlank ? is_blank(quad_word) : checks[at] == check_of(quad_word);
      if (!good) return Flash::Result::kEccError;
    }
    const std::size_t skip = offset % kQuadWord, wanted = std::min(out.size(), read.size() - skip);
    std::memcpy(out.data(), &read[skip], wanted);
    out = out.subspan(wanted);
    offset += static_cast<std::uint32_t>(wanted);
  }
  return Flash::Result::kOk;
}

// The check words go last: until then what is left of the page reads as torn, or as it was.
Flash::Result CheckedNor::erase_page(std::uint32_t offset) {
  if (offset % kPage != 0) return Flash::Result::kOutOfRange;
  for (std::uint32_t sector = 0; sector < 3; ++sector) {
    if (!device_.erase_sector(page_at(offset) + sector * NorDevice::kSector)) return Flash::Result::kFailed;
  }
  return Flash::Result::kOk;
}

Flash::Result CheckedNor::program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) {
  if (offset % kQuadWord != 0 || quad_words.size() % kQuadWord != 0) return Flash::Result::kOutOfRange;
  Data data;
  Words checks;
  while (!quad_words.empty()) {
    const std::uint32_t count = quads_from(offset, quad_words.size()), quad = in_page(offset);
    const std::uint32_t size = count * kQuadWord, at_data = page_at(offset) + quad * kQuadWord;
    const std::uint32_t at_checks = page_at(offset) + kChecks + quad * 4;
    if (!device_.read(at_data, {data.data(), size}) || !device_.read(at_checks, bytes_of(checks, count))) {
      return Flash::Result::kFailed;
    }
    if (!is_blank({data.data(), size}) || !is_blank(bytes_of(checks, count))) return Flash::Result::kNotErased;
    for (std::uint32_t at = 0; at < count; ++at) checks[at] = check_of(quad_words.subspan(at * kQuadWord, kQuadWord));
    if (!device_.program(at_data, quad_words.first(size)) || !device_.program(at_checks, bytes_of(checks, count))) {
      return Flash::Result::kFailed;
    }
    quad_words = quad_words.subspan(size);
    offset += size;
  }
  return Flash::Result::kOk;
}

}  // namespace mv::storage
