#include "boards/stm32u585/clocks.h"

#include <cstdint>

#include "boards/stm32u585/registers.h"

namespace mv::board {
namespace {

constexpr std::uint32_t kFromPll = 3;           // CFGR1.SW, and SWS two bits above
constexpr std::uint32_t kWaitStates = 4;        // 7.3.3: 160 MHz in voltage range 1
constexpr std::uint32_t kPrefetch = 1U << 8;    // ACR.PRFTEN
constexpr std::uint32_t kPll1Of4MHz = 0x40001;  // PLL1REN, no divider before, source MSIS, input of 4 to 8 MHz
constexpr std::uint32_t kTimes80By2 = 1U << 24 | 79U;

// Registers of peripherals are reached after the clock is on; reading back waits for that (11.4.19).
void clock_on(std::uint32_t enable, std::uint32_t bits) {
  set_bits(enable, bits);
  [[maybe_unused]] const std::uint32_t on = reg32(enable);
}

void clock_peripherals() {
  clock_on(rcc::kAhb1, 1U << 0 | 1U << 8 | 1U << 17 | 1U << 24);  // GPDMA1, FLASH, RAMCFG, GTZC1
  clock_on(rcc::kAhb2,
           0x1ffU | 1U << 17 | 1U << 18 | 1U << 21 | 1U << 30 | 1U << 31);  // ports, HASH, RNG, OCTOSPIM, SRAM2, 3
  clock_on(rcc::kAhb2Second, 1U << 8);                                      // OCTOSPI2
  clock_on(rcc::kAhb3, 1U << 2 | 1U << 12 | 1U << 31);                      // PWR, GTZC2, SRAM4
  clock_on(rcc::kApb1, 1U << 3 | 1U << 18);                                 // TIM5, USART3
  clock_on(rcc::kApb2, 1U << 14);                                           // USART1
  clock_on(rcc::kApb3, 1U << 1 | 1U << 21);                                 // SYSCFG, RTC and TAMP
}

bool run_from_pll() {
  if ((reg32(rcc::kConfiguration1) >> 2 & 3) == kFromPll) return true;
  // 10.5.4: range 1 first, then the booster, which wants the PLL's source chosen.
  write_field(pwr::kVoltage, pwr::kRange1, pwr::kRange1);
  if (!wait_for(pwr::kVoltage, pwr::kVoltageReady, pwr::kVoltageReady)) return false;
  reg32(rcc::kPll1Configuration) = kPll1Of4MHz;
  reg32(rcc::kPll1Dividers) = kTimes80By2;
  set_bits(pwr::kVoltage, pwr::kBoost);
  if (!wait_for(pwr::kVoltage, pwr::kBoostReady, pwr::kBoostReady)) return false;
  set_bits(rcc::kControl, rcc::kPll1On);
  if (!wait_for(rcc::kControl, rcc::kPll1Ready, rcc::kPll1Ready)) return false;
  write_field(flash_regs::kAccessControl, 0xf | kPrefetch, kWaitStates | kPrefetch);
  if ((reg32(flash_regs::kAccessControl) & 0xf) != kWaitStates) return false;
  write_field(rcc::kConfiguration1, 3, kFromPll);
  return wait_for(rcc::kConfiguration1, 3U << 2, kFromPll << 2);
}

}  // namespace

bool set_up_clocks() {
  clock_peripherals();
  set_bits(pwr::kBackupDomain, 1);  // backup registers and LSI's control can be written
  const bool fast = run_from_pll();
  set_bits(rcc::kControl, rcc::kHsi48On);  // for the random number generator
  wait_for(rcc::kControl, rcc::kHsi48Ready, rcc::kHsi48Ready);
  reg32(kInstructionCache) = 1;
  return fast;
}

}  // namespace mv::board
