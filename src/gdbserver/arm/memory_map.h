// The device's memory as GDB wants to hear of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mv::gdb {

enum class MemoryKind : std::uint8_t { kFlash, kRam, kPeripheral };

struct Region {
  std::uint32_t address;
  std::uint32_t size;
  MemoryKind kind;

  // Whether all of [start, start + length) lies within; `length` may be 0.
  bool contains(std::uint32_t start, std::uint32_t length) const;
};

namespace arm {

// Regions that every Cortex-M has whatever a device lists: its peripherals and its system control space, where GDB
// itself reads FPCCR and FPCAR to unwind a floating-point frame.
const std::vector<Region>& architectural_regions();

// qXfer:memory-map:read. Flash makes GDB choose hardware breakpoints and refuse stray writes.
std::string memory_map(const std::vector<Region>& regions);

}  // namespace arm
}  // namespace mv::gdb
