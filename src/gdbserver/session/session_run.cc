// Session: running, stopping, restarting, leaving.
#include <fmt/format.h>

#include "gdbserver/rsp/hex.h"
#include "gdbserver/rsp/reply.h"
#include "gdbserver/session/monitor.h"
#include "gdbserver/session/session.h"
#include "gdbserver/target/cause.h"

namespace mv::gdb {
namespace {

constexpr std::uint8_t kSigInt = 2;
constexpr std::uint8_t kSigTrap = 5;

std::uint8_t signal_of(const Stop& stop) {
  if (stop.reason == StopReason::kInterrupt) return kSigInt;
  if (stop.reason == StopReason::kFault) return arm::fault_signal(stop.fault.value_or(fault::Fault{}));
  return kSigTrap;
}

}  // namespace

// GDB 13 waits for ever when it is told an error here. So it is told of a stop, and of the error when it asks for the
// registers, which it does at once: it prints that and gives up.
void Session::handle(const rsp::HaltReason&) {
  if (state_ == State::kFailed && !is_lldb_) return reply(fmt::format("S{:02x}", kSigTrap));
  if (state_ == State::kFailed) return reply(error_reply(failure_));
  Stop stop = stop_;
  // A program that ended just when the debugger came stands at its last instruction: GDB would leave upon a W.
  if (stop.reason == StopReason::kExited && stop.registers.core[arm::kPc] != 0)
    stop.reason = StopReason::kProgramBreakpoint;
  reply(stop_reply(stop));
}

void Session::handle(const rsp::Resume& command) {
  if (state_ == State::kFailed) return reply(error_reply(failure_));
  using Kind = rsp::Resume::Kind;
  if (command.kind == Kind::kStop) return reply(std::string(rsp::kOk));  // it stands still already
  const bool is_running = runs(command.thread);
  if (!is_running && !threads_.any()) return reply(rsp::error(rsp::kErrorArgument));
  if (std::exchange(interrupt_waits_, false)) {
    stop_.reason = StopReason::kInterrupt;
    stop_.watch.reset();
    return reply(stop_reply(stop_));
  }
  // GDB takes every Arm for one that stops before the access, and steps over it before it looks at the value. Where the
  // access was made already nothing is left to step: the next instruction may be a return to elsewhere.
  if (stop_.watch && !is_lldb_ && !target_.watch_support().stops_before && command.kind == Kind::kStep && is_running &&
      !command.address) {
    stop_.reason = StopReason::kStep;
    stop_.watch.reset();
    return reply(stop_reply(stop_));
  }
  ResumePlan plan;
  if (command.kind != Kind::kContinue) plan.mode = ResumePlan::Mode::kStep;
  if (command.kind == Kind::kRange && is_running)
    plan = {.mode = ResumePlan::Mode::kStepRange, .start = command.start, .end = command.end};
  if (command.kind != Kind::kContinue && !is_running)
    pending_notice_ = "only the thread that runs can be stepped: that one was, not the one that is selected";
  plan.step_interrupts = step_interrupts_;
  plan.reflect_faults = reflect_faults_;
  if (!command.address) return go(plan);
  arm::RegisterFile file = stop_.registers;
  file.core[arm::kPc] = *command.address & ~1U;
  target_.write_registers(file, guarded<void>([this, plan](Result<void> result) {
                            if (!result) return answer(error_reply(result.error()));
                            go(plan);
                          }));
}

// From here to the stop only Ctrl-C, detach and kill are heard; GDB waits as long as it takes.
void Session::go(const ResumePlan& plan) {
  timer_.reset();
  ++ticket_;
  state_ = State::kRunning;
  if (!pending_notice_.empty()) notice(std::exchange(pending_notice_, {}));
  target_.resume(plan, [this, alive = alive_](const Result<Stop>& stop) {
    if (*alive && state_ == State::kRunning) stopped(stop);
  });
}

void Session::stopped(const Result<Stop>& stop) {
  if (!stop) return answer(error_reply(stop.error()));
  stop_ = *stop;
  explain(stop_);
  identify([this] { answer(stop_reply(stop_)); });
}

void Session::explain(const Stop& stop) {
  if (stop.reason == StopReason::kFault && stop.fault)
    notice(describe_cause({stop.registers, *stop.fault, "", {}}, target_.elf_path(), nullptr));
  if (stop.reason == StopReason::kReset) notice("the application was restarted");
  if (!stop.registers.core_valid) notice("the stack pointer was bad: only sp is known of the core registers");
}

// T with every core register, so that GDB need not ask for any.
std::string Session::stop_reply(const Stop& stop) const {
  if (stop.reason == StopReason::kExited) return fmt::format("W{:02x}", stop.exit_status);
  std::string text = "T";
  rsp::append_hex_byte(text, signal_of(stop));
  text += "thread:" + rsp::hex_number(running_) + ";" + stop_reason(stop);
  for (std::uint32_t number = 0; number < arm::kCoreCount; ++number) {
    if (!arm::read_register(stop.registers, number)) continue;
    rsp::append_hex_byte(text, static_cast<std::uint8_t>(number));
    text += ":" + arm::register_hex(stop.registers, number) + ";";
  }
  return text;
}

std::string Session::stop_reason(const Stop& stop) const {
  if (stop.watch) {
    const std::string_view name = stop.watch->kind == WatchKind::kWrite  ? "watch"
                                  : stop.watch->kind == WatchKind::kRead ? "rwatch"
                                                                         : "awatch";
    return fmt::format("{}:{:x};", name, stop.watch->address);
  }
  if (stop.reason != StopReason::kBreakpoint || !tells_breakpoints_) return "";
  return hardware_breakpoints_.contains(stop.registers.core[arm::kPc]) ? "hwbreak:;" : "swbreak:;";
}

void Session::handle(const rsp::Interrupt&) {
  interrupted();
  reply(std::string(rsp::kOk));
}

void Session::handle(const rsp::Monitor& command) {
  if (!pending_notice_.empty())
    send_(rsp::encode_packet(rsp::console("[mvctl] " + std::exchange(pending_notice_, {}) + "\n")));
  switch (parse_monitor(command.text)) {
    case MonitorCommand::kHelp:
      return reply(rsp::to_hex(std::string_view(monitor_help() + target_.watch_help())));
    case MonitorCommand::kStatus:
      return reply(rsp::to_hex(std::string_view(target_.status())));
    case MonitorCommand::kReset:
      return monitor_reset();
    case MonitorCommand::kHalt:
      return reply(std::string(rsp::kOk));
    case MonitorCommand::kStepInterruptsOn:
      return set_step_interrupts(true);
    case MonitorCommand::kStepInterruptsOff:
      return set_step_interrupts(false);
    case MonitorCommand::kFaultsStop:
      return set_reflect_faults(false);
    case MonitorCommand::kFaultsReflect:
      return set_reflect_faults(true);
    case MonitorCommand::kUnknown:
      return reply(rsp::to_hex(std::string_view("no such monitor command; there are:\n" + monitor_help())));
  }
}

void Session::set_reflect_faults(bool on) {
  reflect_faults_ = on;
  const std::string_view text =
      on ? "faults go to the application's own HardFault handler, if it has one\n" : "a fault stops the application\n";
  reply(rsp::to_hex(text));
}

void Session::set_step_interrupts(bool on) {
  step_interrupts_ = on;
  const std::string_view text = on ? "interrupts are taken while the application is stepped\n"
                                   : "interrupts wait while the application is stepped\n";
  reply(rsp::to_hex(text));
}

// GDB before 16 takes a text for the command's output, in hex: it gets the sentence as that, and a number.
std::string Session::monitor_error(std::string_view text) const {
  send_(rsp::encode_packet(rsp::console(std::string(text) + "\n")));
  return rsp::error(rsp::kErrorArgument);
}

// GDB does not look at its registers again by itself after a monitor command.
void Session::monitor_reset() {
  if (role_ == Role::kObserver) return reply(monitor_error("only the GDB that drives the session may restart it"));
  if (state_ == State::kFailed) return reply(monitor_error(failure_.text));
  target_.reset(guarded<Stop>([this](Result<Stop> stop) {
    if (!stop) return answer(monitor_error(stop.error().text));
    stop_ = *stop;
    interrupt_waits_ = false;
    send_(
        rsp::encode_packet(rsp::console("the application was restarted and stands at its first instruction\n"
                                        "type: maintenance flush register-cache\n")));
    identify([this] { answer(std::string(rsp::kOk)); });
  }));
}

void Session::handle(const rsp::Restart& command) {
  if (state_ == State::kFailed) return command.replies ? reply(error_reply(failure_)) : void();
  const bool replies = command.replies;
  target_.reset(guarded<Stop>([this, replies](const Result<Stop>& stop) { restarted(stop, replies); }));
}

void Session::restarted(const Result<Stop>& stop, bool replies) {
  if (!stop && replies) return answer(error_reply(stop.error()));
  if (!stop) return attached(State::kHalted);
  stop_ = *stop;
  identify([this, replies] {
    if (replies) return answer(stop_reply(stop_));
    ++ticket_;
    attached(State::kHalted);
  });
}

void Session::handle(const rsp::Detach&) {
  if (state_ == State::kFailed || role_ == Role::kObserver) {
    reply(std::string(rsp::kOk));
    return finish();
  }
  release(true);
}

// There is nothing to kill on bare metal: the application is let run, which is what the person in the field expects.
void Session::handle(const rsp::Kill& command) {
  if (role_ == Role::kObserver && command.replies) reply(std::string(rsp::kOk));
  if (state_ == State::kFailed || role_ == Role::kObserver) return finish();
  release(command.replies);
}

}  // namespace mv::gdb
