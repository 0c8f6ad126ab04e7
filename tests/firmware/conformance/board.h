// What of the chip and of its board has to be set up before items can run: which RAM is Non-secure, clocks and pins.
#pragma once

#include <cstdint>

namespace conformance {

// SRAM3 of the STM32U585, RM0456 2.3.2: the Non-secure code, its data and stack.
constexpr std::uint32_t kNonSecureRam = 0x20040000, kNonSecureRamSize = 0x80000;

void board_set_up();

// USART1's clock, and its pins PA9 and PA10.
void board_connect_console();

// Of core and buses as they run now, from MSIS or HSI16; 0: from something else.
std::uint32_t board_clock_hz();

// DBGMCU_IDCODE: revision and device, RM0456 "Debug support".
std::uint32_t board_chip_id();

// Three words, RM0456 "Device electronic signature".
std::uint32_t board_unique_id(std::uint32_t word);

// The model (emulator/qemu-stm32u585) has a lot number of its own in its unique id. It knows no analog times.
bool board_is_model();

// The clocks and pins of RNG (with HSI48, which runs for it alone), OCTOSPI2 and the NOR behind it.
void board_power_random(bool on);
void board_power_nor();

// --- resets

// Resets the chip. RAM keeps its contents.
[[noreturn]] void board_reset();

// RCC_CSR; whether it says that software or the watchdog reset the chip; and that the watchdog did.
std::uint32_t board_reset_cause();
bool board_reset_itself(std::uint32_t cause);
bool board_reset_by_watchdog(std::uint32_t cause);
void board_forget_reset_cause();
constexpr std::uint32_t kByWindowWatchdog = 1U << 30;

// Resets the chip when nobody calls for so long. Begun with the first call, and goes on for ever.
#ifndef MV_WATCHDOG_SECONDS
#define MV_WATCHDOG_SECONDS 16
#endif
constexpr std::uint32_t kWatchdogSeconds = MV_WATCHDOG_SECONDS;  // at most 60
void board_feed_watchdog();

}  // namespace conformance
