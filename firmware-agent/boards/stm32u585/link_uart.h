// USART3, the wire to the modem, with hardware flow control: DMA both ways, so that no byte needs the core. There is
// one.
//
// Received bytes go block by block to the free part of a ring. While it is full no block is running, the receiver's
// FIFO fills, and RTS holds the modem back: nothing is lost, however long the Secure thread is busy.
#pragma once

#include <cstdint>

#include "core/platform/ports.h"

namespace mv::board {

class LinkUart final : public LinkPort {
 public:
  void set_up();
  std::size_t read(std::span<std::uint8_t> out) override;
  std::size_t write(std::span<const std::uint8_t> bytes) override;

  // The interrupts of the UART (the line fell silent) and of its two DMA channels.
  void line_idle();
  void block_received();
  void block_sent();
};

}  // namespace mv::board
