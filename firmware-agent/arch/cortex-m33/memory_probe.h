// Accesses on behalf of the application or of its debugger: checked against the attribution of the address, and safe
// against bus faults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/platform/debug_unit.h"

namespace mv::arch {

// Where the application lives; everything is Non-secure.
struct ApplicationRegions {
  std::uint32_t code, code_size;  // bytes; where it runs
  std::uint32_t ram, ram_size;
  std::uint32_t peripherals, peripherals_size;
  bool runs_in_flash = false;  // else `code` is memory that the image is copied to, writable for us
};

// True if [address, address + size) lies within [base, base + length).
constexpr bool lies_within(std::uint32_t address, std::uint32_t size, std::uint32_t base, std::uint32_t length) {
  return address >= base && size <= length && address - base <= length - size;
}

class ProbedMemory final : public debug::ApplicationMemory {
 public:
  constexpr explicit ProbedMemory(const ApplicationRegions& regions) : regions_(regions) {}

  bool read(std::uint32_t address, std::span<std::uint8_t> out) override;
  bool write(std::uint32_t address, std::span<const std::uint8_t> bytes) override;
  bool patch_code(std::uint32_t address, std::span<const std::uint8_t> bytes) override;
  bool is_code(std::uint32_t address) const override;

  const ApplicationRegions& regions() const { return regions_; }

 private:
  bool translate(std::uint32_t& address, std::size_t size) const;

  ApplicationRegions regions_;
};

}  // namespace mv::arch
