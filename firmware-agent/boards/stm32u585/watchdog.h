// The watchdog over the microvisor: the independent one (RM0456, section 61), on the chip's 32 kHz oscillator. Nothing
// but a reset stops it. A second before it bites it raises its interrupt, so that what hangs can be told.
#pragma once

#include <cstdint>

namespace mv::board {

inline constexpr std::uint32_t kWatchdogSeconds = 10;

// The boot stage starts it, so that an image which hangs before it has done anything is noticed too.
void start_watchdog();
void feed_watchdog();

// The interrupt before the bite targets us; the microvisor's, not the boot stage's.
void listen_to_watchdog();

}  // namespace mv::board
