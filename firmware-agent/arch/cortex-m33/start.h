// The core's set-up after reset.
#pragma once

#include <cstdint>

namespace mv::arch {

// Priorities, fault routing, FP access; `vectors` is the address of the vector table.
void set_up_core(std::uint32_t vectors);

}  // namespace mv::arch
