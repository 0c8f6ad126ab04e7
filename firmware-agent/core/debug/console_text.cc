#include "core/debug/console_text.h"

#include <algorithm>

namespace mv::debug {

void ConsoleText::begin() {
  piece_ = 0;
  fits_ = true;
}

void ConsoleText::put(char character) {
  if (piece_ == kLongestPiece) return;
  const std::size_t at = written_ + piece_;
  fits_ = fits_ && at - taken_ < kCapacity;
  if (!fits_) return;
  ring_[at % kCapacity] = character;
  ++piece_;
}

void ConsoleText::put(std::string_view text) {
  for (const char character : text) put(character);
}

void ConsoleText::put_hex(std::uint32_t word) {
  put("0x");
  for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[word >> shift & 0xFU]);
}

void ConsoleText::end() {
  if (fits_) {
    written_ = written_ + piece_;
  } else {
    ++dropped_;
  }
  begin();
}

std::span<const char> ConsoleText::front() const {
  const std::size_t at = taken_ % kCapacity;
  return std::span(ring_).subspan(at, std::min(written_ - taken_, kCapacity - at));
}

void ConsoleText::forget() {
  taken_ = written_.load();
  dropped_ = 0;
}

}  // namespace mv::debug
