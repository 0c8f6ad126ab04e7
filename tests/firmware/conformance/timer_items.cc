// TIM2, and the watchdog's protection. The watchdog runs, begun by the run itself.
#include "conformance.h"
#include "measured.h"
#include "registers.h"

namespace conformance {
namespace {

// TIM2 by its Secure alias. RM0456, "General-purpose timers (TIM2/TIM3/TIM4/TIM5)".
constexpr std::uint32_t kControl = 0x50000000, kInterrupts = 0x5000000c, kStatus = 0x50000010, kEvent = 0x50000014;
constexpr std::uint32_t kCount = 0x50000024, kPrescaler = 0x50000028, kReload = 0x5000002c, kCompare = 0x50000034;
constexpr std::uint32_t kOn = 1U << 0, kOnlyOverflows = 1U << 2, kOnce = 1U << 3;
constexpr std::uint32_t kUpdate = 1U << 0, kMatch = 1U << 1;
constexpr std::uint32_t kTim2Interrupt = 45;

constexpr std::uint32_t kClock = 0x56020c9c, kReset = 0x56020c74;  // RCC_APB1ENR1, APB1RSTR1: TIM2 is bit 0

// IWDG, RM0456 61.7.
constexpr std::uint32_t kKey = 0x50003000, kDivider = kKey + 0x04, kWatchdogReload = kKey + 0x08,
                        kPending = kKey + 0x0c;
constexpr std::uint32_t kFeed = 0xaaaa;

// As RCC's reset leaves it.
void fresh_timer() {
  reg(kClock) = reg(kClock) | 1;
  [[maybe_unused]] const std::uint32_t on = reg(kClock);
  reg(kReset) = reg(kReset) | 1;
  reg(kReset) = reg(kReset) & ~1U;
  barrier();
}

void wait_for(std::uint32_t flag) {
  while ((reg(kStatus) & flag) == 0) continue;  // or the watchdog says so
}

}  // namespace

ITEM("RM0456 RCC_APB1RSTR1", "TIM2RST puts the registers of TIM2 back") {
  fresh_timer();
  reg(kReload) = 5;
  reg(kPrescaler) = 6;
  reg(kControl) = kOnlyOverflows;
  fresh_timer();
  CHECK_EQUAL(reg(kReload), 0xffffffff);
  CHECK_EQUAL(reg(kPrescaler), 0);
  CHECK_EQUAL(reg(kControl), 0);
}

ITEM("RM0456 TIM2_CNT", "it counts up while CEN is set, and keeps its value while it is not") {
  fresh_timer();
  CHECK_EQUAL(reg(kCount), 0);
  reg(kControl) = kOn;
  std::uint32_t last = reg(kCount);
  for (int n = 0; n < 4; ++n) {
    const std::uint32_t at = last;
    while (last == at) last = reg(kCount);  // or the watchdog says so
    CHECK(last > at);
  }
  reg(kControl) = 0;
  last = reg(kCount);
  for (int n = 0; n < 100; ++n) CHECK_EQUAL(reg(kCount), last);
}

ITEM("RM0456 TIM2_SR", "UIF is set when the counter goes from ARR to zero; writing zero clears it") {
  fresh_timer();
  reg(kReload) = 999;
  reg(kCount) = 0;
  reg(kControl) = kOn;
  wait_for(kUpdate);
  reg(kControl) = 0;
  CHECK(reg(kCount) <= 999);
  reg(kStatus) = ~kMatch;
  CHECK_EQUAL(reg(kStatus) & kUpdate, kUpdate);
  reg(kStatus) = ~kUpdate;
  CHECK_EQUAL(reg(kStatus) & kUpdate, 0);
}

ITEM("RM0456 TIM2_SR", "CC1IF is set when the counter reaches CCR1") {
  fresh_timer();
  reg(kCompare) = 500;
  CHECK_EQUAL(reg(kStatus) & kMatch, 0);
  reg(kControl) = kOn;
  wait_for(kMatch);
  reg(kControl) = 0;
  CHECK(reg(kCount) >= 500);
  CHECK_EQUAL(reg(kStatus) & kUpdate, 0);
}

ITEM("RM0456 TIM2_EGR", "UG sets the counter to zero, and UIF unless URS is set") {
  fresh_timer();
  reg(kCount) = 77;
  reg(kControl) = kOnlyOverflows;
  reg(kEvent) = 1;
  CHECK_EQUAL(reg(kCount), 0);
  CHECK_EQUAL(reg(kStatus) & kUpdate, 0);
  reg(kControl) = 0;
  reg(kEvent) = 1;
  CHECK_EQUAL(reg(kStatus) & kUpdate, kUpdate);
}

ITEM("RM0456 TIM2_PSC", "it divides from the next update on: by 65536 the counter stands still for a while") {
  fresh_timer();
  reg(kPrescaler) = 0xffff;
  reg(kEvent) = 1;
  reg(kControl) = kOn;
  for (int n = 0; n < 100; ++n) CHECK(reg(kCount) <= 1);
  reg(kControl) = 0;
}

ITEM("RM0456 TIM2_CR1", "OPM: the counter stops at the update") {
  fresh_timer();
  reg(kReload) = 100;
  reg(kControl) = kOn | kOnce;
  wait_for(kUpdate);
  CHECK_EQUAL(reg(kControl), kOnce);
  CHECK_EQUAL(reg(kCount), 0);
}

ITEM("RM0456 TIM2_DIER", "UIE: the update raises TIM2, once it is enabled") {
  fresh_timer();
  reg(kReload) = 100;
  reg(kNvicEnable + kTim2Interrupt / 32 * 4) = 1U << kTim2Interrupt % 32;
  reg(kControl) = kOn | kOnce;
  wait_for(kUpdate);
  barrier();
  CHECK_EQUAL(interrupt.count, 0);
  reg(kInterrupts) = kUpdate;
  barrier();
  while (interrupt.count == 0) continue;  // or the watchdog says so
  reg(kInterrupts) = 0;
  reg(kStatus) = 0;
  CHECK_EQUAL(interrupt.count, 1);
  CHECK_EQUAL(interrupt.number, kTim2Interrupt);
}

ITEM("RM0456 IWDG_KR", "without the key PR and RLR stay as they are") {
  reg(kKey) = kFeed;
  while ((reg(kPending) & 0xf) != 0) continue;  // what was written last does not count yet
  const std::uint32_t divider = reg(kDivider), reload = reg(kWatchdogReload);
  reg(kDivider) = divider ^ 1;
  reg(kWatchdogReload) = reload ^ 1;
  CHECK_EQUAL(reg(kPending) & 0xf, 0);
  CHECK_EQUAL(reg(kDivider), divider);
  CHECK_EQUAL(reg(kWatchdogReload), reload);
}

}  // namespace conformance
