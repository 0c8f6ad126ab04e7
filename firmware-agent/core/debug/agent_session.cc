// The agent's sessions: attach, detach, what happens when the connection or the client is gone.

#include <algorithm>
#include <cstring>

#include "core/debug/agent.h"

namespace mv::debug {

void Agent::attach(const mv_wire_AttachRequest& request) {
  SessionId id;
  std::copy_n(request.session, id.size(), id.begin());
  const bool same = session_known_ && id == session_;
  if (!same && session_known_ && attached_here_) {
    return refuse_unnumbered(mv_wire_AgentError_AGENT_BUSY, "another debugger is attached: detach it first");
  }
  RunningBundle bundle;
  if (!supervisor_.running_bundle(bundle)) {
    return refuse_unnumbered(mv_wire_AgentError_AGENT_NO_APPLICATION, "no application is installed: deploy one first");
  }
  if (!same) begin_session(id);
  grace_us_ = std::uint64_t{bundle.halt_limit_s != 0 ? bundle.halt_limit_s : kHaltLimitS} * 1'000'000;
  grace_end_us_.reset();
  attached_here_ = true;
  attaching_ = true;
  attach_halt_ = request.halt;
  attach_resumed_ = same;
  halt_asked_ = false;
  attach_limit_us_ = clock_.uptime_us() + kHaltLimitUs;
  poll_attach();
}

void Agent::begin_session(const SessionId& id) {
  if (session_known_) end_session();
  session_known_ = true;
  session_ = id;
  last_sequence_ = 0;
  reply_sequence_ = 0;
  engine_.console().forget();
}

// The debugger of this session is gone for good, or a new one takes its place: what it left goes, a halt stands.
void Agent::end_session() {
  session_known_ = false;
  open_ = Open::kNothing;
  trace_step_ = TraceStep::kNone;
  digest_.cancel();
  grace_end_us_.reset();
  if (engine_.halted()) {
    engine_.remove_breakpoints();
  } else {
    engine_.release();
  }
}

void Agent::poll_attach() {
  if (!attaching_ || !unnumbered_.unsent().empty()) return;
  if (!engine_.releasing() && !engine_.attached()) engine_.attach();
  if (!engine_.releasing() && attach_halt_ && supervisor_.waits_for_restart()) restart_to_halt();
  if (engine_.releasing() || (attach_halt_ && !engine_.halted())) {
    if (clock_.uptime_us() >= attach_limit_us_) {
      attaching_ = false;
      return refuse_unnumbered(mv_wire_AgentError_AGENT_NOT_RUNNING, why_not_running());
    }
    if (engine_.releasing()) return;
    if (!halt_asked_) engine_.interrupt();
    halt_asked_ = true;
    return;
  }
  answer_attach();
}

const char* Agent::why_not_running() const {
  return supervisor_.waits_for_restart() ? "the application ended and waits for its restart: try again when it runs"
                                         : "the application does not come to a halt: try again";
}

// Whoever debugs an application that crashes at once must not have to hit the moment between two waits.
void Agent::restart_to_halt() {
  engine_.before_restart();
  restarting_ = true;
  if (!supervisor_.restart_for_debugger()) engine_.application_stopped();
  restarting_ = false;
  halt_asked_ = true;
}

void Agent::answer_attach() {
  attaching_ = false;
  replaced_ = false;
  RunningBundle bundle;
  supervisor_.running_bundle(bundle);
  mv_wire_AgentReply& reply = begin_reply();
  reply.sequence = 0;
  reply.which_reply = mv_wire_AgentReply_attached_tag;
  mv_wire_Attached& attached = reply.reply.attached;
  attached = mv_wire_Attached_init_zero;
  attached.manifest_hash.size = static_cast<pb_size_t>(bundle.manifest_hash.size());
  std::ranges::copy(bundle.manifest_hash, attached.manifest_hash.bytes);
  attached.build_id.size = static_cast<pb_size_t>(std::min(bundle.build_id_size, bundle.build_id.size()));
  std::copy_n(bundle.build_id.begin(), attached.build_id.size, attached.build_id.bytes);
  std::strncpy(attached.board, board_.name, sizeof(attached.board) - 1);
  attached.has_capabilities = true;
  attached.capabilities = {.breakpoints = static_cast<std::uint32_t>(engine_.breakpoints().capacity()),
                           .watchpoints = static_cast<std::uint32_t>(engine_.watchpoints().capacity()),
                           .max_ranges = Engine::kMaxRanges,
                           .max_read = MemoryParts::kMaxBytes,
                           .step_masks_interrupts = true,
                           .max_programs = BreakpointPrograms::kMaxExpressions,
                           .max_program_bytes = BreakpointPrograms::kMaxBytes,
                           .watching = static_cast<mv_wire_Watching>(engine_.watchpoints().watching()),
                           .max_watch = engine_.watchpoints().longest(),
                           .max_record = TraceRecords::kLongest};
  attached.resumed = attach_resumed_;
  for (const Region& region : board_.regions) {
    if (attached.regions_count == std::size(attached.regions)) break;
    attached.regions[attached.regions_count++] = {region.address, region.size,
                                                  static_cast<mv_wire_MemoryKind>(region.kind)};
  }
  attached.has_stopped = engine_.halted();
  if (attached.has_stopped) report_.fill(engine_, {}, parts_, attached.stopped);
  unnumbered_.encode(reply);
}

void Agent::poll_grace() {
  if (!grace_end_us_ || clock_.uptime_us() < *grace_end_us_) return;
  end_session();
  if (engine_.halted()) engine_.release();
}

// A released application whose stack pointer was bad cannot run on: as with any crash, it is started again.
void Agent::poll_lost_context() {
  if (engine_.attached() || !engine_.context_lost()) return;
  engine_.application_stopped();
  restarting_ = true;
  supervisor_.restart_for_debugger();
  restarting_ = false;
}

void Agent::detach(const mv_wire_DetachRequest& request) {
  const bool keep_halted = request.keep_halted && engine_.halted();
  session_known_ = false;
  open_ = Open::kNothing;
  trace_step_ = TraceStep::kNone;
  digest_.cancel();
  done();
  attached_here_ = false;
  if (keep_halted) {
    engine_.remove_breakpoints();
  } else {
    engine_.release();
  }
}

}  // namespace mv::debug
