#include "arch/cortex-m33/scheduler.h"

#include <algorithm>

#include "arch/cortex-m33/board_hooks.h"
#include "arch/cortex-m33/core_traits.h"
#include "arch/cortex-m33/critical_section.h"
#include "arch/cortex-m33/registers.h"
#include "arch/cortex-m33/world_context.h"

extern "C" {
mv::arch::SavedContext* mv_current_context;
std::uint32_t mv_base_mask;
std::uint32_t mv_switch_wanted;  // read by syscalls.S
void mv_return_trampoline();
void mv_idle();
}

namespace mv::arch {

constinit Scheduler scheduler;

namespace {

constexpr std::uint32_t kUnusedWord = 0xa5a5a5a5;      // fills stacks, so that their use can be seen
constexpr std::uint32_t kSeal = 0xfef5eda5;            // no EXC_RETURN can take this for a frame (ARM "stack sealing")
constexpr std::uint32_t kFrameSignature = 0xfefa125b;  // on top of r4-r11 in a frame without FP (DDI 0553B, B3.19)
constexpr std::uint32_t kFramePadded = 1U << 9;        // xPSR of a frame
constexpr std::uint32_t kFpPartSize = 18 * 4;          // of a frame: s0-s15, FPSCR, one word unused
constexpr std::uint32_t kMaskAll = 0x80;               // BASEPRI_S: no Non-secure interrupt at all
constexpr std::uint32_t kMaskLowest = 0xf0;            // those of Non-secure priority 0xe0 and below: an RTOS' PendSV
constexpr std::uint64_t kLongestTick = 0xffffff / kTicksPerMicrosecond;

// What the exception entry of SVC_Handler finds above its frame.
struct PutAside {
  std::array<std::uint32_t, 8> r4_r11;
  std::uint32_t exc_return, basepri, unused[2];
};

// A Secure frame as the processor stacks it when a Non-secure exception interrupts Secure code.
struct FullFrame {
  std::uint32_t signature, reserved, r4_r11[8];
  std::uint32_t r0_r3[4], r12, lr, pc, xpsr;
};

std::uint32_t prepare_stack(std::span<std::uint32_t> stack) {
  std::fill(stack.begin(), stack.end(), kUnusedWord);
  stack[stack.size() - 1] = kSeal;
  stack[stack.size() - 2] = kSeal;
  return reinterpret_cast<std::uint32_t>(stack.data() + stack.size() - 2);
}

std::size_t unused_bytes(std::span<const std::uint32_t> stack) {
  const auto used = std::find_if(stack.begin(), stack.end(), [](std::uint32_t word) { return word != kUnusedWord; });
  return static_cast<std::size_t>(used - stack.begin()) * sizeof(std::uint32_t);
}

// Never comes back: the Secure thread begins on its own stack.
[[noreturn]] void enter_thread(std::uint32_t psp, std::uint32_t psplim, void (*entry)()) {
  __asm volatile("msr psp, %0\n msr psplim, %1\n movs r3, #2\n msr control, r3\n isb\n cpsie i\n blx %2\n udf #0"
                 :
                 : "r"(psp), "r"(psplim), "r"(entry)
                 : "r3", "memory");
  __builtin_unreachable();
}

}  // namespace

void Scheduler::run(Clock& clock, WorldKeeper& keeper, std::span<std::uint32_t> thread_stack,
                    std::span<std::uint32_t> world_stack, void (*entry)()) {
  clock_ = &clock;
  keeper_ = &keeper;
  thread_stack_ = thread_stack;
  world_stack_ = world_stack;
  reset_world(ExcReturn::kNonSecureThread);
  mv_current_context = &thread_;
  select(&thread_, clock.uptime_us());
  write_basepri(mv_base_mask);
  enter_thread(prepare_stack(thread_stack), reinterpret_cast<std::uint32_t>(thread_stack.data()), entry);
}

void Scheduler::reset_world(std::uint32_t exc_return) {
  world_ = {};
  world_.psp = prepare_stack(world_stack_);
  world_.psplim = reinterpret_cast<std::uint32_t>(world_stack_.data());
  world_.exc_return = exc_return;
}

std::size_t Scheduler::thread_stack_unused() const { return unused_bytes(thread_stack_); }
std::size_t Scheduler::world_stack_unused() const { return unused_bytes(world_stack_); }

void Scheduler::wait_until(std::uint64_t deadline_us) {
  board_feed_watchdog();
  {
    const InterruptsOff guard;
    const std::uint64_t now = clock_->uptime_us();
    if (woken_ || now >= deadline_us) {
      woken_ = false;
      return;
    }
    deadline_ = std::min(deadline_us, now + kFeedUs);
    blocked_ = true;
    pend_switch();
  }
  while (blocked_) mv_idle();
  woken_ = false;
}

// The world is not runnable either, else the thread would not be here. In a handler, because QEMU 7.2 wakes for every
// interrupt more urgent than the active exception, masked or not (nvic_irq_update): with none active, an interrupt of
// the halted application that is pending would keep the host's core busy.
void Scheduler::sleep() {
  const InterruptsOff guard;
  if (blocked_) __asm volatile("dsb\n wfi" : : : "memory");
}

void Scheduler::wake() {
  const InterruptsOff guard;
  woken_ = true;
  if (!blocked_) return;
  blocked_ = false;
  ready_since_ = clock_->uptime_us();
  pend_switch();
}

SavedContext* Scheduler::switch_context() {
  SavedContext* next = next_context();
  keeper_->before_return(next == &world_ && !ExcReturn{next->exc_return}.secure());
  return next;
}

SavedContext* Scheduler::next_context() {
  const std::uint64_t now = clock_->uptime_us();
  const ExcReturn interrupted{mv_current_context->exc_return};
  mv_switch_wanted = 0;
  if (interrupted.secure() && !interrupted.thread_mode()) {
    mv_switch_wanted = 1;
    arm_tick(now);
    return mv_current_context;
  }
  if (mv_current_context == &thread_ && !interrupted.secure()) {
    const bool wanted = adoption_due_ || keeper_->event_pending();
    if (!wanted || !adopt()) {
      arm_tick(now);
      return mv_current_context;
    }
  }
  if (!ExcReturn{world_.exc_return}.secure()) {
    keeper_->at_switch_point(world_);
  } else if (keeper_->switch_point_wanted()) {
    mv_switch_wanted = 1;
  }
  select(choose(now), now);
  return mv_current_context;
}

// An interrupt handler of the application runs on top of the Secure thread, and the thread is to go on: the handler
// becomes the world's context, on top of what the world was before. When it returns, the processor pops a Secure frame,
// which it expects to be the thread's; it gets one whose code, the trampoline, resumes what the world was before.
//
// False if the world's Secure stack has no room: handlers nested dozens deep, each of them adopted.
bool Scheduler::adopt() {
  const std::uint32_t room = world_.psp - world_.psplim;
  if (room < sizeof(PutAside) + sizeof(FullFrame)) return false;

  auto* aside = reinterpret_cast<PutAside*>(world_.psp) - 1;
  *aside = {world_.r4_r11, world_.exc_return, world_.basepri, {}};
  auto* frame = reinterpret_cast<FullFrame*>(aside) - 1;
  *frame = {};
  frame->signature = kFrameSignature;
  frame->pc = reinterpret_cast<std::uint32_t>(&mv_return_trampoline) & ~1U;
  frame->xpsr = 1U << 24;  // Thumb

  world_.r4_r11 = thread_.r4_r11;  // the switch saved the handler's registers as if they were the thread's
  world_.exc_return = thread_.exc_return;
  world_.psp = reinterpret_cast<std::uint32_t>(frame);
  world_.basepri = 0;
  thread_.exc_return = ExcReturn::kSecureThreadAllStacked;
  mv_current_context = &world_;
  adoption_due_ = false;
  intruder_since_ = 0;
  if (!blocked_) ready_since_ = slice_end_ = 0;
  return true;
}

std::uint32_t Scheduler::leave_system_call(ExcReturn from, std::uint32_t* frame, std::uint32_t& bytes_taken) {
  mv_switch_wanted = 0;
  const std::uint32_t padding = (frame[7] & kFramePadded) != 0 ? 4 : 0;
  const std::uint32_t size = from.fp_frame() ? sizeof(ExceptionFrame) + kFpPartSize : sizeof(ExceptionFrame);
  bytes_taken = 0;
  const ExcReturn to{from.value & ~ExcReturn::kSecureStack};
  ExceptionFrame* copy = push_frame(to, frame, size);
  if (copy == nullptr) return from.value;  // its stack is bad: it will find out by itself
  copy->pc = copy->r12 & ~1U;              // nothing of ours goes along: syscalls.S saw to the registers
  copy->xpsr = (copy->xpsr & kFramePadded) | 1U << 24 | (frame[7] & 0x1ff);
  if (from.thread_mode()) {
    write_psp(reinterpret_cast<std::uint32_t>(frame) + size + padding);
  } else {
    bytes_taken = size + padding;
  }
  pend_switch();
  return to.value;
}

SavedContext* Scheduler::choose(std::uint64_t now) {
  if (!world_runnable_) return &thread_;
  if (blocked_) return &world_;
  if (mv_current_context == &thread_) return now >= slice_end_ ? &world_ : &thread_;
  return may_leave_world(now) ? &thread_ : &world_;
}

bool Scheduler::may_leave_world(std::uint64_t now) const {
  if (now < slice_end_) return false;
  const std::uint64_t waited = now - ready_since_;
  const ExcReturn at{world_.exc_return};
  if (!at.secure() && !at.thread_mode() && waited < kHandlerPatience) return false;
  const bool critical = read_primask_ns() != 0 || read_faultmask_ns() != 0;
  return !critical || waited >= kCriticalPatience;
}

void Scheduler::select(SavedContext* next, std::uint64_t now) {
  if (next != mv_current_context) {
    const bool to_thread = next == &thread_;
    const bool brief = !to_thread && keeper_->waits_for_interrupt(world_);
    // The thread that waits for nothing but its turn owes the world a slice; one that blocked may come back at once.
    // A world that kept the thread waiting beyond its slice waits as long itself.
    const std::uint64_t waited = to_thread && ready_since_ != 0 ? now - ready_since_ : 0;
    const std::uint64_t slice = brief ? kIdleSlice : std::clamp(waited, kSlice, kCriticalPatience);
    slice_end_ = !to_thread && blocked_ ? 0 : now + slice;
    ready_since_ = now;
    intruder_since_ = 0;
    adoption_due_ = false;
    mv_current_context = next;
  }
  const bool mask_all = !world_runnable_ || world_masked_ || (interrupts_apart_ && next == &thread_);
  mv_base_mask = mask_all ? kMaskAll : next == &thread_ ? kMaskLowest : 0;
  // A system call in flight keeps its own mask, and goes back to mv_base_mask when it ends.
  if (next == &thread_ || !ExcReturn{world_.exc_return}.secure()) next->basepri = mv_base_mask;
  arm_tick(now);
}

void Scheduler::tick(std::uint32_t exc_return) {
  const std::uint64_t now = clock_->uptime_us();
  if (blocked_ && now >= deadline_) wake();
  note_intruder({exc_return}, now);
  if (world_runnable_ && (!blocked_ || keeper_->switch_point_wanted())) pend_switch();
  arm_tick(now);
}

void Scheduler::note_intruder(ExcReturn interrupted, std::uint64_t now) {
  if (mv_current_context != &thread_ || (interrupted.secure() && interrupted.thread_mode())) {
    intruder_since_ = 0;
    adoption_due_ = false;
  } else if (intruder_since_ == 0) {
    intruder_since_ = now;
  } else if (now - intruder_since_ >= kHandlerPatience) {
    adoption_due_ = true;
  }
}

// SysTick as a one-shot: no tick while nobody needs one.
void Scheduler::arm_tick(std::uint64_t now) {
  std::uint64_t delay = kLongestTick;
  if (world_runnable_ && keeper_->switch_point_wanted()) {
    delay = kRetry;
  } else if (blocked_) {
    delay = deadline_ > now ? deadline_ - now : kIdleSlice;
  } else if (world_runnable_) {
    delay = slice_end_ > now ? slice_end_ - now : kRetry;
  }
  const auto us = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(delay, kIdleSlice, kLongestTick));
  reg32(kSysTickControl) = 0;
  reg32(kSysTickReload) = us * kTicksPerMicrosecond - 1;
  reg32(kSysTickCurrent) = 0;
  reg32(kSysTickControl) = kTickFromCore ? 7 : 3;  // clock source, interrupt, on
}

}  // namespace mv::arch

extern "C" mv::arch::SavedContext* mv_switch_context() { return mv::arch::scheduler.switch_context(); }

// Returns EXC_RETURN in r0 and the bytes to take off MSP_S in r1.
extern "C" std::uint64_t mv_leave_system_call(std::uint32_t exc_return, std::uint32_t* msp, std::uint32_t* psp) {
  const mv::arch::ExcReturn from{exc_return};
  std::uint32_t taken = 0;
  const std::uint32_t to = mv::arch::scheduler.leave_system_call(from, from.thread_mode() ? psp : msp, taken);
  return std::uint64_t{taken} << 32 | to;
}

extern "C" void mv_sleep() { mv::arch::scheduler.sleep(); }

extern "C" void mv_tick(std::uint32_t exc_return) { mv::arch::scheduler.tick(exc_return); }
