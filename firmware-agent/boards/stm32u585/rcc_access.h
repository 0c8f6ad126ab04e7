// Which bits of the clock controller the application may reach by mvPeriphPeek32 and mvPeriphPoke32
// (docs/system-calls.md).
//
// Writable: clock enable, reset, clock in sleep and kernel clock of what is the application's (ownership.def), nothing
// else. The system clock, the PLLs and oscillators, buses, memories and whatever the microvisor uses stay as they are;
// they can be read.
#pragma once

#include <span>

#include "core/platform/guest.h"

namespace mv::board {

std::span<const RegisterAccess> rcc_access();

}  // namespace mv::board
