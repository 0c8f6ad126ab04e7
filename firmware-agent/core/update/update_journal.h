// What an update has come to, kept over power cuts. One quad-word holds the state, so every step of an update is one
// write that happens or does not; the switch to a new application is the step out of `kInstalling`.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/platform/flash_map.h"
#include "core/storage/record_store.h"
#include "core/update/blocks.h"
#include "core/update/manifest.h"
#include "core/update/sealed_area.h"

namespace mv::update {

enum class Phase : std::uint8_t {
  kIdle = 0,
  kFetching = 1,    // the manifest is in the target slot, blocks of it are being staged
  kStaged = 2,      // all of them
  kInstalling = 3,  // the application's area is being written
  kTrial = 4,       // what runs is not confirmed; the target slot has the bundle before
  kUndoing = 5,     // the application's area is being written back to what `running` says; `target` is what was tried
};

struct UpdateState {
  static constexpr std::uint8_t kNone = 0xF;

  Phase phase = Phase::kIdle;
  std::uint8_t running = kNone;  // manifest slot of what is installed; kNone: nothing whole is
  std::uint8_t target = kNone;   // manifest slot of what is to come
  bool keeps = false;            // what an installation replaces is kept
  std::uint8_t starts = 0;       // of the microvisor, with this bundle on trial

  bool operator==(const UpdateState&) const = default;
};

// What the cloud ordered, as far as it must outlive a reboot.
struct Order {
  std::uint64_t generation = 0;
  bool force = false;

  bool operator==(const Order&) const = default;
};

// A bundle that is not to be tried again before there is a newer order.
struct Verdict {
  Hash bundle{};
  std::uint64_t generation = 0;
  Refusal refusal{};
};

class UpdateJournal {
 public:
  explicit UpdateJournal(Flash& flash) : records_(flash, flash_map::kUpdateJournal) {}

  UpdateState mount();
  bool write(const UpdateState& state);

  // Makes the key of a new update. What was sealed for the one before cannot be read any more.
  std::optional<UpdateKey> begin();
  std::optional<UpdateKey> key();

  // Content sizes of layers whose manifest does not give them, of the update that has begun; those of one before are
  // none.
  bool write_sizes(const ContentSizes& sizes);
  ContentSizes sizes();

  bool write_order(const Order& order);  // nothing is written if it stands there already
  Order order();

  bool write_verdict(const Verdict& verdict);
  bool clear_verdict();
  std::optional<Verdict> verdict();

  // The highest security counter of a bundle that was confirmed. It never falls.
  std::uint32_t security_counter() const;
  bool raise_security_counter(std::uint32_t counter);  // nothing is written if it is not higher

 private:
  storage::RecordsOf<6> records_;
};

}  // namespace mv::update
