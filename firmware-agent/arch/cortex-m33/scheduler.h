// The scheduler of the two contexts: the Secure thread and the Non-secure world (docs/architecture.md, "Who runs
// when").
//
// Switches are made in PendSV_S (priority 0x60, above everything Non-secure), which finds the processor in one of four
// places, told apart by EXC_RETURN (ARM DDI 0553B, B3.17):
//   Non-secure Thread or Handler mode, world current: a plain switch. Exception return to Secure Thread mode while
//     Non-secure exceptions are active is legal in v8-M (CCR.NONBASETHRDENA is RES1); they just stay active.
//   Non-secure Handler mode, thread current: an interrupt of the application pre-empted the thread. It goes on, unless
//   it
//     stopped for the debugger, or kept the thread waiting for kHandlerPatience: then it is *adopted*, see `adopt`.
//   Secure Thread mode: the thread itself, or a system call of the application on the world's own Secure stack.
//   Secure Handler mode: a system call made by an interrupt handler, on MSP_S, which is nobody's own: not now.
// A switch that cannot be made because a system call is in flight sets mv_switch_wanted, and the call's end makes it.
//
// So no application keeps the thread waiting for more than kCriticalPatience, whatever it does.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/platform/ports.h"

namespace mv::arch {

// Layout known to exceptions.S.
struct SavedContext {
  std::array<std::uint32_t, 8> r4_r11;
  std::uint32_t exc_return;
  std::uint32_t psp;     // PSP_S
  std::uint32_t psplim;  // PSPLIM_S
  std::uint32_t basepri;
};
static_assert(sizeof(SavedContext) == 48);

// EXC_RETURN taken apart (ARM DDI 0553B, D1.2.95).
struct ExcReturn {
  std::uint32_t value;

  bool secure() const { return (value & kSecureStack) != 0; }  // the interrupted state, and whose stack holds the frame
  bool thread_mode() const { return (value & 0x08) != 0; }     // else a handler was interrupted
  bool fp_frame() const { return (value & 0x10) == 0; }
  bool process_stack() const { return (value & 0x04) != 0; }  // of the Secure state

  static constexpr std::uint32_t kSecureStack = 0x40;
  static constexpr std::uint32_t kNonSecureThread = 0xffffffbd;
  static constexpr std::uint32_t kNonSecureHandler = 0xffffffb5;
  static constexpr std::uint32_t kSecureThread = 0xfffffffd;
  static constexpr std::uint32_t kSecureThreadAllStacked = 0xffffffdd;  // r4-r11 lie on the stack too (DCRS = 0)
};

// Who looks after the Non-secure world. Called in PendSV_S.
class WorldKeeper {
 public:
  // A fault or breakpoint was noted and not dealt with.
  virtual bool event_pending() const = 0;

  // A switch point is wanted soon, although nobody else needs the CPU. The middle of a system call is none.
  virtual bool switch_point_wanted() const = 0;

  // The world is stopped in Non-secure state and `world` describes it: the moment to halt, resume and deliver events.
  virtual void at_switch_point(SavedContext& world) = 0;

  // PendSV_S is about to return; `application` if it does so to Non-secure state, into the world's context.
  virtual void before_return(bool application) = 0;

  // The interrupted code sits on a WFI or WFE: it needs no CPU until an interrupt of its own comes.
  virtual bool waits_for_interrupt(const SavedContext& world) const = 0;

 protected:
  ~WorldKeeper() = default;
};

class Scheduler final : public Waiter {
 public:
  static constexpr std::uint64_t kSlice = 1'000;             // us that each side gets when both want the CPU
  static constexpr std::uint64_t kIdleSlice = 50;            // us for a world that sits on WFI
  static constexpr std::uint64_t kHandlerPatience = 2'000;   // us the thread waits for an interrupt handler to end
  static constexpr std::uint64_t kCriticalPatience = 8'000;  // us it waits for PRIMASK_NS or FAULTMASK_NS to be cleared
  static constexpr std::uint64_t kRetry = 200;               // us between two looks at a world that cannot be left

  // Runs `entry` as the Secure thread on `thread_stack`; does not return. `world_stack` takes the system calls.
  [[noreturn]] void run(Clock& clock, WorldKeeper& keeper, std::span<std::uint32_t> thread_stack,
                        std::span<std::uint32_t> world_stack, void (*entry)());

  void wait_until(std::uint64_t deadline_us) override;

  // Ends the thread's wait. From any Secure context.
  void wake();

  // Whether the world gets CPU time at all; it starts off without. Takes effect with the next switch.
  void set_world_runnable(bool runnable) { world_runnable_ = runnable; }

  // Holds back every interrupt of the application. Takes effect with the next switch.
  void mask_world_interrupts(bool masked) { world_masked_ = masked; }

  // Holds back every interrupt of the application while the thread is the one that runs. Takes effect with the next
  // switch.
  void keep_interrupts_apart(bool apart) { interrupts_apart_ = apart; }

  // Makes the world start anew: in Non-secure state as `exc_return` says, with an empty Secure stack.
  // Only while it is not runnable.
  void reset_world(std::uint32_t exc_return);

  SavedContext& world() { return world_; }

  // Bytes of the Secure thread's stack never used since boot.
  std::size_t thread_stack_unused() const;
  std::size_t world_stack_unused() const;

  // Entry points of the exceptions.
  SavedContext* switch_context();
  void tick(std::uint32_t exc_return);
  void sleep();

  // A system call is about to return to Non-secure state while mv_switch_wanted is set; it stands in SVC_Handler, its
  // frame at `frame`. Makes it look interrupted in Non-secure state, where r12 of the frame says: right after the call,
  // or right before it if it is to be made again. Returns EXC_RETURN.
  std::uint32_t leave_system_call(ExcReturn from, std::uint32_t* frame, std::uint32_t& bytes_taken);

 private:
  bool adopt();
  SavedContext* next_context();
  SavedContext* choose(std::uint64_t now);
  bool may_leave_world(std::uint64_t now) const;
  void select(SavedContext* next, std::uint64_t now);
  void note_intruder(ExcReturn interrupted, std::uint64_t now);
  void arm_tick(std::uint64_t now);

  Clock* clock_ = nullptr;
  WorldKeeper* keeper_ = nullptr;
  SavedContext thread_{};
  SavedContext world_{};
  std::span<std::uint32_t> thread_stack_, world_stack_;

  volatile bool blocked_ = false;  // the thread sits in wait_until
  volatile bool woken_ = false;    // a wake came that no wait_until has used yet
  volatile bool world_runnable_ = false;
  volatile bool interrupts_apart_ = false;
  volatile bool world_masked_ = false;
  bool adoption_due_ = false;
  std::uint64_t deadline_ = 0;        // of the wait
  std::uint64_t ready_since_ = 0;     // since when the thread could run, while the world is current
  std::uint64_t slice_end_ = 0;       // of the current context
  std::uint64_t intruder_since_ = 0;  // since when ticks find an application's handler on top of the thread; 0: none
};

// The one scheduler: exceptions have no other way to find it.
extern Scheduler scheduler;

}  // namespace mv::arch
