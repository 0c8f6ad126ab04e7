// The flash chip beside the processor, as far as it is the application's: a NOR flash on a serial bus.
//
// Erased in sectors to 0xFF; programming turns ones into zeros and nothing else. Both take the chip as long as it likes
// (an erase 50 to 400 ms), so they are begun here and are over when `busy` says so. Nothing here waits. Called under
// the lock of the system calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mv {

class ExternalFlash {
 public:
  static constexpr std::uint32_t kSector = 4096;  // bytes that are erased at once
  static constexpr std::uint32_t kPage = 256;     // bytes: one programming stays within an aligned page

  virtual std::uint32_t chip_id() const = 0;  // JEDEC: manufacturer, type, capacity, from the lowest byte
  virtual std::uint32_t size() const = 0;     // bytes that are the application's; offsets count from 0

  // Whether what was begun last goes on. Until it is over, nothing else may be asked.
  virtual bool busy() = 0;

  // Whether what was begun last and is over went wrong.
  virtual bool failed() = 0;

  // These return false if the range is not within the flash, is longer or lies otherwise than said, or the bus failed.
  virtual bool read(std::uint32_t offset, std::span<std::uint8_t> out) = 0;
  virtual bool begin_erase(std::uint32_t sector) = 0;  // offset: a multiple of kSector
  virtual bool begin_program(std::uint32_t offset, std::span<const std::uint8_t> bytes) = 0;  // within one page

 protected:
  ~ExternalFlash() = default;
};

}  // namespace mv
