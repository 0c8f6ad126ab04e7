#include "core/image/boot_records.h"

#include <array>
#include <optional>

#include "core/storage/little_endian.h"

namespace mv::image {
namespace {

constexpr std::uint8_t kState = 0;  // kind of record

// Confirmed slot, slot on trial, its starts, 0; lowest version.
using Bytes = std::array<std::uint8_t, 8>;

Bytes encode(const BootState& state) {
  Bytes bytes = {static_cast<std::uint8_t>(state.confirmed), static_cast<std::uint8_t>(state.trial), state.trial_starts,
                 0};
  storage::store_u32(std::span(bytes).last<4>(), state.minimum_version);
  return bytes;
}

bool is_slot(std::uint8_t byte) { return byte <= static_cast<std::uint8_t>(Slot::kB); }

BootState decode(const Bytes& bytes) {
  BootState state;
  if (is_slot(bytes[0])) state.confirmed = static_cast<Slot>(bytes[0]);
  if (is_slot(bytes[1])) state.trial = static_cast<Slot>(bytes[1]);
  state.trial_starts = bytes[2];
  state.minimum_version = storage::load_u32(std::span(bytes).last<4>());
  return state;
}

}  // namespace

void BootRecords::mount() {
  records_.mount();
  Bytes bytes{};
  state_ = records_.read(kState, bytes) == bytes.size() ? decode(bytes) : BootState{};
}

bool BootRecords::write(const BootState& state) {
  if (state == state_) return true;
  if (!records_.put(kState, 0, encode(state))) return false;
  state_ = state;
  return true;
}

}  // namespace mv::image
