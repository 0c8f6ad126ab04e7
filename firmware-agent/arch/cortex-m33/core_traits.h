// What differs between the cores that this code runs on; set by the board's board.cmake.
#pragma once

#include <cstdint>

namespace mv::arch {

inline constexpr std::uint32_t kExternalInterrupts = MV_EXTERNAL_INTERRUPTS;
inline constexpr std::uint32_t kInterruptWords = (kExternalInterrupts + 31) / 32;  // registers with a bit for each

// SysTick counts at 20 MHz: of the core's clock, or of its reference clock (SYST_CSR.CLKSOURCE, ARM DDI 0553B,
// D1.2.238).
inline constexpr std::uint32_t kTicksPerMicrosecond = 20;
inline constexpr bool kTickFromCore = MV_TICK_FROM_CORE;

}  // namespace mv::arch
