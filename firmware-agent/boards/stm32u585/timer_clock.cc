#include "boards/stm32u585/timer_clock.h"

#include "arch/cortex-m33/critical_section.h"
#include "boards/stm32u585/memory.h"
#include "boards/stm32u585/registers.h"

namespace mv::board {

void TimerClock::set_up() {
  reg32(timer::kTimer5 + timer::kControl) = 0;
  reg32(timer::kTimer5 + timer::kPrescaler) = kCoreClock / 1'000'000 - 1;
  reg32(timer::kTimer5 + timer::kReload) = 0xffffffff;
  reg32(timer::kTimer5 + timer::kEvent) = 1;  // UG: the prescaler counts from here on
  reg32(timer::kTimer5 + timer::kCount) = 0;
  reg32(timer::kTimer5 + timer::kControl) = 1;
}

std::uint64_t TimerClock::uptime_us() {
  const arch::InterruptsOff guard;
  const std::uint32_t now = reg32(timer::kTimer5 + timer::kCount);
  us_ += now - last_;
  last_ = now;
  return us_;
}

}  // namespace mv::board
