// The chip's own flash, 2 MiB in two banks (RM0456, section 7). Offsets count from the beginning of bank 1.
//
// Bank 1 is the application's and Non-secure: it is reached by Non-secure addresses and the Non-secure half of the
// controller, once the SAU gives them away. Bank 2 is ours. Code that runs in the bank being written waits as long as
// that takes, so the loop that writes runs in RAM (section .ramcode).
#pragma once

#include <cstdint>
#include <span>

#include "core/platform/ports.h"

namespace mv::board {

class InternalFlash final : public Flash {
 public:
  std::uint32_t size() const override;
  Result read(std::uint32_t offset, std::span<std::uint8_t> out) override;
  Result erase_page(std::uint32_t offset) override;
  Result program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) override;

  // For the NMI handler: two bits of a quad-word that `read` reads were wrong. False if that is not why NMI came.
  static bool note_ecc_error();
};

}  // namespace mv::board
