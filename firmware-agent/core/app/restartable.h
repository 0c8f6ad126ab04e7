// System calls that may take longer than the application's interrupts can wait.
//
// Such a call does a piece of its work at a time, and writes into its arguments what is left to do. With no status yet,
// the application makes the call again, with those: see docs/decisions/0015-restartable-calls.md. So nothing need be
// remembered between the pieces, and each looks at everything anew.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "sdk/include/mv_syscalls.h"

namespace mv::app {

using Arguments = std::span<std::uint32_t, 4>;  // r0-r3 of the application
using Progress = std::optional<MvStatus>;       // none: there is more to do

inline constexpr Progress kCallAgain = std::nullopt;

}  // namespace mv::app
