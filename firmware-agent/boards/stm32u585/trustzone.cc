#include "boards/stm32u585/trustzone.h"

#include <array>
#include <cstdint>

#include "arch/cortex-m33/memory_watch.h"
#include "boards/stm32u585/memory.h"
#include "boards/stm32u585/ownership.h"
#include "boards/stm32u585/pins.h"
#include "boards/stm32u585/registers.h"

namespace mv::board {
namespace {

// TZSC_SECCFGR1 to 3 of one controller: a bit for each peripheral that is ours.
constexpr std::array<std::uint32_t, 3> secure_peripherals(int wanted) {
  std::array<std::uint32_t, 3> words{};
#define OURS(name, controller, word, bit, use) \
  if (controller == wanted) words[word - 1] |= 1U << bit;
#define OUR_CHANNEL(name, number, use)
#define OUR_PIN(port, number, function, use)
#include "boards/stm32u585/ownership.def"
#undef OUR_PIN
#undef OUR_CHANNEL
#undef OURS
  return words;
}

void divide_peripherals(std::uint32_t controller, const std::array<std::uint32_t, 3>& ours) {
  for (std::uint32_t word = 0; word < ours.size(); ++word) reg32(controller + 0x10 + 4 * word) = ours[word];
}

constexpr std::uint32_t kSuperBlock = 16 * 1024;  // what one word of a block-based controller is for

// Everything is Secure after reset (5.4.2).
void give_sram(std::uint32_t controller, std::uint32_t size) {
  for (std::uint32_t at = 0; at < size / kSuperBlock; ++at) reg32(controller + gtzc::kBlocks + 4 * at) = 0;
}

void divide_sram() {
  constexpr std::uint32_t kSram1 = 192 * 1024, kSram2 = 64 * 1024;
  give_sram(gtzc::kSram1, kSram1);
  give_sram(gtzc::kSram2, kSram2);
  give_sram(gtzc::kSram3, kApplication.ram_size - kSram1 - kSram2);
}

constexpr std::uint32_t kSauRegions = 8;

void give_region(std::uint32_t number, std::uint32_t base, std::uint32_t size, bool callable) {
  reg32(arch::kSauRegionNumber) = number;
  reg32(arch::kSauBase) = base;
  reg32(arch::kSauLimit) = (base + size - 32) | (callable ? 2U : 0U) | 1U;
}

void divide_addresses() {
  give_region(0, kApplication.code, kApplication.code_size, false);
  give_region(1, kApplication.ram, kApplication.ram_size, false);
  give_region(2, kApplication.peripherals, kApplication.peripherals_size, false);
  give_region(3, kVeneers, kPageSize, true);
  give_region(4, 0x0bf80000, 0x80000, false);     // system memory: unique id, calibration values
  give_region(5, 0x90000000, 0x10000000, false);  // OCTOSPI1: memory of the application's board
  arch::memory_watch.use_regions(6, kSauRegions - 6);
  reg32(arch::kSauControl) = 1;
}

// Ours: FLASH_S 7, GTZC 8, RCC_S 10, IWDG 27, DMA channels 4 and 5 33 and 34, TIM5 48, USART1 61, USART3 63, RNG 94,
// HASH 96, PKA 97, OCTOSPI2 120.
void divide_interrupts() {
  constexpr std::uint8_t kOurs[] = {7, 8, 10, 27, 33, 34, 48, 61, 63, 94, 96, 97, 120};
  std::array<std::uint32_t, (kExternalInterrupts + 31) / 32> ours{};
  for (const std::uint8_t number : kOurs) ours[number / 32] |= 1U << number % 32;
  for (std::uint32_t word = 0; word < ours.size(); ++word) reg32(arch::kNvicTargetNonSecure + 4 * word) = ~ours[word];
}

}  // namespace

void divide_worlds() {
  divide_peripherals(gtzc::kPeripherals, secure_peripherals(1));
  divide_peripherals(gtzc::kPeripherals2, secure_peripherals(2));
  divide_sram();
  reg32(rcc::kSecurity) = 0x1fff;  // oscillators, PLLs, prescalers, reset flags; peripherals' clocks follow their owner
  reg32(pwr::kSecurity) = 0x7fff;
  reg32(gpdma::kSecurity) = 1U << kReceiveChannel | 1U << kTransmitChannel;
  set_up_pins();
  divide_addresses();
  divide_interrupts();
  arch::barrier();
}

}  // namespace mv::board
