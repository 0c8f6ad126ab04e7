// Crashes of the application, kept in flash until the cloud has them: the newest kKept, each a whole CrashReport. In
// two stores, because a page of a store takes all that it keeps.
#pragma once

#include <array>
#include <cstdint>

#include "core/link/peers.h"
#include "core/platform/flash_map.h"
#include "core/storage/record_store.h"

namespace mv::app {

class CrashStore final : public link::CrashSource {
 public:
  static constexpr std::uint32_t kKept = 8;

  explicit CrashStore(Flash& flash)
      : stores_{storage::RecordsOf<kKept + 1>(flash, half(0)), storage::RecordsOf<kKept + 1>(flash, half(1))} {}

  void mount();

  // Numbers the report (one more than the last, over boots) and writes it. False if the flash refused.
  bool add(mv_wire_CrashReport& report);

  bool any() const { return acknowledged_ < last_; }

  // link::CrashSource
  bool oldest(mv_wire_CrashReport& out) override;
  void acknowledge(std::uint32_t number) override;

 private:
  static constexpr std::uint32_t kStores = 2;
  static constexpr flash_map::Area half(std::uint32_t index) {
    constexpr std::uint32_t kSize = flash_map::kCrashRecords.size / kStores;
    return {flash_map::kCrashRecords.offset + index * kSize, kSize};
  }

  // Crash n is kind n % kKept, in the store that has this kind.
  static std::uint8_t kind_of(std::uint32_t number) { return static_cast<std::uint8_t>(number % kKept); }
  storage::RecordStore& store_of(std::uint8_t kind) { return stores_[kind % kStores]; }

  std::array<storage::RecordsOf<kKept + 1>, kStores> stores_;
  std::uint32_t last_ = 0;          // number of the newest crash
  std::uint32_t acknowledged_ = 0;  // every crash up to this number is the cloud's
  std::array<std::uint8_t, storage::RecordStore::kMaxBytes> encoded_{};
};

}  // namespace mv::app
