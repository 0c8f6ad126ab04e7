#include "boards/mps2-an505/trustzone.h"

#include "arch/cortex-m33/memory_watch.h"
#include "arch/cortex-m33/registers.h"
#include "boards/mps2-an505/memory.h"

namespace mv::board {
namespace {

using arch::reg32;

// Memory protection controllers (ARM DDI 0571G, 3.4), one for each SSRAM. A block is 1 KiB, a look-up word 32 of them.
constexpr std::uint32_t kMpcCode = 0x58007000, kMpcRam2 = 0x58009000;
constexpr std::uint32_t kMpcIndex = 0x18, kMpcLookUp = 0x1c;
constexpr std::uint32_t kBytesALookUpWord = 32 * 1024;

// SSE-200 security control (ARM 101104, 3.6; AN505, table 3-12).
constexpr std::uint32_t kNscConfiguration = 0x50080014;  // bit 0: code region may hold veneers
constexpr std::uint32_t kInternalPeripherals = 0x50080070, kUarts = 0x50080084, kFpga = 0x50080088;
constexpr std::uint32_t kTimer1AndDual = 1U << 1 | 1U << 2;  // timer 0 is our clock
constexpr std::uint32_t kSpis = 0x1f, kOtherUarts = 1U << 7 | 1U << 8 | 1U << 9;

constexpr std::uint32_t kSauRegions = 8;
constexpr std::uint32_t kFirstSpareSauRegion = 4;

void give_sau_region(std::uint32_t number, std::uint32_t base, std::uint32_t size, bool callable) {
  reg32(arch::kSauRegionNumber) = number;
  reg32(arch::kSauBase) = base;
  reg32(arch::kSauLimit) = (base + size - 32) | (callable ? 2U : 0U) | 1U;
}

void give_blocks(std::uint32_t controller, std::uint32_t offset, std::uint32_t size) {
  for (std::uint32_t word = offset / kBytesALookUpWord; word < (offset + size) / kBytesALookUpWord; ++word) {
    reg32(controller + kMpcIndex) = word;
    reg32(controller + kMpcLookUp) = 0xffffffff;
  }
}

void give_interrupts() {
  for (std::uint32_t word = 0; word < 3; ++word) reg32(arch::kNvicTargetNonSecure + word * 4) = 0xffffffff;
  // Ours: timer 0, protection controllers (9-11), UART0 and UART1 (32-35, combined 42 and 43), UART overflow (47).
  reg32(arch::kNvicTargetNonSecure) = ~(1U << 3 | 7U << 9);
  reg32(arch::kNvicTargetNonSecure + 4) = ~(0xfU | 3U << 10 | 1U << 15);
}

}  // namespace

void divide_worlds() {
  give_blocks(kMpcCode, kApplication.code, kApplication.code_size);
  give_blocks(kMpcRam2, 0, kApplication.ram_size);
  reg32(kNscConfiguration) = 1;
  reg32(kInternalPeripherals) = kTimer1AndDual;
  reg32(kUarts) = kSpis | kOtherUarts;
  reg32(kFpga) = 1U << 2;  // LEDs, buttons
  give_sau_region(0, kApplication.code, kApplication.code_size, false);
  give_sau_region(1, kApplication.ram, kApplication.ram_size, false);
  give_sau_region(2, kApplication.peripherals, kApplication.peripherals_size, false);
  give_sau_region(3, kVeneers, kVeneersSize, true);
  arch::memory_watch.use_regions(kFirstSpareSauRegion, kSauRegions - kFirstSpareSauRegion);
  reg32(arch::kSauControl) = 1;
  give_interrupts();
  arch::barrier();
}

}  // namespace mv::board
