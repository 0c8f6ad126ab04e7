// Run control of the application: breakpoints, stepping and stops, decided on the device.
//
// The engine runs in two places that never overlap. While the application runs, its state belongs to `on_event`, which
// the board calls from an exception; while the application is halted, to the Secure thread. `state` says which it is;
// besides it only `interrupt` may be used at any time.
//
// Stepping executes one instruction at a time between stops that are put where it can land (next_pc.h), with the
// application's interrupts masked; every kStepsPerWindow instructions they are let through, so that a loop which waits
// for an interrupt ends. After kStepsPerSlice instructions the Secure thread gets a turn, so that an endless loop can
// be interrupted.
//
// Watchpoints (watchpoints.h) work while the application runs, in its interrupt handlers and while it is stepped. On a
// board that watches by attribution each access to the surroundings of watched bytes comes here first, and the
// instruction tells which bytes it means: a hit stops the application before it, anything else is executed alone, the
// guards away, and what went on goes on. A watchpoint on a stack makes the engine step all the way.
//
// A breakpoint's conditions and commands (breakpoint_programs.h) run in the exception, once each time its instruction
// is reached. If they do not stop the application, the instruction is executed alone and what went on goes on, be that
// a run, a step or an interrupt handler in the middle of one.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/debug/breakpoints.h"
#include "core/debug/console_text.h"
#include "core/debug/next_pc.h"
#include "core/debug/semihosting.h"
#include "core/debug/trace_records.h"
#include "core/debug/watchpoints.h"
#include "core/platform/debug_unit.h"

namespace mv::debug {

enum class Reason : std::uint8_t {
  kNone,
  kBreakpoint,
  kStep,
  kInterrupt,
  kFault,
  kReset,
  kWatchpoint,
  kProgramBreakpoint,  // a BKPT of the program's own
  kExited,             // one that says the program has ended (semihosting.h)
};

struct AddressRange {  // [start, end)
  std::uint32_t start = 0;
  std::uint32_t end = 0;
};

class Engine final : public DebugEvents {
 public:
  static constexpr std::size_t kMaxRanges = 32;
  static constexpr std::uint32_t kStepsPerWindow = 32;
  static constexpr std::uint32_t kStepsPerSlice = 256;
  static constexpr std::uint64_t kHaltRetryUs = 2000;  // a halt that found a system call in flight is asked for again

  enum class Goal : std::uint8_t { kRun, kStep, kStepRange };

  enum class State : std::uint8_t {
    kRunning,
    kPaused,  // a long step gives the Secure thread a turn: `poll` goes on with it
    kHalted,
  };

  Engine(DebugUnit& unit, ApplicationMemory& memory)
      : unit_(unit), breakpoints_(unit, memory), memory_(memory, breakpoints_), watchpoints_(unit, memory_) {}

  // From here on, events halt the application; before, a BKPT or a fault is a crash.
  void attach() { set_attached(true); }
  bool attached() const { return attached_; }

  // While it is on, only breakpoints without anything to collect and `interrupt` halt: a fault, or a BKPT of the
  // program's own, is a crash as if nobody debugged. Off again with `release` or `application_stopped`. Only while
  // halted.
  void trace(Clock& clock) {
    tracing_ = true;
    records_.start(clock);
  }

  State state() const { return state_; }
  bool halted() const { return state_ == State::kHalted; }

  // Lets the application go on; only while halted. False if its context was lost (`context().frame_valid`): then only a
  // restart helps.
  // The stop may already have come when this returns. `step_interrupts`: interrupts are taken between steps, and the
  // step goes on when their handlers have ended; else they wait until a step's end, or kStepsPerWindow instructions.
  bool resume(Goal goal, std::span<const AddressRange> ranges, bool step_interrupts = false);

  // Faults do not halt the application if its own HardFault handler can have them.
  void reflect_faults(bool wanted) { reflects_ = wanted; }

  // Asks the running application to stop: kInterrupt follows, unless it stops for another reason first.
  void interrupt();

  // Takes every breakpoint and watchpoint out, lets the application run on and forgets it: done when `attached` is
  // false. If `context_lost` is true then, it could not run on, and the supervisor has to restart it.
  void release();
  bool releasing() const { return releasing_; }
  bool context_lost() const { return context_lost_; }

  // Keeps the application halted, without breakpoints and watchpoints.
  void remove_breakpoints();

  // The supervisor stopped the application, so its image will be made fresh: nothing of the old one stands. If the
  // debugger held it, what is started next halts, with kReset, before its first instruction.
  void application_stopped();

  // Before the supervisor restarts the application for the debugger: it will halt, with kReset, before its first
  // instruction. Then, once it is halted, `restarted` puts the breakpoints into the fresh image.
  void before_restart();
  void restarted() { breakpoints_.replace(); }

  // Goes on with what needs the Secure thread. Call it often; `deadline_us` says when at the latest.
  void poll(std::uint64_t now_us);
  std::optional<std::uint64_t> deadline_us() const;

