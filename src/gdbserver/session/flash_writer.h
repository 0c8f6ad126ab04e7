// Collects what a client erases and writes (vFlashErase, vFlashWrite) until it says that this is all (vFlashDone).
//
// Nothing reaches the device from here: flash is changed as a whole or not at all.
// Source: GDB manual, "Packets", vFlashErase and the following.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "gdbserver/target/target.h"

namespace mv::gdb {

class FlashWriter {
 public:
  // `regions` are the device's memory: what may be written is its flash, and memory use is bounded by that.
  explicit FlashWriter(const std::vector<Region>& regions) : regions_(regions) {}

  // An erase after a write begins anew: the client gave up what it had written before.
  //
  // Errors: kBadAddress (not flash of the application), with a sentence.
  Result<void> erase(std::uint32_t address, std::uint32_t length);

  // Errors: kBadAddress (not erased before, or written already).
  Result<void> write(std::uint32_t address, Bytes bytes);

  // All that was written; the writer is empty again.
  //
  // Errors: kBadRequest (nothing was written).
  Result<FlashContent> take();

 private:
  bool is_flash(std::uint32_t address, std::uint32_t length) const;
  bool is_erased(std::uint64_t start, std::uint64_t end) const;

  const std::vector<Region> regions_;
  std::map<std::uint64_t, std::uint64_t> erased_;  // start to end, none touching another
  std::map<std::uint64_t, Bytes> written_;         // none touching another
};

}  // namespace mv::gdb
