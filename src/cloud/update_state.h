// Where an update is: what the device reported against what was ordered.
//
// Nothing is ever assumed of a device: what it did not report did not happen.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cloud/store/store.h"

namespace mv::cloud {

enum class UpdateState {
  kUpToDate,  // it runs what was ordered, confirmed; or nothing was ordered
  kPending,   // it has said nothing yet of the last order
  kDownloading,
  kStaged,   // all there and verified
  kWaiting,  // staged, and the application may take its time
  kInstalling,
  kTrial,       // it runs, and must prove itself
  kUndoing,     // the bundle before is being put back
  kRolledBack,  // it ran on trial and was undone; tried again with the next order only
  kRefused,     // the device will not run it; tried again with the next order only
};

// `target_hash`: manifest of the app that is ordered; empty: none.
UpdateState update_state(const Desired& desired, const std::string& target_hash, const Report& report);

// "up-to-date", "pending", "downloading", ...
std::string_view name(UpdateState state);

// One sentence for the device's history.
std::string describe(UpdateState state, const Report& report);

// The device gave a reason: it refuses, or undid, or is about to.
bool has_reason(UpdateState state);

// Seconds until the device goes on by itself, as far as they have passed since it said so; nothing if it does not wait.
std::optional<std::uint32_t> wait_left(const Report& report, Microseconds now);

}  // namespace mv::cloud
