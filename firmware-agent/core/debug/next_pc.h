// Where the processor goes next: what it takes to execute exactly one Thumb-2 instruction without a hardware step.
//
// Pure: looks at registers and memory, changes nothing. ARMv8-M Mainline as the Non-secure side sees it (ARM DDI 0553B,
// C2.4 for the instructions, B3.19 for exception return).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/platform/debug_unit.h"

namespace mv::debug {

// How one instruction is stepped.
struct Step {
  enum class Kind : std::uint8_t {
    kRun,      // put a stop at each target and let it run, interrupts masked
    kRunOpen,  // likewise with interrupts taken: SVC, which would escalate to a fault if they were masked
    kSkip,     // do not execute it: go to targets[0], no other register changes (WFI, a BKPT, a jump to itself)
    kLeave,    // it leaves for the Secure side, and the application goes on at a place that cannot be known from here
    kFree,     // nowhere to put a stop: it faults, or it jumps to itself in a way that changes registers
  };

  static constexpr std::size_t kMaxTargets = 3;

  Kind kind = Kind::kFree;
  std::array<std::uint32_t, kMaxTargets> targets{};  // even addresses
  std::size_t count = 0;
  bool several = false;  // more than the one instruction runs: an exclusive sequence

  std::span<const std::uint32_t> stops() const { return std::span(targets).first(count); }
};

// `memory` must give the program's own instructions, without breakpoint patches.
Step next_step(const Context& context, ApplicationMemory& memory);

// Advances the IT state in xPSR as the execution of one instruction does (ARM DDI 0553B, ITAdvance).
std::uint32_t advance_it(std::uint32_t xpsr);

// True for a 16-bit BKPT.
constexpr bool is_bkpt(std::uint16_t halfword) { return (halfword & 0xFF00U) == 0xBE00U; }

}  // namespace mv::debug
