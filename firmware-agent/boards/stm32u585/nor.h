// The external NOR flash on OCTOSPI2 (RM0456, section 28), in plain SPI mode with one data line each way: what every
// NOR understands after power-on (JEDEC JESD216).
#pragma once

#include <cstdint>
#include <span>

#include "core/storage/checked_nor.h"

namespace mv::board {

class Nor final : public storage::NorDevice {
 public:
  static constexpr std::uint32_t kPage = 256;

  // Powers it up and asks who it is. False if nobody answers as a NOR with 4 KiB sectors does; then every call fails.
  bool set_up();

  std::uint32_t size() const { return size_; }  // bytes; 0: none there
  std::uint32_t id() const { return id_; }      // JEDEC: manufacturer, type, capacity, 8 bits each from the lowest

  bool read(std::uint32_t address, std::span<std::uint8_t> out) override;
  bool program(std::uint32_t address, std::span<const std::uint8_t> bytes) override;
  bool erase_sector(std::uint32_t address) override;

  // The same in two steps, for those who have other things to do: begun, and over when it is not busy. Programs within
  // one page. False also while it is busy.
  bool start_erase(std::uint32_t address);
  bool start_program(std::uint32_t address, std::span<const std::uint8_t> bytes);
  bool busy();

  // One of the calls above that wait is under way: who interrupted it must not touch the device.
  bool in_use() const { return in_use_; }

 private:
  bool wait_ready();
  bool in_range(std::uint32_t address, std::size_t size) const { return size <= size_ && address <= size_ - size; }

  std::uint32_t size_ = 0, id_ = 0;
  volatile bool in_use_ = false;
};

}  // namespace mv::board
