// UART0, the wire to the modem: interrupt-driven both ways through ring buffers. There is one.
#pragma once

#include <cstdint>

#include "core/platform/ports.h"

namespace mv::board {

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

  volatile std::uint32_t dropped_ = 0;
};

}  // namespace mv::board
