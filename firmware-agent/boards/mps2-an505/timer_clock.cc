#include "boards/mps2-an505/timer_clock.h"

#include "arch/cortex-m33/critical_section.h"
#include "arch/cortex-m33/registers.h"
#include "boards/mps2-an505/memory.h"

namespace mv::board {

// CMSDK APB timer (ARM DDI 0479D, 4.1): control, value, reload.
void TimerClock::set_up() {
  arch::reg32(kTimer0) = 0;
  arch::reg32(kTimer0 + 8) = 0xffffffff;
  arch::reg32(kTimer0 + 4) = 0xffffffff;
  arch::reg32(kTimer0) = 1;
}

std::uint64_t TimerClock::uptime_us() {
  const arch::InterruptsOff guard;
  const std::uint32_t now = ~arch::reg32(kTimer0 + 4);
  ticks_ += now - last_;
  last_ = now;
  return ticks_ / kMicrosecondTicks;
}

}  // namespace mv::board
