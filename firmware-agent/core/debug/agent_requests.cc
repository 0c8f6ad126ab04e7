// The agent's numbered requests: resume, read, write, digest, reset, and their answers.

#include <algorithm>

#include "core/debug/agent.h"

namespace mv::debug {
namespace {

constexpr std::uint32_t kCodeBit = 1;               // of addresses of code in registers and breakpoints
constexpr std::uint32_t kIpsr = 0x1FF;              // of xPSR
constexpr std::uint64_t kAllFp = (1ULL << 33) - 1;  // s0-s31, fpscr
constexpr std::size_t kMaxPeek = 1024;              // bytes, so that the answer fits beside the numbered one
constexpr std::uint32_t kLargestFrame = 0x68;       // bytes of an exception frame with FP state

std::uint32_t word_at(const pb_byte_t* bytes, std::size_t index) {
  const pb_byte_t* at = bytes + 4 * index;
  return static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
         static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
}

// Writes the words that `mask` allows. False if a word that it names is missing.
template <class Field, std::size_t kWords>
bool take_words(const Field& field, std::uint64_t mask, std::array<std::uint32_t, kWords>& words) {
  if ((mask >> kWords) != 0) return false;
  for (std::size_t i = 0; i < kWords; ++i) {
    if ((mask >> i & 1U) == 0) continue;
    if (field.size < 4 * (i + 1)) return false;
    words[i] = word_at(field.bytes, i);
  }
  return true;
}

Watchpoint watchpoint_from(const mv_wire_Watchpoint& watch) {
  static_assert(std::size(decltype(mv_wire_ResumeRequest::watch){}) == Watchpoints::kMax);
  return {watch.address, watch.length, static_cast<WatchKind>(watch.kind)};
}

// Which of msp (0) and psp (1) sp is: CONTROL.SPSEL counts in Thread mode only (ARM DDI 0553B, B3.8).
std::size_t stack_in_use(const Context& context) {
  constexpr std::uint32_t kSpsel = 2;
  return (context.xpsr() & kIpsr) == 0 && (context.system[5] & kSpsel) != 0 ? 1 : 0;
}

// What the hardware needs to return into the application must stay as it is: which stack, which handler.
const char* unfit(const Context& before, const Context& after, std::span<const Region> regions) {
  constexpr std::array kFixed = {0, 1, 5, 6, 7};  // msp, psp, control, msplim, psplim
  for (const int i : kFixed) {
    const auto index = static_cast<std::size_t>(i);
    if (index == stack_in_use(before)) continue;  // sp itself
    if (before.system[index] != after.system[index])
      return "the stack that is not in use, control and the stack limits cannot be written";
  }
  const std::uint32_t sp = after.core[13];
  if (before.core[13] != sp && !inside(regions, Region::Kind::kRam, sp - kLargestFrame, kLargestFrame)) {
    return "sp must point into the application's RAM";
  }
  return nullptr;
}

}  // namespace

void Agent::resume(const mv_wire_ResumeRequest& request) {
  if (!need_halted()) return;
  if (!engine_.context().frame_valid) {
    return refuse(mv_wire_AgentError_AGENT_UNSUPPORTED, "the stack pointer was bad, it cannot go on: reset it");
  }
  if (static_cast<std::uint32_t>(request.mode) > mv_wire_ResumeMode_RESUME_STEP_RANGE) {
    return refuse(mv_wire_AgentError_AGENT_BAD_REQUEST, "the resume mode is not one that this device knows");
  }
  Added added{};
  if (!change_watchpoints(request, added)) return;
  if (!change_breakpoints(request) || !change_programs()) {
    return take_back_watchpoints(request, request.watch_count, added);
  }
  push_count_ = request.push_count;
  std::copy_n(request.push, push_count_, push_.begin());
  std::array<AddressRange, Engine::kMaxRanges> ranges;
  for (std::size_t i = 0; i < request.ranges_count; ++i) ranges[i] = {request.ranges[i].start, request.ranges[i].end};
  open_ = Open::kResume;
  open_sequence_ = current_sequence_;
  engine_.reflect_faults(request.reflect_faults);
  constexpr std::array kGoals = {Engine::Goal::kRun, Engine::Goal::kStep, Engine::Goal::kStepRange};
  engine_.resume(kGoals[request.mode], std::span(ranges).first(request.ranges_count), request.step_interrupts);
}

// As for breakpoints: a change that fails leaves the watchpoints as they were but for the removed ones.
bool Agent::change_watchpoints(const mv_wire_ResumeRequest& request, Added& added) {
  Watchpoints& watchpoints = engine_.watchpoints();
  for (std::size_t i = 0; i < request.unwatch_count; ++i) watchpoints.remove(watchpoint_from(request.unwatch[i]));
  for (std::size_t i = 0; i < request.watch_count; ++i) {
    const mv_wire_Watchpoint& watch = request.watch[i];
    const bool possible = watch.kind <= mv_wire_WatchKind_WATCH_ACCESS &&
                          inside(board_.regions, Region::Kind::kRam, watch.address, watch.length);
    added[i] = !watchpoints.contains(watchpoint_from(watch));
    const WatchpointError error = possible ? watchpoints.insert(watchpoint_from(watch)) : WatchpointError::kBadRange;
    if (error == WatchpointError::kNone) continue;
    take_back_watchpoints(request, i, added);
    if (error == WatchpointError::kNoneFree) {
      refuse(mv_wire_AgentError_AGENT_NO_BREAKPOINT_FREE, "all watchpoints of this device are in use: remove one");
    } else {
      refuse(mv_wire_AgentError_AGENT_BAD_ADDRESS, "a watchpoint is too long, or not in the application's RAM");
    }
    return false;
  }
  return true;
}

void Agent::take_back_watchpoints(const mv_wire_ResumeRequest& request, std::size_t count, const Added& added) {
  for (std::size_t i = 0; i < count; ++i) {
    if (added[i]) engine_.watchpoints().remove(watchpoint_from(request.watch[i]));
  }
}

// All or nothing: a change that fails leaves the breakpoints as they were but for the removed ones.
bool Agent::change_breakpoints(const mv_wire_ResumeRequest& request) {
  for (std::size_t i = 0; i < request.remove_count; ++i) engine_.breakpoints().remove(request.remove[i] & ~kCodeBit);
  std::array<bool, 32> added{};
  for (std::size_t i = 0; i < request.insert_count; ++i) {
    const std::uint32_t address = request.insert[i] & ~kCodeBit;
    added[i] = !engine_.breakpoints().is_user(address);
    const BreakpointError error = engine_.breakpoints().insert(address);
    if (error == BreakpointError::kNone) continue;
    take_back(request, i, added);
    if (error == BreakpointError::kNoneFree) {
      refuse(mv_wire_AgentError_AGENT_NO_BREAKPOINT_FREE, "all breakpoints of this device are in use: remove one");
    } else {
      refuse(mv_wire_AgentError_AGENT_BAD_ADDRESS, "a breakpoint's address is no code of the application");
    }
    return false;
  }
  return true;
}

bool Agent::change_programs() {
  const auto at_a_breakpoint = [this](std::uint32_t address) { return engine_.breakpoints().is_user(address); };
  if (!std::ranges::all_of(programs_.addresses(), at_a_breakpoint)) {
    refuse(mv_wire_AgentError_AGENT_BAD_ADDRESS, "a condition or command belongs to no breakpoint: insert it first");
    return false;
  }
  if (programs_.complete() && programs_.apply(engine_.breakpoints().programs())) return true;
  refuse(mv_wire_AgentError_AGENT_NO_BREAKPOINT_FREE,
         "the breakpoints' conditions and commands are too many or too long");
  return false;
}

void Agent::take_back(const mv_wire_ResumeRequest& request, std::size_t count, const std::array<bool, 32>& added) {
  for (std::size_t i = 0; i < count; ++i) {
    if (added[i]) engine_.breakpoints().remove(request.insert[i] & ~kCodeBit);
  }
}

void Agent::read(const mv_wire_ReadRequest& request) {
  fill_read(request, MemoryParts::kMaxBytes);
  finish_reply();
}

// Beside the numbered requests, so it does not wait for an open resume.
void Agent::peek(const mv_wire_ReadRequest& request) {
  current_sequence_ = 0;
  fill_read(request, kMaxPeek);
  unnumbered_.encode(message_);
}

// `limit`: bytes of all ranges together; a range beyond it goes into the reply with an error.
void Agent::fill_read(const mv_wire_ReadRequest& request, std::size_t limit) {
  parts_.clear();
  std::size_t left = limit;
  for (std::size_t i = 0; i < request.ranges_count; ++i) {
    const mv_wire_ReadRange& range = request.ranges[i];
    if (range.length > left) {
      parts_.add_error(range.address, mv_wire_AgentError_AGENT_BAD_REQUEST);
      continue;
    }
    left -= range.length;
    parts_.add(engine_.memory(), range.address, range.length);
  }
  mv_wire_AgentReply& reply = begin_reply();
  reply.which_reply = mv_wire_AgentReply_read_tag;
  reply.reply.read = mv_wire_ReadReply_init_zero;
  parts_.encode_as(reply.reply.read.ranges);
}

void Agent::write(const mv_wire_WriteRequest& request) {
  if (!need_halted()) return;
  if (!engine_.memory().write(request.address, std::span(request.data.bytes, request.data.size))) {
    return refuse(mv_wire_AgentError_AGENT_BAD_ADDRESS, "the application may not write there; its code is read only");
  }
  done();
}

void Agent::write_registers(const mv_wire_WriteRegistersRequest& request) {
  if (!need_halted()) return;
  Context changed = engine_.context();
  if (!changed.frame_valid) {
    return refuse(mv_wire_AgentError_AGENT_UNSUPPORTED, "the registers were lost with the stack pointer: reset it");
  }
  const std::uint32_t ipsr = changed.xpsr() & kIpsr;
  if (!take_words(request.registers, request.mask, changed.core) ||
      !take_words(request.system, request.system_mask, changed.system)) {
    return refuse(mv_wire_AgentError_AGENT_BAD_REQUEST, "a register that the mask names is missing");
  }
  if (request.fp.size != 0 && changed.has_fp) {
    if (!take_words(request.fp, kAllFp, changed.fp)) {
      return refuse(mv_wire_AgentError_AGENT_BAD_REQUEST, "FP registers are written all 33 or not at all");
    }
  }
  changed.pc() &= ~kCodeBit;
  const std::size_t in_use = stack_in_use(engine_.context());
  const bool by_other_name = (request.system_mask >> in_use & 1U) != 0 && (request.mask >> 13U & 1U) == 0;
  if (by_other_name) changed.sp() = changed.system[in_use];
  changed.sp() &= ~3U;
  changed.system[in_use] = changed.sp();
  changed.xpsr() = (changed.xpsr() & ~kIpsr) | ipsr;
  if (const char* why = unfit(engine_.context(), changed, board_.regions)) {
    return refuse(mv_wire_AgentError_AGENT_UNSUPPORTED, why);
  }
  engine_.context() = changed;
  done();
}

void Agent::digest(const mv_wire_DigestRequest& request) {
  open_ = Open::kDigest;
  open_sequence_ = current_sequence_;
  digest_.start(request);
}

void Agent::reset(const mv_wire_ResetRequest& request) {
  replaced_ = false;
  engine_.before_restart();
  restarting_ = true;
  const bool restarted = supervisor_.restart_for_debugger();
  restarting_ = false;
  if (!restarted) {
    engine_.application_stopped();
    return refuse(mv_wire_AgentError_AGENT_NO_APPLICATION, "the application cannot be started: deploy one that can");
  }
  push_count_ = 0;
  reset_halts_ = request.halt;
  open_ = Open::kReset;
  open_sequence_ = current_sequence_;
}

void Agent::answer_reset() {
  engine_.restarted();
  if (reset_halts_) return answer_stopped();
  open_ = Open::kNothing;
  current_sequence_ = open_sequence_;
  engine_.resume(Engine::Goal::kRun, {});
  done();
}

void Agent::answer_stopped() {
  open_ = Open::kNothing;
  current_sequence_ = open_sequence_;
  mv_wire_AgentReply& reply = begin_reply();
  reply.which_reply = mv_wire_AgentReply_stopped_tag;
  report_.fill(engine_, std::span(push_).first(push_count_), parts_, reply.reply.stopped);
  finish_reply();
}

void Agent::answer_exited() {
  open_ = Open::kNothing;
  current_sequence_ = open_sequence_;
  mv_wire_AgentReply& reply = begin_reply();
  reply.which_reply = mv_wire_AgentReply_stopped_tag;
  reply.reply.stopped = mv_wire_Stopped_init_zero;
  reply.reply.stopped.reason = mv_wire_StopReason_STOP_EXITED;
  reply.reply.stopped.registers_unavailable = true;
  finish_reply();
}

void Agent::answer_digest() {
  open_ = Open::kNothing;
  current_sequence_ = open_sequence_;
  if (digest_.state() != DigestJob::State::kDone) {
    return refuse(mv_wire_AgentError_AGENT_BAD_ADDRESS, "a range of the digest is not the application's to read");
  }
  mv_wire_AgentReply& reply = begin_reply();
  reply.which_reply = mv_wire_AgentReply_digest_tag;
  reply.reply.digest = digest_.result();
  finish_reply();
}

}  // namespace mv::debug
