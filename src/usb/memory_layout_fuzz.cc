// Fuzz target: a device's name either is a memory layout whose sectors lie within the address space, or is refused.
#include <cstdint>
#include <cstdlib>

#include "usb/memory_layout.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto layout = mv::usb::MemoryLayout::parse({reinterpret_cast<const char*>(data), size});
  if (!layout) return layout.error().empty() ? std::abort(), 0 : 0;
  if (layout->runs().empty()) std::abort();
  for (const auto& run : layout->runs()) {
    if (run.count == 0 || run.sector_size == 0 || run.end() > std::uint64_t{1} << 32) std::abort();
    if (layout->find(run.end() - 1, 1) == nullptr || layout->find(run.address, run.size() + 1) == &run) std::abort();
  }
  return 0;
}
