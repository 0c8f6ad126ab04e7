// Carries a plan out on one board: erases, writes, reads back, and always knows how far it is.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "usb/dfuse.h"
#include "usb/flash_plan.h"
#include "usb/option_bytes.h"

namespace mv::usb {

// How far the work is; after a failure, how far it was.
struct FlashProgress {
  enum class Stage : std::uint8_t { kErase, kWrite, kVerify };

  Stage stage = Stage::kErase;
  std::string what;                   // the region
  std::uint64_t done = 0, total = 0;  // of the stage: pages when erasing, else bytes
  std::uint64_t written = 0;          // bytes in all
};

class Flasher {
 public:
  // False ends the work between two blocks.
  using OnProgress = std::function<bool(const FlashProgress&)>;

  // `flash` is the board's "Internal Flash". Both outlive the flasher.
  Flasher(DfuSe& flash, OnProgress on_progress) : flash_(flash), on_progress_(std::move(on_progress)) {}

  // Erases every page that the regions touch, writes them, reads them back. Errors: those of DfuSe, and kMismatch.
  Expected<void> write(const std::vector<Region>& regions);

  // Compares only. Errors: those of DfuSe, and kMismatch with the first address that differs.
  Expected<void> verify(const std::vector<Region>& regions);

  const FlashProgress& progress() const { return progress_; }

 private:
  Expected<void> erase(const std::vector<Region>& regions);
  void enter(FlashProgress::Stage stage, std::uint64_t total);

  DfuSe& flash_;
  OnProgress on_progress_;
  FlashProgress progress_;
};

// The option bytes of a board. Errors: those of DfuSe, kNotFound (its boot loader presents none).
Expected<OptionBytes> read_option_bytes(Device& device, const Board& board, const Wait& wait);

// Writes them; the board resets itself, so this is the last thing done with `device`.
Expected<void> write_option_bytes(Device& device, const Board& board, const OptionBytes& options, const Wait& wait);

}  // namespace mv::usb
