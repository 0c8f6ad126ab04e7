// 160 MHz for the core and all buses, and the clocks of what the microvisor uses.
#pragma once

namespace mv::board {

// Harmless if they are set up already. False: the oscillator or the voltage regulator does not come up; the chip then
// runs at what it has after reset, 4 MHz.
bool set_up_clocks();

}  // namespace mv::board
