#include "arch/cortex-m33/world_context.h"

#include <arm_cmse.h>

#include <algorithm>
#include <cstring>

#include "arch/cortex-m33/memory_watch.h"
#include "arch/cortex-m33/registers.h"

extern "C" void mv_read_high_fp(std::uint32_t* s16_to_s31);
extern "C" void mv_write_high_fp(const std::uint32_t* s16_to_s31);

namespace mv::arch {
namespace {

constexpr std::uint32_t kFrameSize = sizeof(ExceptionFrame);
constexpr std::uint32_t kFpFrameSize = kFrameSize + 18 * 4;  // s0-s15, FPSCR, one word unused
constexpr std::uint32_t kPadded = 1U << 9;                   // xPSR: a word was left out to align the frame to 8 bytes
constexpr std::uint32_t kUsesProcessStack = 2;               // CONTROL.SPSEL
constexpr std::uint32_t kUnprivileged = 1;                   // CONTROL.nPRIV

std::uint32_t frame_size(ExcReturn exc_return) { return exc_return.fp_frame() ? kFpFrameSize : kFrameSize; }

// Bit 2 of EXC_RETURN speaks of the Secure state's stack; which one the application used is in CONTROL_NS.
bool on_process_stack(ExcReturn exc_return) {
  return exc_return.thread_mode() && (read_control_ns() & kUsesProcessStack) != 0;
}

std::uint32_t stack_pointer(ExcReturn exc_return) {
  return on_process_stack(exc_return) ? read_psp_ns() : read_msp_ns();
}

bool usable(std::uint32_t frame, std::uint32_t size) {
  constexpr int kAccess = CMSE_NONSECURE | CMSE_MPU_READWRITE;
  return frame % 8 == 0 && cmse_check_address_range(reinterpret_cast<void*>(frame), size, kAccess) != nullptr;
}

std::uint32_t* fp_part(ExceptionFrame* frame) { return reinterpret_cast<std::uint32_t*>(frame + 1); }

void read_frame(ExceptionFrame* frame, ExcReturn exc_return, debug::Context& out) {
  std::copy_n(&frame->r0, 4, out.core.begin());
  out.core[12] = frame->r12;
  out.lr() = frame->lr;
  out.pc() = frame->pc;
  out.xpsr() = frame->xpsr & ~kPadded;
  out.sp() += frame_size(exc_return) + ((frame->xpsr & kPadded) != 0 ? 4 : 0);
  if (!out.has_fp) return;
  std::copy_n(fp_part(frame), 16, out.fp.begin());
  mv_read_high_fp(&out.fp[16]);
  out.fp[32] = fp_part(frame)[16];
}

void write_frame(const debug::Context& context, ExceptionFrame* frame) {
  std::copy_n(context.core.begin(), 4, &frame->r0);
  frame->r12 = context.core[12];
  frame->lr = context.core[14];
  frame->pc = context.core[15] & ~1U;
  frame->xpsr = (frame->xpsr & kPadded) | (context.core[16] & ~kPadded);
  if (!context.has_fp) return;
  std::copy_n(context.fp.begin(), 16, fp_part(frame));
  mv_write_high_fp(&context.fp[16]);
  fp_part(frame)[16] = context.fp[32];
}

// Moves the frame so that the stack pointer will be `sp` once it is popped. Returns where the frame is now.
ExceptionFrame* move_frame(ExceptionFrame* frame, ExcReturn exc_return, std::uint32_t sp) {
  const std::uint32_t size = frame_size(exc_return);
  const std::uint32_t at = (sp - size) & ~7U;
  if (sp % 4 != 0 || !usable(at, size)) return frame;
  auto* moved = reinterpret_cast<ExceptionFrame*>(at);
  std::memmove(moved, frame, size);
  moved->xpsr = (moved->xpsr & ~kPadded) | ((sp - size) % 8 != 0 ? kPadded : 0);
  on_process_stack(exc_return) ? write_psp_ns(at) : write_msp_ns(at);
  return moved;
}

void write_system(const debug::Context& context, ExcReturn exc_return) {
  // The stack pointer that holds the frame is moved with the frame, and with nothing else.
  if (on_process_stack(exc_return)) {
    write_msp_ns(context.system[0]);
  } else {
    write_psp_ns(context.system[1]);
  }
  write_primask_ns(context.system[2]);
  write_basepri_ns(context.system[3]);
  write_faultmask_ns(context.system[4]);
  write_control_ns((read_control_ns() & ~kUnprivileged) | (context.system[5] & kUnprivileged));
  write_msplim_ns(context.system[6]);
  write_psplim_ns(context.system[7]);
}

}  // namespace

ExceptionFrame* frame_of(const SavedContext& world) {
  const ExcReturn exc_return{world.exc_return};
  const std::uint32_t frame = stack_pointer(exc_return);
  return usable(frame, frame_size(exc_return)) ? reinterpret_cast<ExceptionFrame*>(frame) : nullptr;
}

bool lies_in_frame(ExcReturn exc_return, std::uint32_t address) {
  return address - stack_pointer(exc_return) < frame_size(exc_return);  // wraps to a big number below it
}

ExceptionFrame* push_frame(ExcReturn exc_return, const std::uint32_t* frame, std::uint32_t size) {
  const MemoryWatch::Opening opening;
  const std::uint32_t sp = stack_pointer(exc_return);
  const std::uint32_t at = (sp - size) & ~7U;
  const std::uint32_t limit = on_process_stack(exc_return) ? read_psplim_ns() : read_msplim_ns();
  if (sp % 4 != 0 || at < limit || !usable(at, size)) return nullptr;
  auto* copy = reinterpret_cast<ExceptionFrame*>(at);
  std::memcpy(copy, frame, size);
  copy->xpsr = (copy->xpsr & ~kPadded) | ((sp - size) % 8 != 0 ? kPadded : 0);
  on_process_stack(exc_return) ? write_psp_ns(at) : write_msp_ns(at);
  return copy;
}

void read_context(const SavedContext& world, bool frame_lost, debug::Context& out) {
  const ExcReturn exc_return{world.exc_return};
  ExceptionFrame* frame = frame_lost ? nullptr : frame_of(world);
  out = {};
  out.frame_valid = frame != nullptr;
  out.has_fp = frame != nullptr && exc_return.fp_frame();
  std::copy(world.r4_r11.begin(), world.r4_r11.end(), out.core.begin() + 4);
  out.sp() = stack_pointer(exc_return);
  if (frame != nullptr) read_frame(frame, exc_return, out);
  out.system = {read_msp_ns(),       read_psp_ns(),     read_primask_ns(), read_basepri_ns(),
                read_faultmask_ns(), read_control_ns(), read_msplim_ns(),  read_psplim_ns()};
  // The stack in use is reported without the frame, as the application knows it.
  out.system[on_process_stack(exc_return) ? 1 : 0] = out.sp();
}

void write_context(const debug::Context& context, SavedContext& world) {
  const ExcReturn exc_return{world.exc_return};
  std::copy_n(context.core.begin() + 4, 8, world.r4_r11.begin());
  ExceptionFrame* frame = context.frame_valid ? frame_of(world) : nullptr;
  if (frame == nullptr) return;
  frame = move_frame(frame, exc_return, context.core[13]);
  write_frame(context, frame);
  write_system(context, exc_return);
}

}  // namespace mv::arch
