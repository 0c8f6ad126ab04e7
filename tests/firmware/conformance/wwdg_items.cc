// The window watchdog. Once it is on, only a reset of the chip switches it off: so end the items that do it.
#include "board.h"
#include "conformance.h"
#include "measured.h"
#include "registers.h"

namespace conformance {
namespace {

// WWDG by its Secure alias. RM0456, "System window watchdog (WWDG)".
constexpr std::uint32_t kControl = 0x50002c00, kWindow = 0x50002c04, kStatus = 0x50002c08;
constexpr std::uint32_t kOn = 1U << 7, kCounter = 0x7f, kLast = 0x40;
constexpr std::uint32_t kOpen = 0x7f, kEarlyInterrupt = 1U << 9, kEarly = 1U << 0;
constexpr std::uint32_t kBy16 = 4U << 11, kBy128 = 7U << 11;      // a step of the counter takes 16 or 131 ms
constexpr std::uint32_t kClocks = 0x56020c9c, kClock = 1U << 11;  // RCC_APB1ENR1.WWDGEN
constexpr std::uint32_t kWindowInterrupt = 0;

void set_window(std::uint32_t value) {
  reg(kClocks) = reg(kClocks) | kClock;
  [[maybe_unused]] const std::uint32_t on = reg(kClocks);
  reg(kWindow) = value;
}

std::uint32_t counter() { return reg(kControl) & kCounter; }

[[noreturn]] void wait_for_reset() {
  for (;;) barrier();  // or the other watchdog resets the chip, which is not what the item expects
}

}  // namespace

ITEM("RM0456 WWDG_CR", "T counts down, although WDGA is clear") {
  set_window(kOpen | kBy16);
  CHECK_EQUAL(reg(kControl) & kOn, 0);
  reg(kControl) = 0x60;
  while (counter() == 0x60) continue;  // or the watchdog says so
  CHECK_EQUAL(counter(), 0x5f);
}

ITEM("RM0456 WWDG_SR", "EWIF is set at 0x40 and raises WWDG with EWI; the next step resets the chip: WWDGRSTF") {
  set_window(kOpen | kEarlyInterrupt | kBy128);
  reg(kStatus) = 0;
  reg(kNvicEnable) = 1U << kWindowInterrupt;
  reg(kControl) = kOn | (kLast + 1);
  while ((reg(kStatus) & kEarly) == 0) continue;  // a reset before it is not expected
  expect_reset(kByWindowWatchdog);
  CHECK_EQUAL(counter(), kLast);
  CHECK_EQUAL(interrupt.count, 1);
  CHECK_EQUAL(interrupt.number, kWindowInterrupt);
  wait_for_reset();
}

ITEM("RM0456 WWDG_CFR", "W: a write of the counter resets the chip while it is above the window, and not within") {
  set_window(0x50 | kBy16);
  expect_reset(kByWindowWatchdog);
  reg(kControl) = kOn | 0x52;
  while (counter() > 0x50) continue;
  for (int times = 0; times < 3; ++times) reg(kControl) = kOn | 0x50;
  CHECK(counter() <= 0x50);
  reg(kControl) = kOn | 0x7f;
  reg(kControl) = kOn | 0x7f;
  wait_for_reset();
}

ITEM("RM0456 WWDG_CR", "a write with T6 clear resets the chip") {
  set_window(kOpen | kBy16);
  expect_reset(kByWindowWatchdog);
  reg(kControl) = kOn | 0x7f;
  reg(kControl) = kOn | (kLast - 1);
  wait_for_reset();
}

}  // namespace conformance