  // Only while halted:
  Reason reason() const { return reason_; }
  Context& context() { return context_; }
  const FaultRegisters& fault() const { return fault_; }
  std::uint32_t steps() const { return steps_; }             // instructions stepped since the last resume
  const WatchHit& watch_hit() const { return watch_hit_; }   // of Reason::kWatchpoint
  std::uint8_t exit_status() const { return exit_status_; }  // of Reason::kExited
  Breakpoints& breakpoints() { return breakpoints_; }
  Watchpoints& watchpoints() { return watchpoints_; }
  ApplicationMemory& memory() { return memory_; }

  // What conditions and commands have to say, and the application by semihosting; and what a trace collects. To be read
  // at any time.
  ConsoleText& console() { return console_; }
  TraceRecords& records() { return records_; }

  // What the application writes by semihosting, whether or not it is debugged. `log` must outlive this.
  void keep_lines_in(LineLog& log) { text_.keep_lines_in(log); }

  Verdict on_event(Event event, Context& context, const FaultRegisters& fault) override;

 private:
  // What the application runs for at the moment.
  enum class Phase : std::uint8_t {
    kFree,    // it runs
    kStep,    // one instruction, to one of the stops
    kWindow,  // pending interrupts are taken, then the stop at the same place is hit
    kDetour,  // one instruction that only touched the surroundings of a watchpoint, or met a stop that is not its
    kLeave,   // it left for the Secure side; `poll` halts it as soon as it is back
    kReset,   // it is restarted, and halts before its first instruction
  };

  // What the application was doing before a detour.
  struct Outer {
    Phase phase = Phase::kFree;
    Step step;
    std::uint32_t pc = 0;  // of the detour
  };

  void set_attached(bool attached);
  Verdict on_breakpoint(Context& context);
  Verdict on_user_breakpoint(Context& context);
  Verdict on_own_stop(Context& context);
  Verdict on_watchpoint(Context& context, const FaultRegisters& fault);
  Verdict on_access(Context& context);
  Verdict on_hardware_step(Context& context);
  Verdict on_halt_request(Context& context);
  Verdict arrived(Context& context);
  Reason reason_to_stop(const Context& context);
  bool hits(const Context& context);
  Reason program_reason(const Context& context);
  bool write_text(Context& context);
  Verdict go_on(Context& context);
  std::optional<WatchHit> about_to_hit(const Context& context);
  Verdict carry_out(const Step& step, Context& context);
  Verdict run_free(Context& context);
  Verdict let_go(Context& context);
  Verdict leave(Context& context);
  Verdict open_window(Context& context);
  Verdict detour(Context& context);
  Verdict end_detour(Context& context);
  bool put_stops(const Step& step);
  Verdict stop(Reason reason, const Context& context);
  Verdict stop_at(const WatchHit& hit, const Context& context);
  void finish_release();
  void continue_halted();
  bool skip_own_breakpoint(Context& context);
  bool program_breakpoint(std::uint32_t address);
  bool in_ranges(std::uint32_t pc) const;
  bool same_place(const Context& context) const;
  bool is_ours(const Context& context) const;
  bool stepping() const { return goal_ != Goal::kRun || watchpoints_.must_step(); }

  DebugUnit& unit_;
  Breakpoints breakpoints_;
  MaskedMemory memory_;
  Watchpoints watchpoints_;
  ConsoleText console_;
  semihosting::Output text_{console_};
  TraceRecords records_;

  std::atomic<State> state_ = State::kRunning;
  std::atomic<bool> attached_ = false;
  bool tracing_ = false;
  std::atomic<bool> interrupt_ = false;
  std::atomic<bool> releasing_ = false;
  std::atomic<bool> halt_due_ = false;  // `poll` asks the board for a halt
  bool context_lost_ = false;
  std::uint64_t halt_at_us_ = 0;

  Goal goal_ = Goal::kRun;
  Phase phase_ = Phase::kFree;
  Outer outer_;                    // while the phase is kDetour
  Step step_;                      // whose stops are in place
  std::uint32_t origin_ipsr_ = 0;  // the handler that the step began in
  bool step_interrupts_ = false;
  bool reflects_ = false;
  bool unwatched_ = false;  // the next instruction hit a watchpoint that was reported already
  std::array<AddressRange, kMaxRanges> ranges_{};
  std::size_t range_count_ = 0;
  std::uint32_t steps_ = 0;
  std::uint32_t slice_ = 0;

  // The breakpoint at pc did not stop the application, and its instruction is still to be executed.
  bool judged_ = false;

  Reason reason_ = Reason::kNone;
  Context context_{};
  FaultRegisters fault_{};
  WatchHit watch_hit_{};
  std::uint8_t exit_status_ = 0;
  std::uint32_t stopped_pc_ = 0;
  std::uint32_t watch_hit_pc_ = 0;
};

}  // namespace mv::debug
