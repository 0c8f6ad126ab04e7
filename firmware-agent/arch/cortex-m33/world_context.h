// Between the interrupted Non-secure context as the processor stored it and debug::Context.
#pragma once

#include <cstdint>

#include "arch/cortex-m33/scheduler.h"
#include "core/platform/debug_unit.h"

namespace mv::arch {

// The frame that the processor stacked on exception entry (ARM DDI 0553B, B3.19).
struct ExceptionFrame {
  std::uint32_t r0, r1, r2, r3, r12, lr, pc, xpsr;
};

// The frame of an interrupted Non-secure context; null if the stack pointer does not point to memory that the
// application may read and write.
ExceptionFrame* frame_of(const SavedContext& world);

// Puts a copy of `frame` (`size` bytes) on the application's current stack, as an interruption would; null if the stack
// has no room for it.
ExceptionFrame* push_frame(ExcReturn exc_return, const std::uint32_t* frame, std::uint32_t size);

// Whether `address` lies in the frame that the processor stored, or tried to, for an interrupted Non-secure context.
bool lies_in_frame(ExcReturn exc_return, std::uint32_t address);

// Reads everything. `frame_lost`: the frame was not stored although the stack pointer looks good.
void read_context(const SavedContext& world, bool frame_lost, debug::Context& out);

// Writes everything back but what makes no sense to change: CONTROL_NS.SPSEL and .FPCA, whether there is an FP context.
// A stack pointer that was changed moves the frame; if there is no room for it at the new place, it is not changed.
void write_context(const debug::Context& context, SavedContext& world);

}  // namespace mv::arch
