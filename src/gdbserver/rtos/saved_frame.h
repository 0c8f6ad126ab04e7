// What the core pushes when it takes an exception, and what kernels push below it (Arm DDI 0553B, B3.19).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "gdbserver/arm/registers.h"
#include "gdbserver/rtos/memory.h"

namespace mv::gdb::rtos {

// Where a kernel keeps what the core did not push.
struct SavedFrame {
  std::uint32_t exception_frame = 0;             // address of what the core pushed
  std::uint32_t callee_saved = 0;                // address of r4-r11
  std::uint32_t exc_return = 0;                  // tells whether the core pushed floating-point registers
  std::optional<std::uint32_t> callee_saved_fp;  // address of s16-s31, if the core pushed s0-s15
  std::optional<std::uint32_t> stack_limit;
};

// Whether a word can be what lr holds in an exception that came from a thread (B3.18, EXC_RETURN).
constexpr bool is_thread_exc_return(std::uint32_t word) { return (word & 0xffffff88U) == 0xffffff88U; }
constexpr bool has_fp_frame(std::uint32_t exc_return) { return (exc_return & 1U << 4) == 0; }

// Nothing if memory is missing.
std::optional<arm::RegisterFile> unstack(const SavedFrame& frame, Memory& memory, const arm::RegisterFile& live);

// Only sp is known.
arm::RegisterFile only_stack_pointer(std::uint32_t stack_pointer, const arm::RegisterFile& live);

}  // namespace mv::gdb::rtos
