// Whatever a target's memory holds, the walks through a kernel's lists come to an end with few threads.
//
// The first byte chooses the kernel and how much of the memory is known, the rest is the memory from its start.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "gdbserver/rtos/kernels_fixture.h"

namespace {

using namespace mv::gdb::rtos;

constexpr std::uint32_t kRam = 0x600;

const std::array<Layout, 3>& layouts() {
  static const std::array<Layout, 3> all = {freertos_layout(), threadx_layout(), zephyr_layout()};
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kRam) return 0;
  const std::size_t which = data[0] % kernels().size();
  const bool whole = data[0] < 0x80;
  const Kernel& kernel = *kernels()[which];
  const Layout& layout = layouts()[which];
  Memory memory({{kFixtureBase, kRam, mv::gdb::MemoryKind::kRam}});
  std::vector<std::uint8_t> bytes(data + 1, data + size);
  if (whole) bytes.resize(kRam);
  memory.store(kFixtureBase, bytes);

  Found found;
  memory.begin_walk();
  kernel.running(layout, memory);
  kernel.walk(layout, memory, found);
  for (const Thread& thread : found.threads()) {
    if (thread.name.size() > kLongestName) std::abort();
    kernel.registers(layout, memory, thread, {});
  }
  if (found.threads().size() > kMostThreads || (whole && !memory.missing().empty())) std::abort();
  for (const Memory::Span& span : memory.missing())
    if (span.length == 0 || span.address < kFixtureBase || span.address + span.length > kFixtureBase + kRam)
      std::abort();
  return 0;
}
