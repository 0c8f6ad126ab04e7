// Reads one varint of the delta format, byte by byte.
#pragma once

#include <cstdint>

#include "wire/delta_format.h"

namespace mv::update::delta {

class VarintReader {
 public:
  enum class State : std::uint8_t { kMore, kDone, kTooLong };

  // kDone: `value` is valid until the next `push`, which begins another varint.
  State push(std::uint8_t byte) {
    if (count_ == 0) value_ = 0;
    // The fifth byte holds the top four bits and is the last one.
    if (count_ == mv::delta::kMaxVarint - 1 && byte > 0x0F) return State::kTooLong;
    value_ |= static_cast<std::uint32_t>(byte & 0x7F) << (7 * count_);
    count_ = (byte & 0x80) != 0 ? static_cast<std::uint8_t>(count_ + 1) : std::uint8_t{0};
    return count_ == 0 ? State::kDone : State::kMore;
  }

  void reset() { count_ = 0; }
  std::uint32_t value() const { return value_; }

 private:
  std::uint32_t value_ = 0;
  std::uint8_t count_ = 0;  // bytes of the varint so far
};

}  // namespace mv::update::delta
