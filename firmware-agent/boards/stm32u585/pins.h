// The pins of ownership.def.
#pragma once

namespace mv::board {

// Gives every pin of ours its function, and keeps it from the application.
void set_up_pins();

void set_system_led(bool on);

}  // namespace mv::board
