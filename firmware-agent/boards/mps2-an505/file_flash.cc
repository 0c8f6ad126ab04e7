#include "boards/mps2-an505/file_flash.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace mv::board {
namespace {

constexpr std::uint32_t kQuad = Flash::kQuadWord;
constexpr std::uint32_t kQuadsAByte = 4;

}  // namespace

bool FileFlash::in_range(std::uint32_t offset, std::size_t size) const {
  return size <= cells_.size() && offset <= cells_.size() - size;
}

FileFlash::Mark FileFlash::mark(std::uint32_t quad) const {
  return static_cast<Mark>(map_[quad / kQuadsAByte] >> (quad % kQuadsAByte * 2) & 3);
}

// The order of marks and cells is what a kill at any moment is judged by, so it must not be changed by the compiler.
void FileFlash::set_mark(std::uint32_t quad, Mark mark) {
  const unsigned shift = quad % kQuadsAByte * 2;
  std::uint8_t& byte = map_[quad / kQuadsAByte];
  std::atomic_thread_fence(std::memory_order_seq_cst);
  byte = static_cast<std::uint8_t>((byte & ~(3U << shift)) | static_cast<unsigned>(mark) << shift);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

bool FileFlash::is_blank(std::uint32_t quad) const {
  const auto cells = cells_.subspan(quad * kQuad, kQuad);
  return mark(quad) == Mark::kErased &&
         std::all_of(cells.begin(), cells.end(), [](std::uint8_t b) { return b == 0xff; });
}

bool FileFlash::is_torn(std::uint32_t quad) const { return mark(quad) == Mark::kTorn; }

Flash::Result FileFlash::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  if (!in_range(offset, out.size())) return Result::kOutOfRange;
  if (out.empty()) return Result::kOk;
  const std::uint32_t last = (offset + static_cast<std::uint32_t>(out.size()) - 1) / kQuad;
  for (std::uint32_t quad = offset / kQuad; quad <= last; ++quad) {
    if (is_torn(quad)) return Result::kEccError;
  }
  std::memcpy(out.data(), &cells_[offset], out.size());
  return Result::kOk;
}

Flash::Result FileFlash::erase_page(std::uint32_t offset) {
  if (offset % kPage != 0 || !in_range(offset, kPage)) return Result::kOutOfRange;
  const std::uint32_t first = offset / kQuad / kQuadsAByte;
  const auto marks = map_.subspan(first, kPage / kQuad / kQuadsAByte);
  std::fill(marks.begin(), marks.end(), 0x55);  // every quad-word torn until all are erased
  std::atomic_thread_fence(std::memory_order_seq_cst);
  std::memset(&cells_[offset], 0xff, kPage);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  std::fill(marks.begin(), marks.end(), 0xff);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return Result::kOk;
}

Flash::Result FileFlash::program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) {
  if (offset % kQuad != 0 || quad_words.size() % kQuad != 0 || !in_range(offset, quad_words.size())) {
    return Result::kOutOfRange;
  }
  const std::uint32_t first = offset / kQuad;
  for (std::uint32_t at = 0; at < quad_words.size() / kQuad; ++at) {
    if (!is_blank(first + at)) return Result::kNotErased;
    set_mark(first + at, Mark::kTorn);
    std::memcpy(&cells_[(first + at) * kQuad], &quad_words[at * kQuad], kQuad);
    set_mark(first + at, Mark::kProgrammed);
  }
  return Result::kOk;
}

}  // namespace mv::board
