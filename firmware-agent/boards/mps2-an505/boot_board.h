// What the boot ROM asks of this board: images are copied from the flash file to SRAM.
#pragma once

#include "boards/common/console.h"
#include "boards/mps2-an505/file_flash.h"
#include "boards/mps2-an505/memory.h"
#include "boards/mps2-an505/watchdog.h"
#include "core/image/choice.h"

namespace mv::boot {

class Board {
 public:
  static constexpr image::Target kTarget = {MV_BOARD_NAME, board::kMicrovisor, board::kMicrovisorSize};
  static constexpr std::uint32_t kHandover = board::kHandover;
  static constexpr const char* kNothingToStart =
      "boot: no microvisor can start: write microvisor.bin at offset 0x800000 of the flash";

  Board() { board::console::set_up(); }

  Flash& flash() { return flash_; }

  // Before the choice.
  void prepare(image::BootRecords&, image::Crypto&) {}

  // Puts the chosen image, whose hash was good, to where it runs. False if the flash cannot be read any more.
  bool place(const image::Start& start, image::Crypto&) {
    const std::span to(reinterpret_cast<std::uint8_t*>(start.header.load_address), start.header.length);
    return flash_.read(image::place_of(start.slot).offset + sizeof(image::Header), to) == Flash::Result::kOk;
  }

  // When neither slot has an image that may start.
  std::optional<image::Start> last_resort(const image::BootRecords&, image::Crypto&) { return std::nullopt; }

  // In NMI. False if it is not one that is expected.
  static bool handle_nmi() { return false; }

  void start_watchdog() { board::start_watchdog(); }

 private:
  board::FileFlash flash_{{reinterpret_cast<std::uint8_t*>(board::kFlash), board::kFlashFile}};
};

}  // namespace mv::boot
