#include "core/debug/engine.h"

#include <algorithm>
#include <utility>

#include "core/debug/data_access.h"
#include "core/debug/thumb.h"

namespace mv::debug {
namespace {

std::uint32_t ipsr(const Context& context) { return context.core[16] & 0x1FFU; }

}  // namespace

bool Engine::resume(Goal goal, std::span<const AddressRange> ranges, bool step_interrupts) {
  if (!context_.frame_valid) return false;
  goal_ = goal;
  range_count_ = std::min(ranges.size(), kMaxRanges);
  std::copy_n(ranges.begin(), range_count_, ranges_.begin());
  steps_ = 0;
  slice_ = 0;
  interrupt_ = false;
  step_interrupts_ = step_interrupts;
  unwatched_ = reason_ == Reason::kWatchpoint && watch_hit_pc_ == context_.pc();
  watchpoints_.find_stacks(context_);
  judged_ = false;
  if (!tracing_ && reason_ != Reason::kExited && program_reason(context_) == Reason::kExited) {
    stop(Reason::kExited, context_);  // it was stepped onto its end, which nobody was told yet
    return true;
  }
  if (goal == Goal::kRun && context_.pc() != stopped_pc_ && hits(context_)) {
    stop(Reason::kBreakpoint, context_);  // the debugger put pc there: nobody was told of this one
    return true;
  }
  if (!tracing_ && skip_own_breakpoint(context_)) {
    const Reason reason = reason_to_stop(context_);
    if (reason != Reason::kNone) {
      stop(reason, context_);
      return true;
    }
  }
  continue_halted();
  return true;
}

void Engine::set_attached(bool attached) {
  attached_ = attached;
  unit_.keep_handlers_apart(attached);
}

void Engine::interrupt() {
  if (state_ == State::kHalted) return;
  interrupt_ = true;
  halt_due_ = true;
  unit_.halt();
}

void Engine::release() {
  if (!attached_) return;  // it is free already
  releasing_ = true;
  if (state_ != State::kRunning) return finish_release();
  halt_due_ = true;
  unit_.halt();
}

void Engine::remove_breakpoints() {
  breakpoints_.remove_all();
  watchpoints_.remove_all();
}

void Engine::application_stopped() {
  const bool held = attached_ && !releasing_ && (state_ == State::kHalted || phase_ == Phase::kReset);
  breakpoints_.image_replaced();
  remove_breakpoints();
  unit_.mask_interrupts(false);
  interrupt_ = false;
  halt_due_ = false;
  if (releasing_.exchange(false)) set_attached(false);
  tracing_ = false;
  context_lost_ = false;
  phase_ = held ? Phase::kReset : Phase::kFree;
  state_ = State::kRunning;
  if (held) unit_.halt_at_start();
}

void Engine::before_restart() {
  watchpoints_.unguard();
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
  if (!attached_) {
    const bool resumes = event == Event::kHaltRequest || (event == Event::kBreakpoint && write_text(context));
    if (!resumes) text_.end_line();
    return resumes ? Verdict::kResume : Verdict::kCrash;
  }
  watchpoints_.unguard();
  const Phase phase = phase_;
  const bool at_stop = breakpoints_.is_stop(context.pc());
  breakpoints_.settle();
  if (event == Event::kFault && reflects_ && !releasing_ && unit_.enter_fault_handler(context)) return arrived(context);
  if (!context.frame_valid || event == Event::kFault) {
    if (tracing_) return Verdict::kCrash;
    fault_ = fault;
    return stop(Reason::kFault, context);  // a bad stack pointer too: whatever the event, the frame is gone
  }
  if (releasing_) return stop(Reason::kInterrupt, context);
  if (phase == Phase::kReset) return stop(Reason::kReset, context);
  switch (event) {
    case Event::kBreakpoint:
      return at_stop ? on_own_stop(context) : on_breakpoint(context);
    case Event::kStep:
      return on_hardware_step(context);
    case Event::kWatchpoint:
      return on_watchpoint(context, fault);
    case Event::kHaltRequest:
    case Event::kFault:
      break;
  }
  return on_halt_request(context);
}

Engine::Verdict Engine::on_breakpoint(Context& context) {
  if (breakpoints_.is_user(context.pc())) return on_user_breakpoint(context);
  const Outer here = phase_ == Phase::kDetour ? outer_ : Outer{phase_, step_, 0};
  if (write_text(context)) {
    outer_ = here;
    return end_detour(context);
  }
  if (const Reason reason = program_reason(context); reason != Reason::kNone) {
    return tracing_ ? Verdict::kCrash : stop(reason, context);
  }
  return go_on(context);  // the instruction was put back between the trap and now
}

Engine::Verdict Engine::on_user_breakpoint(Context& context) {
  if (hits(context)) return stop(Reason::kBreakpoint, context);
  if (interrupt_) return stop(Reason::kInterrupt, context);
  if (phase_ == Phase::kFree && !stepping()) return go_on(context);
  const auto hit = about_to_hit(context);
  return hit ? stop_at(*hit, context) : detour(context);
}

// Whether the debugger's breakpoint at pc, if there is one, stops the application.
bool Engine::hits(const Context& context) {
  if (!breakpoints_.is_user(context.pc())) return false;
  if (judged_ && same_place(context)) return false;  // only interrupts ran meanwhile
  const bool was_silent = console_.empty() && records_.empty(), had_room = !records_.half_full();
  judged_ = !breakpoints_.programs().stops(context, memory_, console_, records_);
  const bool silent = console_.empty() && records_.empty(), has_room = !records_.half_full();
  if ((was_silent && !silent) || (had_room && !has_room)) unit_.wake();
  return !judged_;
}

Engine::Verdict Engine::on_own_stop(Context& context) {
  if (phase_ == Phase::kDetour) return end_detour(context);
  if (is_ours(context)) return arrived(context);
  return breakpoints_.is_user(context.pc()) ? on_user_breakpoint(context) : detour(context);
}

// Somebody touched a guard.
Engine::Verdict Engine::on_watchpoint(Context& context, const FaultRegisters& fault) {
  if (watchpoints_.watching() == Watching::kComparators) return on_access(context);
  const auto instruction = thumb::fetch(memory_, context.pc());
  const auto access = instruction ? data_access(context, *instruction) : std::nullopt;
  if (!access || !unit_.guards(access->address, access->size)) {
    fault_ = fault;
    return stop(Reason::kFault, context);  // it touched what is Secure anyway
  }
  if (const auto hit = watchpoints_.hit(context, *access)) return stop_at(*hit, context);
  return detour(context);
}

// Watched memory was accessed, as a comparator saw.
Engine::Verdict Engine::on_access(Context& context) {
  const Watchpoint hit = unit_.watchpoint_hit();
  if (!watchpoints_.wrote_the_same(hit)) return stop_at({hit.address, hit.kind}, context);
  const bool steps = phase_ == Phase::kStep || phase_ == Phase::kWindow || phase_ == Phase::kDetour;
  const Step step = steps ? step_ : Step{};
  if (std::ranges::count(step.stops(), context.pc()) != 0) return on_own_stop(context);
  put_stops(step);
  watchpoints_.guard();
  return Verdict::kResume;
}

// The one instruction is done. If it was a call of the Secure side, the step is at its end when that returns.
Engine::Verdict Engine::on_hardware_step(Context& context) {
  if (std::ranges::count(step_.stops(), context.pc()) == 0 && !memory_.is_code(context.pc()) && put_stops(step_)) {
    watchpoints_.guard_exactly();
    return Verdict::kResume;
  }
  return phase_ == Phase::kDetour ? end_detour(context) : arrived(context);
}

// Besides the debugger's wish this is how a step ends that went through the Secure side.
Engine::Verdict Engine::on_halt_request(Context& context) {
  if (phase_ == Phase::kDetour && !interrupt_) return context.pc() == outer_.pc ? detour(context) : end_detour(context);
  if (interrupt_ || phase_ != Phase::kLeave) return stop(Reason::kInterrupt, context);
  if (same_place(context)) return leave(context);  // the Secure thread was faster than the one instruction
  return arrived(context);
}

// An instruction was executed, or skipped, and the application stands at the next one.
Engine::Verdict Engine::arrived(Context& context) {
  const bool after_window = phase_ == Phase::kWindow;
  halt_due_ = false;
  if (const auto hit = watchpoints_.changed()) return stop_at(*hit, context);
  const Reason reason = reason_to_stop(context);
  if (reason != Reason::kNone) return stop(reason, context);
  if (!stepping()) return go_on(context);
  if (!after_window && steps_ % kStepsPerWindow == 0) return open_window(context);
  return go_on(context);
}

Reason Engine::reason_to_stop(const Context& context) {
  const bool hit = hits(context);
  if (interrupt_) return Reason::kInterrupt;
  if (hit) return Reason::kBreakpoint;
  if (goal_ == Goal::kStep) return Reason::kStep;
  if (!tracing_) {
    if (const Reason reason = program_reason(context); reason != Reason::kNone) return reason;
  }
  const bool done = goal_ == Goal::kStepRange && !in_ranges(context.pc());
  return done ? Reason::kStep : Reason::kNone;
}

// What a BKPT of the program's own at pc means; kNone if there is none.
Reason Engine::program_reason(const Context& context) {
  if (!program_breakpoint(context.pc()) || semihosting::is_text(context, memory_)) return Reason::kNone;
  const auto status = semihosting::exit_status(context, memory_);
  if (!status) return Reason::kProgramBreakpoint;
  exit_status_ = *status;
  return Reason::kExited;
}

// Carries out what the program asks for by semihosting at pc, if it is text, and stands behind it then.
bool Engine::write_text(Context& context) {
  if (!context.frame_valid || !semihosting::is_text(context, memory_)) return false;
  const bool was_silent = console_.empty();
  text_.carry_out(context, memory_, attached_);
  if (was_silent && !console_.empty()) unit_.wake();
  context.pc() += 2;
  context.xpsr() = advance_it(context.xpsr());
  return true;
}

// Makes the application execute the instruction at pc.
Engine::Verdict Engine::go_on(Context& context) {
  if (!stepping() && !unwatched_ && !breakpoints_.is_user(context.pc())) return run_free(context);
  if (slice_++ >= kStepsPerSlice) {
    context_ = context;
    unit_.mask_interrupts(false);
    state_ = State::kPaused;
    return Verdict::kHalt;
  }
  if (const auto hit = about_to_hit(context)) return stop_at(*hit, context);
  ++steps_;
  judged_ = false;
  phase_ = Phase::kStep;
  origin_ipsr_ = ipsr(context);
  if (write_text(context)) return open_window(context);
  return carry_out(next_step(context, memory_), context);
}

std::optional<WatchHit> Engine::about_to_hit(const Context& context) {
  if (std::exchange(unwatched_, false)) return std::nullopt;
  if (watchpoints_.empty() || watchpoints_.watching() != Watching::kAttribution) return std::nullopt;
  const auto instruction = thumb::fetch(memory_, context.pc());
  const auto access = instruction ? data_access(context, *instruction) : std::nullopt;
  return access ? watchpoints_.hit(context, *access) : std::nullopt;
}

// Executes what stands at pc, as the phase's step.
Engine::Verdict Engine::carry_out(const Step& step, Context& context) {
  switch (step.kind) {
    case Step::Kind::kSkip:
      context.pc() = step.targets[0];
      context.xpsr() = advance_it(context.xpsr());
      return phase_ == Phase::kDetour ? end_detour(context) : open_window(context);  // it waits for an interrupt
    case Step::Kind::kLeave:
      return leave(context);
    case Step::Kind::kFree:
      return let_go(context);
    case Step::Kind::kRun:
    case Step::Kind::kRunOpen:
      break;
  }
  breakpoints_.lift(context.pc());
  step_ = step;
  const bool masked = step.kind == Step::Kind::kRun && (phase_ == Phase::kDetour || !step_interrupts_);
  // From outside the application's code the one instruction would lead into the Secure side.
  if (masked && !step.several && memory_.is_code(context.pc()) && unit_.capabilities().hardware_step) {
    unit_.step_next();
  } else if (!put_stops(step)) {
    return leave(context);  // no comparator is free for it: it is halted as soon as may be
  }
  unit_.mask_interrupts(masked);
  // A single instruction was looked at already; what else runs with it was not.
  using Which = Watchpoints::Which;
  masked ? watchpoints_.guard_exactly() : watchpoints_.guard();
  watchpoints_.remember(!masked ? Which::kUnguarded : step.several ? Which::kAll : Which::kNone);
  return Verdict::kResume;
}

// It is going to fault, or to jump to itself for ever: a guard that it touches must not bring it here again.
Engine::Verdict Engine::let_go(Context& context) {
  breakpoints_.lift(context.pc());
  unit_.mask_interrupts(false);
  watchpoints_.guard_exactly();
  phase_ = Phase::kFree;
  step_ = {};
  return Verdict::kResume;
}

// False if there is no room for all of them.
bool Engine::put_stops(const Step& step) {
  bool put = true;
  for (const std::uint32_t target : step.stops()) put = breakpoints_.put_stop(target) && put;
  return put;
}

Engine::Verdict Engine::run_free(Context&) {
  unit_.mask_interrupts(false);
  watchpoints_.guard();
  phase_ = Phase::kFree;
  step_ = {};
  return Verdict::kResume;
}

Engine::Verdict Engine::leave(Context& context) {
  breakpoints_.lift(context.pc());
  unit_.mask_interrupts(false);
  watchpoints_.guard_exactly();
  context_ = context;
  phase_ = Phase::kLeave;
  halt_due_ = true;
  return Verdict::kResume;
}

// A stop where the application stands: it is hit at once, but for the interrupts that are pending and go first.
Engine::Verdict Engine::open_window(Context& context) {
  step_ = {.kind = Step::Kind::kRunOpen, .targets = {context.pc()}, .count = 1};
  put_stops(step_);
  unit_.mask_interrupts(false);
  watchpoints_.guard();
  watchpoints_.remember(Watchpoints::Which::kUnguarded);
  context_ = context;
  phase_ = Phase::kWindow;
  return Verdict::kResume;
}

// Executes the one instruction at pc without guards and stops, then goes on with what the application was doing.
Engine::Verdict Engine::detour(Context& context) {
  if (const auto hit = watchpoints_.changed()) return stop_at(*hit, context);
  if (phase_ != Phase::kDetour) outer_ = {phase_, step_, 0};
  outer_.pc = context.pc();
  judged_ = false;
  phase_ = Phase::kDetour;
  return carry_out(next_step(context, memory_), context);
}

Engine::Verdict Engine::end_detour(Context& context) {
  phase_ = outer_.phase;
  step_ = outer_.step;
  if (interrupt_) return stop(Reason::kInterrupt, context);
  if (const auto hit = watchpoints_.changed()) return stop_at(*hit, context);
  put_stops(step_);
  unit_.mask_interrupts(false);
  watchpoints_.guard();
  watchpoints_.remember(Watchpoints::Which::kUnguarded);
  return Verdict::kResume;
}

Engine::Verdict Engine::stop(Reason reason, const Context& context) {
  if (reason != Reason::kFault) fault_ = {};
  if (reason == Reason::kExited) text_.end_line();
  context_ = context;
  reason_ = reason;
  stopped_pc_ = context.pc();
  phase_ = Phase::kFree;
  halt_due_ = false;
  interrupt_ = false;
  unit_.mask_interrupts(false);
  state_ = State::kHalted;
  return Verdict::kHalt;
}

// By attribution the application stands before the instruction that hits; it is not looked at again when it goes on.
Engine::Verdict Engine::stop_at(const WatchHit& hit, const Context& context) {
  watch_hit_ = hit;
  watch_hit_pc_ = context.pc();
  return stop(Reason::kWatchpoint, context);
}

void Engine::finish_release() {
  releasing_ = false;
  tracing_ = false;
  remove_breakpoints();
  set_attached(false);
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
  ++steps_;
  if (write_text(context)) return true;
  context.pc() += 2;
  context.xpsr() = advance_it(context.xpsr());
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
  return context.pc() == context_.pc() && context.core[13] == context_.core[13] && ipsr(context) == ipsr(context_);
}

// Whether it is the code being stepped that arrived at a stop, and not an interrupt handler, or another thread of the
// application, that came by while interrupts were let through.
bool Engine::is_ours(const Context& context) const {
  if (phase_ == Phase::kWindow) return same_place(context);
  return origin_ipsr_ != 0 || ipsr(context) == 0;
}

}  // namespace mv::debug
