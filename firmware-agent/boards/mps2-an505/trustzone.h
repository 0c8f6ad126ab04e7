// Divides the machine between the two worlds.
#pragma once

namespace mv::board {

// SAU, memory and peripheral protection controllers, interrupts' target state. Once, before anything Non-secure runs.
void divide_worlds();

}  // namespace mv::board
