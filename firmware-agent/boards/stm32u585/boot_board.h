// What the boot stage asks of this board: images lie in the external NOR, and run from a place in bank 2 that is
// rewritten when another one is to start (docs/decisions/0018-microvisor-runs-from-one-place.md).
#pragma once

#include "boards/stm32u585/board_flash.h"
#include "boards/stm32u585/memory.h"
#include "core/image/choice.h"

namespace mv::boot {

class Board {
 public:
  static constexpr image::Target kTarget = {MV_BOARD_NAME, board::kMicrovisor, board::kImageRoom};
  static constexpr std::uint32_t kHandover = board::kHandover;
  static constexpr const char* kNothingToStart =
      "boot: no microvisor can start: write microvisor.bin at 0x0C10FF80 of the flash, with mvctl usb flash";

  // Clocks, console, option bytes, NOR. Does not come back if the option bytes are wrong.
  Board();

  Flash& flash() { return flash_; }

  // What a factory wrote to where images run becomes slot A, if neither slot has an image yet.
  void prepare(image::BootRecords& records, image::Crypto& crypto);

  // Puts the chosen image, whose hash was good, to where it runs, unless it is there. False if flash fails. Power that
  // fails meanwhile does no harm: the next boot does it again.
  bool place(const image::Start& start, image::Crypto& crypto);

  // What runs, if its slots cannot be read: the external flash does not answer, say.
  std::optional<image::Start> last_resort(const image::BootRecords& records, image::Crypto& crypto);

  void start_watchdog();

  // In NMI. False if it is not one that is expected.
  static bool handle_nmi() { return board::InternalFlash::note_ecc_error(); }

 private:
  bool runs_already(const image::Header& header, image::Crypto& crypto);
  bool copy(Flash& from, std::uint32_t from_offset, Flash& to, std::uint32_t to_offset, std::uint32_t size);

  board::BoardFlash flash_;
};

}  // namespace mv::boot
