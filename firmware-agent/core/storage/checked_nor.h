// A NOR flash with the rules of the chip's own flash: quad-words that are programmed once, and told when they are torn.
//
// A NOR has no ECC, so each quad-word has a check word beside it, programmed after it. A page takes three sectors: two
// of data, one of check words. A quad-word without a check word and with nothing but ones is erased; one whose check
// word does not fit, for whatever reason, reads as Result::kEccError, as it would from the chip's flash.
#pragma once

#include <cstdint>
#include <span>

#include "core/platform/ports.h"
#include "core/storage/flash_units.h"

namespace mv::storage {

// A serial NOR as JEDEC JESD216 describes it: sectors of 4 KiB are erased to 0xFF, programming clears bits. Every call
// waits until the device is ready; false: it does not answer, or the range is not in it.
class NorDevice {
 public:
  static constexpr std::uint32_t kSector = 4096;  // bytes

  virtual bool read(std::uint32_t address, std::span<std::uint8_t> out) = 0;
  virtual bool program(std::uint32_t address, std::span<const std::uint8_t> bytes) = 0;
  virtual bool erase_sector(std::uint32_t address) = 0;

 protected:
  ~NorDevice() = default;
};

class CheckedNor {
 public:
  static constexpr std::uint32_t kPageOnDevice = 3 * NorDevice::kSector;

  // Pages lie on the device from `base` on, a multiple of a sector.
  CheckedNor(NorDevice& device, std::uint32_t base) : device_(device), base_(base) {}

  // As Flash has them; offsets count from the first page, and are the caller's to bound.
  Flash::Result read(std::uint32_t offset, std::span<std::uint8_t> out);
  Flash::Result erase_page(std::uint32_t offset);
  Flash::Result program(std::uint32_t offset, std::span<const std::uint8_t> quad_words);

 private:
  std::uint32_t page_at(std::uint32_t offset) const { return base_ + offset / kPage * kPageOnDevice; }

  NorDevice& device_;
  std::uint32_t base_;
};

}  // namespace mv::storage
