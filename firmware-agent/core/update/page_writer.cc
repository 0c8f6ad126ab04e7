#include "core/update/page_writer.h"

#include <algorithm>

namespace mv::update {

using storage::kPage;
using storage::kQuadWord;

void PageWriter::begin(std::uint32_t offset) { position_ = offset; }

bool PageWriter::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    if (position_ % kPage == 0 && flash_.erase_page(position_) != Flash::Result::kOk) return false;
    const std::uint32_t filled = position_ % kQuadWord;
    const auto room = std::min<std::uint32_t>(kPage - position_ % kPage, static_cast<std::uint32_t>(bytes.size()));
    std::uint32_t taken = 0;
    if (filled == 0 && room >= kQuadWord) {
      taken = room / kQuadWord * kQuadWord;
      if (flash_.program(position_, bytes.first(taken)) != Flash::Result::kOk) return false;
      position_ += taken;
    } else {
      taken = std::min(room, kQuadWord - filled);
      std::copy_n(bytes.begin(), taken, buffer_.begin() + filled);
      position_ += taken;
      if (position_ % kQuadWord == 0 && !program_buffer()) return false;
    }
    bytes = bytes.subspan(taken);
  }
  return true;
}

bool PageWriter::finish() {
  const std::uint32_t filled = position_ % kQuadWord;
  if (filled == 0) return true;
  std::fill(buffer_.begin() + filled, buffer_.end(), std::uint8_t{0xFF});
  position_ += kQuadWord - filled;
  return program_buffer();
}

bool PageWriter::program_buffer() { return flash_.program(position_ - kQuadWord, buffer_) == Flash::Result::kOk; }

}  // namespace mv::update
