// The stacks of the Secure side, in the sections that every board's linker script has for them.
#pragma once

namespace mv::board {

// Fills what is below the stack pointer, so that its use can be seen later. First of all.
void mark_handler_stack();

}  // namespace mv::board
