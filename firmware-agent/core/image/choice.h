// What the boot ROM starts: the slot on trial while it has starts left, else the confirmed one, else any with a good
// image. Each start on trial is recorded before it begins, by the boot ROM, so that an image that faults at its first
// instruction uses up its starts as well (docs/decisions/0010-two-microvisor-slots.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/image/boot_records.h"
#include "core/image/image.h"

namespace mv::image {

struct Start {
  Slot slot;
  bool on_trial;
  Header header;
};

// Told what is chosen and what is not, for a person at the console.
class ChoiceLog {
 public:
  virtual void passed_over(Slot slot, std::string_view why) = 0;

 protected:
  ~ChoiceLog() = default;
};

// Which image is to be started; none if no slot holds one that may be. `records` is mounted.
std::optional<Start> choose(Flash& flash, BootRecords& records, const Target& target, Crypto& crypto, ChoiceLog& log);

// What the boot ROM tells the image it starts, in RAM at a place that the board fixes.
struct Handover {
  std::uint32_t magic;
  std::uint32_t slot;
  std::uint32_t on_trial;
  std::uint32_t version;  // of the header
  std::uint32_t check;    // CRC-32 of the above
};

Handover make_handover(const Start& start);

struct Started {
  Slot slot = Slot::kA;
  bool on_trial = false;
  std::uint32_t version = 0;  // 0: not known
};

// As if slot A was started, not on trial, if there is no handover: a debugger loaded the image.
Started read_handover(const Handover& handover);

}  // namespace mv::image
