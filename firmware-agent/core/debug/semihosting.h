// The one request of Arm semihosting that means something here: the program has ended.
//
// Only its debugger hears of it. Source: Arm "Semihosting for AArch32 and AArch64", 5.2 and 5.3 (T32: BKPT 0xAB).
#pragma once

#include <cstdint>
#include <optional>

#include "core/platform/debug_unit.h"

namespace mv::debug::semihosting {

// The exit status, 0 to 255, if the application stands at `BKPT 0xAB` and asks for SYS_EXIT (0x18) or SYS_EXIT_EXTENDED
// (0x20); none if it does not. An end for another reason than "application exit" is status 1.
std::optional<std::uint8_t> exit_status(const Context& context, ApplicationMemory& memory);

}  // namespace mv::debug::semihosting
