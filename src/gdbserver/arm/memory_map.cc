#include "gdbserver/arm/memory_map.h"

#include <fmt/format.h>

namespace mv::gdb {

bool Region::contains(std::uint32_t start, std::uint32_t length) const {
  return start >= address && start - address <= size && length <= size - (start - address);
}

namespace arm {
namespace {

// Erase size on the boards there are: 8 KiB pages of STM32U5. Only tells GDB how to align vFlashErase.
constexpr std::uint32_t kFlashBlock = 8192;

std::string entry(const Region& region) {
  if (region.kind == MemoryKind::kFlash) {
    return fmt::format(
        "<memory type=\"flash\" start=\"0x{:x}\" length=\"0x{:x}\"><property name=\"blocksize\">0x{:x}</property>"
        "</memory>\n",
        region.address, region.size, kFlashBlock);
  }
  return fmt::format("<memory type=\"ram\" start=\"0x{:x}\" length=\"0x{:x}\"/>\n", region.address, region.size);
}

bool overlaps(const Region& a, const Region& b) {
  return a.address < static_cast<std::uint64_t>(b.address) + b.size &&
         b.address < static_cast<std::uint64_t>(a.address) + a.size;
}

}  // namespace

const std::vector<Region>& architectural_regions() {
  static const std::vector<Region> regions = {{0x40000000, 0x10000000, MemoryKind::kPeripheral},
                                              {0xe0000000, 0x00100000, MemoryKind::kPeripheral}};
  return regions;
}

std::string memory_map(const std::vector<Region>& regions) {
  std::string xml =
      "<?xml version=\"1.0\"?>\n<!DOCTYPE memory-map PUBLIC \"+//IDN gnu.org//DTD GDB Memory Map V1.0//EN\" "
      "\"http://sourceware.org/gdb/gdb-memory-map.dtd\">\n<memory-map>\n";
  for (const Region& region : regions) xml += entry(region);
  for (const Region& region : architectural_regions()) {
    bool listed = false;
    for (const Region& own : regions) listed = listed || overlaps(own, region);
    if (!listed) xml += entry(region);
  }
  return xml + "</memory-map>\n";
}

}  // namespace arm
}  // namespace mv::gdb
