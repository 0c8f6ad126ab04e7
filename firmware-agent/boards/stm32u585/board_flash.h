// The device's flash as core/platform/flash_map.h lays it out, on what this board has: what must stay on the chip
// (keys, journals, records) in bank 2, the application in bank 1, what is large in the external NOR.
//
// In bank 2 nothing is written while an update is fetched but a few quad-words of the journal: code that runs from the
// bank that is being written stands still meanwhile (docs/board-stm32u585.md).
#pragma once

#include <cstdint>
#include <span>

#include "boards/stm32u585/internal_flash.h"
#include "boards/stm32u585/nor.h"
#include "core/platform/flash_map.h"
#include "core/platform/ports.h"
#include "core/storage/checked_nor.h"

namespace mv::board {

class BoardFlash final : public Flash {
 public:
  // False: the NOR does not answer; what lies in it cannot be used.
  bool set_up() { return nor_.set_up(); }

  std::uint32_t size() const override { return flash_map::kFlashSize; }
  Result read(std::uint32_t offset, std::span<std::uint8_t> out) override;
  Result erase_page(std::uint32_t offset) override;
  Result program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) override;

  InternalFlash& internal() { return internal_; }
  Nor& nor() { return nor_; }

 private:
  InternalFlash internal_;
  Nor nor_;
  storage::CheckedNor checked_{nor_, 0};
};

}  // namespace mv::board
