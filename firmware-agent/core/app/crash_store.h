// Crashes of the application, kept in flash until the cloud has them: the newest kKept, each a whole CrashReport.
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

  explicit CrashStore(Flash& flash) : records_(flash, flash_map::kCrashRecords) {}

  void mount();

  // Numbers the report (one more than the last, over boots) and writes it. False if the flash refused.
  bool add(mv_wire_CrashReport& report);

  bool any() const { return acknowledged_ < last_; }

  // link::CrashSource
  bool oldest(mv_wire_CrashReport& out) override;
  void acknowledge(std::uint32_t number) override;

 private:
  storage::RecordStore records_;
  std::uint32_t last_ = 0;          // number of the newest crash
  std::uint32_t acknowledged_ = 0;  // every crash up to this number is the cloud's
  std::array<std::uint8_t, storage::RecordStore::kMaxBytes> encoded_{};
};

}  // namespace mv::app
