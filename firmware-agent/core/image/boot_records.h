// Which of the two slots the boot ROM starts: a record in flash that the microvisor writes when it orders, confirms or
// ends a trial, and the boot ROM before each start on trial.
//
// One record holds all of it, so that each step is one write that happens or does not, whenever the power fails.
#pragma once

#include <cstdint>

#include "core/platform/flash_map.h"
#include "core/storage/record_store.h"

namespace mv::image {

enum class Slot : std::uint8_t { kA = 0, kB = 1, kNone = 0xF };

constexpr flash_map::Area place_of(Slot slot) {
  return slot == Slot::kB ? flash_map::kMicrovisorB : flash_map::kMicrovisor;
}
constexpr Slot other(Slot slot) { return slot == Slot::kA ? Slot::kB : Slot::kA; }
constexpr const char* name_of(Slot slot) { return slot == Slot::kA ? "A" : slot == Slot::kB ? "B" : "none"; }

// How often an image on trial is started before it is given up. Power cuts count too: nothing tells them from crashes.
inline constexpr std::uint8_t kTrialStarts = 3;

struct BootState {
  Slot confirmed = Slot::kA;          // a factory writes slot A and no record
  Slot trial = Slot::kNone;           // to be tried instead of the confirmed one
  std::uint8_t trial_starts = 0;      // of `trial` that have begun
  std::uint32_t minimum_version = 0;  // nothing older is started; rises when an image is confirmed

  bool operator==(const BootState&) const = default;
};

class BootRecords {
 public:
  // Kinds of records from here on are free for the microvisor's own notes on its update.
  static constexpr std::uint8_t kFirstFreeKind = 1;
  static constexpr std::uint8_t kKinds = 4;

  explicit BootRecords(Flash& flash) : records_(flash, flash_map::kBootChoice) {}

  // Once, before anything else. What is damaged is as if never written.
  void mount();

  const BootState& state() const { return state_; }

  // False: nothing has changed. Nothing is written if it stands there already.
  bool write(const BootState& state);

  storage::RecordStore& records() { return records_; }

 private:
  storage::RecordsOf<kKinds> records_;
  BootState state_;
};

}  // namespace mv::image
