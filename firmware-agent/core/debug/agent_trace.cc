// The agent's trace: breakpoints that collect and never stop, put in and taken out while the application runs.

#include <algorithm>
#include <array>

#include "core/debug/agent.h"

namespace mv::debug {

// What is to be collected waits in `programs_`, so no other request is taken until it has begun.
void Agent::trace() {
  open_ = Open::kTrace;
  open_sequence_ = current_sequence_;
  trace_step_ = TraceStep::kBegin;
  trace_told_ = false;
  halt_asked_ = false;
  trace_limit_us_ = clock_.uptime_us() + kHaltLimitUs;
}

void Agent::poll_trace() {
  if (open_ != Open::kTrace) return;
  if (!records_due_us_ && !engine_.records().empty()) records_due_us_ = clock_.uptime_us() + kRecordsWaitUs;
  if (trace_step_ == TraceStep::kEnd && !engine_.releasing() && unsent().empty() && engine_.console().empty() &&
      engine_.records().empty()) {
    open_ = Open::kNothing;
    trace_step_ = TraceStep::kNone;
    current_sequence_ = open_sequence_;
    return done();
  }
  if (trace_step_ == TraceStep::kBegin && !engine_.releasing()) begin_trace();
}

void Agent::begin_trace() {
  if (!engine_.attached()) engine_.attach();
  if (!engine_.halted()) {
    if (clock_.uptime_us() >= trace_limit_us_)
      return refuse_trace(mv_wire_AgentError_AGENT_NOT_RUNNING, why_not_running());
    if (!halt_asked_) engine_.interrupt();
    halt_asked_ = true;
    return;
  }
  if (answer_unsent()) return;
  engine_.remove_breakpoints();
  if (const char* why = put_tracepoints()) return refuse_trace(mv_wire_AgentError_AGENT_NO_BREAKPOINT_FREE, why);
  engine_.trace(clock_);
  records_due_us_.reset();
  if (!engine_.resume(Engine::Goal::kRun, {})) {
    return refuse_trace(mv_wire_AgentError_AGENT_UNSUPPORTED, "the stack pointer was bad, it cannot go on: reset it");
  }
  trace_step_ = TraceStep::kNone;
}

// Returns what is wrong, or nullptr.
const char* Agent::put_tracepoints() {
  for (const std::uint32_t address : programs_.addresses()) {
    const BreakpointError error = engine_.breakpoints().insert(address);
    if (error == BreakpointError::kNoneFree) return "this device has not so many breakpoints: trace less at once";
    if (error != BreakpointError::kNone) return "a place to trace is no code of the application";
  }
  if (programs_.complete() && programs_.apply(engine_.breakpoints().programs())) return nullptr;
  return "there is too much to collect for this device: trace fewer or simpler expressions";
}

// What was recorded until then is still told.
void Agent::end_trace() {
  if (trace_step_ == TraceStep::kEnd) return;
  trace_step_ = TraceStep::kEnd;
  engine_.release();
}

void Agent::refuse_trace(mv_wire_AgentError error, const char* sentence) {
  open_ = Open::kNothing;
  trace_step_ = TraceStep::kNone;
  current_sequence_ = open_sequence_;
  engine_.release();
  refuse(error, sentence);
}

bool Agent::records_due() {
  if (open_ != Open::kTrace || trace_step_ == TraceStep::kBegin) return false;
  if (!trace_told_) return true;
  const TraceRecords& records = engine_.records();
  if (records.empty()) return false;
  return exited_ || trace_step_ == TraceStep::kEnd || records.half_full() ||
         (records_due_us_ && clock_.uptime_us() >= *records_due_us_);
}

void Agent::send_records() {
  std::array<std::uint8_t, kMaxRecords> bytes;
  const std::uint32_t hits = engine_.records().hits();
  const std::span<const std::uint8_t> records(bytes.data(), engine_.records().take(bytes));
  mv_wire_AgentReply& message = begin_reply();
  message.sequence = 0;
  message.which_reply = mv_wire_AgentReply_trace_tag;
  message.reply.trace = mv_wire_TraceRecords_init_zero;
  message.reply.trace.hits = engine_.records().empty() ? hits : 0;
  encode_bytes_as(message.reply.trace.records, &records);
  console_message_.encode(message);
  trace_told_ = true;
  records_due_us_.reset();
}

}  // namespace mv::debug
