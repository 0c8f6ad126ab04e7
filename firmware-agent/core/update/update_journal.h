// What an update has come to, kept over power cuts. One quad-word holds all of it, so every step of an update is one
// write that happens or does not; the switch to a new application is the step to `kIdle` with another running slot.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/platform/flash_map.h"
#include "core/storage/record_store.h"
#include "core/update/manifest.h"

namespace mv::update {

enum class Phase : std::uint8_t {
  kIdle = 0,
  kFetching = 1,    // the manifest is in the target slot; `layers` says which layers are staged
  kStaged = 2,      // all of them
  kInstalling = 3,  // the application's area is being written
};

struct UpdateState {
  static constexpr std::uint8_t kNone = 0xF;

  Phase phase = Phase::kIdle;
  std::uint8_t running = kNone;  // manifest slot of what is installed; kNone: nothing whole is
  std::uint8_t target = kNone;   // manifest slot of what is to come
  std::uint16_t layers = 0;      // bit n: layer n is staged, or installed already

  bool operator==(const UpdateState&) const = default;
};

class UpdateJournal {
 public:
  using Sizes = std::array<std::uint32_t, kMaxLayers>;

  explicit UpdateJournal(Flash& flash) : records_(flash, flash_map::kUpdateJournal) {}

  UpdateState mount();
  bool write(const UpdateState& state);

  // Content sizes of layers whose manifest does not give them. Written before the layer is marked.
  bool write_sizes(const Sizes& sizes);
  Sizes sizes();

  // How much of the layer in flight lies in the staging area, in whole pages. A hint that saves a download: the layer's
  // hash decides whether it is true.
  struct Progress {
    std::uint8_t layer = 0;
    std::uint32_t bytes = 0;  // a multiple of a page

    bool operator==(const Progress&) const = default;
  };
  bool write_progress(const Progress& progress);  // nothing is written if it stands there already
  Progress progress() const;

 private:
  storage::RecordStore records_;
};

}  // namespace mv::update
