// The watchdog over the microvisor: the one of the Secure 32 kHz domain (ARM DDI 0571, SSE-200; CMSDK APB watchdog of
// ARM DDI 0479). If nobody feeds it for kWatchdogSeconds it raises NMI; if that does not reset the device either, it
// does so itself as long after.
//
// The boot ROM starts it, so that an image which hangs before it has done anything is noticed too.
#pragma once

#include <cstdint>

namespace mv::board {

inline constexpr std::uint32_t kWatchdogSeconds = 10;

void start_watchdog();
void feed_watchdog();

}  // namespace mv::board
