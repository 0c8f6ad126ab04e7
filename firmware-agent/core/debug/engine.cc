#include "core/debug/engine.h"

#include <algorithm>

namespace mv::debug {

bool Engine::resume(Goal goal, std::span<const AddressRange> ranges) {
  if (!context_.frame_valid) return false;
  goal_ = goal;
  range_count_ = std::min(ranges.size(), kMaxRanges);
  std::copy_n(ranges.begin(), range_count_, ranges_.begin());
  steps_ = 0;
  slice_ = 0;
  interrupt_ = false;
  if (skip_own_breakpoint(context_)) {
    const Reason reason = reason_to_stop(context_);
    if (reason != Reason::kNone) {
      stop(reason, context_);
      return true;
    }
  }
  continue_halted();
  return true;
}

void Engine::interrupt() {
  if (state_ == State::kHalted) return;
  interrupt_ = true;
  halt_due_ = true;
  unit_.halt();
}

void Engine::release() {
  releasing_ = true;
  if (state_ != State::kRunning) return finish_release();
  halt_due_ = true;
  unit_.halt();
}

void Engine::application_stopped() {
  breakpoints_.image_replaced();
  breakpoints_.remove_all();
  unit_.mask_interrupts(false);
  interrupt_ = false;
  halt_due_ = false;
  if (releasing_.exchange(false)) attached_ = false;
  context_lost_ = false;
  phase_ = Phase::kFree;
  state_ = State::kRunning;
}

void Engine::before_restart() {
  breakpoints_.image_replaced();
  unit_.mask_interrupts(false);
  interrupt_ = false;
  halt_due_ = false;
  steps_ = 0;
  goal_ = Goal::kRun;
  phase_ = Phase::kReset;
  state_ = State::kRunning;
  unit_.halt_at_start();
}

void Engine::poll(std::uint64_t now_us) {
  if (state_ == State::kRunning) {
    if (!halt_due_ || now_us < halt_at_us_) return;
    halt_at_us_ = now_us + kHaltRetryUs;
    unit_.halt();
    return;
  }
  if (releasing_) {
    finish_release();
  } else if (state_ == State::kPaused && interrupt_) {
    stop(Reason::kInterrupt, context_);
  } else if (state_ == State::kPaused) {
    slice_ = 0;
    continue_halted();
  }
}

std::optional<std::uint64_t> Engine::deadline_us() const {
  if (state_ == State::kPaused || (releasing_ && state_ == State::kHalted)) return 0;
  if (halt_due_) return halt_at_us_;
  return std::nullopt;
}

Engine::Verdict Engine::on_event(Event event, Context& context, const FaultRegisters& fault) {
  if (!attached_) return event == Event::kHaltRequest ? Verdict::kResume : Verdict::kCrash;
  const Phase phase = phase_;
  const bool at_stop = breakpoints_.is_stop(context.pc());
  breakpoints_.settle();
  if (!context.frame_valid || event == Event::kFault) {
    fault_ = fault;
    return stop(Reason::kFault, context);  // a bad stack pointer too: whatever the event, the frame is gone
  }
  if (releasing_) return stop(Reason::kInterrupt, context);
  if (phase == Phase::kReset) return stop(Reason::kReset, context);
  switch (event) {
    case Event::kBreakpoint:
      return at_stop ? arrived(context) : on_breakpoint(context);
    case Event::kStep:
      return arrived(context);
    case Event::kWatchpoint:
      return stop(Reason::kWatchpoint, context);
    case Event::kHaltRequest:
    case Event::kFault:
      break;
  }
  return on_halt_request(context);
}

Engine::Verdict Engine::on_breakpoint(Context& context) {
  if (breakpoints_.is_user(context.pc())) return stop(Reason::kBreakpoint, context);
  if (program_breakpoint(context.pc())) return stop(Reason::kProgramBreakpoint, context);
  return go_on(context);  // the instruction was put back between the trap and now
}

// Besides the debugger's wish this is how a step ends that went through the Secure side.
Engine::Verdict Engine::on_halt_request(Context& context) {
  if (interrupt_ || phase_ != Phase::kLeave) return stop(Reason::kInterrupt, context);
  if (same_place(context)) return leave(context);  // the Secure thread was faster than the one instruction
  return arrived(context);
}

// An instruction was executed, or skipped, and the application stands at the next one.
Engine::Verdict Engine::arrived(Context& context) {
  const bool after_window = phase_ == Phase::kWindow;
  halt_due_ = false;
  const Reason reason = reason_to_stop(context);
  if (reason != Reason::kNone) return stop(reason, context);
  if (goal_ == Goal::kRun) return run_free(context);
  if (!after_window && steps_ % kStepsPerWindow == 0) return open_window(context);
  return go_on(context);
}

Reason Engine::reason_to_stop(const Context& context) {
  if (interrupt_) return Reason::kInterrupt;
  if (breakpoints_.is_user(context.pc())) return Reason::kBreakpoint;
  if (goal_ == Goal::kStep) return Reason::kStep;
  if (program_breakpoint(context.pc())) return Reason::kProgramBreakpoint;
  const bool done = goal_ == Goal::kStepRange && !in_ranges(context.pc());
  return done ? Reason::kStep : Reason::kNone;
}

// Makes the application execute the instruction at pc.
Engine::Verdict Engine::go_on(Context& context) {
  if (goal_ == Goal::kRun && !breakpoints_.is_user(context.pc())) return run_free(context);
  if (slice_++ >= kStepsPerSlice) {
    context_ = context;
    unit_.mask_interrupts(false);
    state_ = State::kPaused;
    return Verdict::kHalt;
  }
  ++steps_;
  return carry_out(next_step(context, memory_), context);
}

Engine::Verdict Engine::carry_out(const Step& step, Context& context) {
  switch (step.kind) {
    case Step::Kind::kSkip:
      context.pc() = step.targets[0];
      context.xpsr() = advance_it(context.xpsr());
      return open_window(context);  // what it waits for is an interrupt
    case Step::Kind::kLeave:
      return leave(context);
    case Step::Kind::kFree:
      breakpoints_.lift(context.pc());
      return run_free(context);
    case Step::Kind::kRun:
    case Step::Kind::kRunOpen:
      break;
  }
  breakpoints_.lift(context.pc());
  for (const std::uint32_t target : step.stops()) breakpoints_.put_stop(target);
  unit_.mask_interrupts(step.kind == Step::Kind::kRun);
  phase_ = Phase::kStep;
  return Verdict::kResume;
}

Engine::Verdict Engine::run_free(Context&) {
  unit_.mask_interrupts(false);
  phase_ = Phase::kFree;
  return Verdict::kResume;
}

Engine::Verdict Engine::leave(Context& context) {
  breakpoints_.lift(context.pc());
  unit_.mask_interrupts(false);
  context_ = context;
  phase_ = Phase::kLeave;
  halt_due_ = true;
  return Verdict::kResume;
}

// A stop where the application stands: it is hit at once, but for the interrupts that are pending and go first.
Engine::Verdict Engine::open_window(Context& context) {
  breakpoints_.put_stop(context.pc());
  unit_.mask_interrupts(false);
  phase_ = Phase::kWindow;
  return Verdict::kResume;
}

Engine::Verdict Engine::stop(Reason reason, const Context& context) {
  if (reason != Reason::kFault) fault_ = {};
  context_ = context;
  reason_ = reason;
  phase_ = Phase::kFree;
  halt_due_ = false;
  interrupt_ = false;
  unit_.mask_interrupts(false);
  state_ = State::kHalted;
  return Verdict::kHalt;
}

void Engine::finish_release() {
  releasing_ = false;
  breakpoints_.remove_all();
  attached_ = false;
  context_lost_ = !context_.frame_valid;
  if (context_lost_) return;
  skip_own_breakpoint(context_);
  unit_.mask_interrupts(false);
  state_ = State::kRunning;
  unit_.resume(context_);
}

// On the Secure thread: goes on from the saved context.
void Engine::continue_halted() {
  state_ = State::kRunning;  // before the application can run: from there on everything is `on_event`'s
  if (go_on(context_) == Verdict::kResume) unit_.resume(context_);
}

// A BKPT of the program that was reported already is stepped over, else it would be hit for ever.
bool Engine::skip_own_breakpoint(Context& context) {
  if (!program_breakpoint(context.pc())) return false;
  context.pc() += 2;
  context.xpsr() = advance_it(context.xpsr());
  ++steps_;
  return true;
}

bool Engine::program_breakpoint(std::uint32_t address) {
  std::array<std::uint8_t, 2> code{};
  if (!memory_.read(address, code)) return false;
  return is_bkpt(static_cast<std::uint16_t>(code[0] | code[1] << 8));
}

bool Engine::in_ranges(std::uint32_t pc) const {
  return std::ranges::any_of(std::span(ranges_).first(range_count_),
                             [pc](const AddressRange& range) { return pc >= range.start && pc < range.end; });
}

bool Engine::same_place(const Context& context) const {
  return context.pc() == context_.pc() && context.core[13] == context_.core[13] &&
         (context.core[16] & 0x1FFU) == (context_.core[16] & 0x1FFU);
}

}  // namespace mv::debug
