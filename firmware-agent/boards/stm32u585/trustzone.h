// Divides the chip between the two worlds, as ownership.def and memory.h say.
#pragma once

namespace mv::board {

// SAU, GTZC, security of RCC, PWR and pins, interrupts' target state. Once, before anything Non-secure runs.
void divide_worlds();

}  // namespace mv::board
