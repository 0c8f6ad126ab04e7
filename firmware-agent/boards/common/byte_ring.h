// Bytes on their way between an interrupt handler and the Secure thread.
#pragma once

#include <array>
#include <cstdint>

namespace mv::board {

// One producer, one consumer, of which one is the interrupt.
template <std::uint32_t kSize>
class ByteRing {
 public:
  static_assert((kSize & (kSize - 1)) == 0, "a power of two");

  bool push(std::uint8_t byte) {
    if (head_ - tail_ == kSize) return false;
    bytes_[head_ % kSize] = byte;
    head_ = head_ + 1;
    return true;
  }

  bool pop(std::uint8_t& byte) {
    if (head_ == tail_) return false;
    byte = bytes_[tail_ % kSize];
    tail_ = tail_ + 1;
    return true;
  }

 private:
  std::array<std::uint8_t, kSize> bytes_{};
  volatile std::uint32_t head_ = 0, tail_ = 0;
};

}  // namespace mv::board
