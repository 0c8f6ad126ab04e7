// External flash on memory that QEMU keeps in a file, behaving as a serial NOR flash of 4 MiB does, its times included.
#pragma once

#include "core/platform/external_flash.h"
#include "core/platform/ports.h"

namespace mv::board {

class FileExternalFlash final : public ExternalFlash {
 public:
  static constexpr std::uint32_t kChipId = 0x1640EF;  // W25Q32JV data sheet, 8.1
  static constexpr std::uint64_t kEraseUs = 45'000;   // the same, 9.6: typical
  static constexpr std::uint64_t kProgramUs = 400;

  FileExternalFlash(std::span<std::uint8_t> cells, Clock& clock) : cells_(cells), clock_(clock) {}

  std::uint32_t chip_id() const override { return kChipId; }
  std::uint32_t size() const override { return static_cast<std::uint32_t>(cells_.size()); }
  bool busy() override { return clock_.uptime_us() < ready_at_us_; }
  bool failed() override { return false; }
  bool read(std::uint32_t offset, std::span<std::uint8_t> out) override;
  bool begin_erase(std::uint32_t sector) override;
  bool begin_program(std::uint32_t offset, std::span<const std::uint8_t> bytes) override;

 private:
  bool in_range(std::uint32_t offset, std::size_t size) const {
    return size <= cells_.size() && offset <= cells_.size() - size;
  }

  std::span<std::uint8_t> cells_;
  Clock& clock_;
  std::uint64_t ready_at_us_ = 0;
};

}  // namespace mv::board
