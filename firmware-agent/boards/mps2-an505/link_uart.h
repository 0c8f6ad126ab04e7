// UART0, the wire to the modem: interrupt-driven both ways through ring buffers.
#pragma once

#include <array>
#include <cstdint>

#include "core/platform/ports.h"

namespace mv::board {

// One producer, one consumer, of which one is the interrupt.
template <std::uint32_t kSize>
class Ring {
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

class LinkUart final : public LinkPort {
 public:
  void set_up();
  std::size_t read(std::span<std::uint8_t> out) override;
  std::size_t write(std::span<const std::uint8_t> bytes) override;

  // The interrupts. `received` wakes the Secure thread.
  void received();
  void transmitted();

  std::uint32_t dropped() const { return dropped_; }  // bytes that found the receive ring full

 private:
  void fill_transmitter();

  Ring<4096> in_;  // two segments of the modem, and then some
  Ring<2048> out_;
  volatile std::uint32_t dropped_ = 0;
};

}  // namespace mv::board
