#include "core/debug/agent.h"

#include <pb_decode.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace mv::debug {

Agent::Agent(Engine& engine, Supervisor& supervisor, const BoardInfo& board, Clock& clock)
    : engine_(engine), supervisor_(supervisor), board_(board), clock_(clock), report_(board.regions) {}

void Agent::connected() {
  connected_ = true;
  attached_here_ = false;
  attaching_ = false;
  reader_.clear();
  reply_.drop();
  unnumbered_.drop();
  console_message_.drop();
}

void Agent::disconnected(Loss loss) {
  connected_ = false;
  attached_here_ = false;
  attaching_ = false;
  if (!session_known_) return;
  const bool traces_for_nobody = open_ == Open::kTrace && loss == Loss::kDebugger;
  constexpr std::uint64_t kTraceLimitUs = std::uint64_t{kTraceLimitS} * 1'000'000;
  grace_end_us_ = clock_.uptime_us() + (traces_for_nobody ? std::min(grace_us_, kTraceLimitUs) : grace_us_);
}

std::size_t Agent::receive(std::span<const std::uint8_t> bytes) {
  const std::size_t given = bytes.size();
  while (!bytes.empty() && !answer_unsent() && trace_step_ != TraceStep::kBegin) {
    const MessageReader::Result result = reader_.take(bytes);
    if (result == MessageReader::Result::kMessage) handle(reader_.message());
    if (result == MessageReader::Result::kTooLong) {
      refuse_unnumbered(mv_wire_AgentError_AGENT_BAD_REQUEST, "a request is longer than 2304 bytes: send it in parts");
    }
  }
  return given - bytes.size();
}

// What was begun must be finished first, or two messages would mix. Of fresh ones the reply goes first, because the
// attach that interrupts a resume is answered after it.
const OutgoingMessage& Agent::outgoing() const {
  const std::array<const OutgoingMessage*, 3> in_order = {&reply_, &unnumbered_, &console_message_};
  for (const OutgoingMessage* message : in_order) {
    if (message->begun()) return *message;
  }
  for (const OutgoingMessage* message : in_order) {
    if (!message->unsent().empty()) return *message;
  }
  return reply_;
}

std::span<const std::uint8_t> Agent::unsent() const { return outgoing().unsent(); }

void Agent::sent(std::size_t bytes) { const_cast<OutgoingMessage&>(outgoing()).sent(bytes); }

bool Agent::poll() {
  const bool was_idle = unsent().empty();
  engine_.poll(clock_.uptime_us());
  poll_lost_context();
  poll_grace();
  poll_trace();
  poll_console();
  poll_open();
  poll_attach();
  return (was_idle && !unsent().empty()) || digest_.state() == DigestJob::State::kBusy ||
         engine_.state() == Engine::State::kPaused;
}

std::optional<std::uint64_t> Agent::deadline_us() const {
  std::optional<std::uint64_t> earliest = engine_.deadline_us();
  const auto consider = [&](std::optional<std::uint64_t> at) {
    if (at && (!earliest || *at < *earliest)) earliest = at;
  };
  consider(grace_end_us_);
  if (attaching_) consider(attach_limit_us_);
  if (trace_step_ == TraceStep::kBegin) consider(trace_limit_us_);
  if (unsent().empty()) consider(records_due_us_);
  if (digest_.state() == DigestJob::State::kBusy) consider(0);
  return earliest;
}

void Agent::application_stopped() {
  if (restarting_) return;  // our own doing
  if (engine_.halted()) replaced_ = true;
  engine_.application_stopped();
  digest_.cancel();
  trace_step_ = TraceStep::kNone;
  exited_ = open_ != Open::kNothing;
}

void Agent::handle(std::span<const std::uint8_t> message) {
  pb_istream_t stream = pb_istream_from_buffer(message.data(), message.size());
  programs_.prepare(request_);
  if (!pb_decode(&stream, mv_wire_AgentRequest_fields, &request_) || request_.which_request == 0) {
    return refuse_unnumbered(mv_wire_AgentError_AGENT_BAD_REQUEST, "the request is not one that this device knows");
  }
  if (request_.which_request == mv_wire_AgentRequest_attach_tag) return attach(request_.request.attach);
  if (!attached_here_) {
    return refuse_unnumbered(mv_wire_AgentError_AGENT_BAD_REQUEST, "attach first: it opens the session",
                             request_.sequence);
  }
  if (request_.which_request == mv_wire_AgentRequest_interrupt_tag) {
    if (open_ == Open::kResume || open_ == Open::kReset) engine_.interrupt();
    if (open_ == Open::kTrace) end_trace();
    return;
  }
  if (request_.which_request == mv_wire_AgentRequest_read_tag && request_.sequence == 0) {
    return peek(request_.request.read);
  }
  handle_numbered(request_);
}

void Agent::handle_numbered(const mv_wire_AgentRequest& request) {
  if (request.sequence == 0) {
    return refuse_unnumbered(mv_wire_AgentError_AGENT_BAD_REQUEST, "the request has no sequence number");
  }
  if (is_repeated(request.sequence)) return;
  current_sequence_ = request.sequence;
  if (request.sequence <= last_sequence_) {
    // Not kept for repetition: the reply that is kept belongs to a later request.
    return refuse_unnumbered(mv_wire_AgentError_AGENT_BAD_REQUEST, "an old request came again: its reply is gone",
                             request.sequence);
  }
  last_sequence_ = request.sequence;
  execute(request);
}

bool Agent::is_repeated(std::uint32_t sequence) {
  if (open_ != Open::kNothing && sequence == open_sequence_) return true;  // its answer is still to come
  if (sequence != reply_sequence_) return false;
  reply_.send_again();
  return true;
}

void Agent::execute(const mv_wire_AgentRequest& request) {
  if (open_ != Open::kNothing && request.which_request != mv_wire_AgentRequest_detach_tag) {
    return refuse(mv_wire_AgentError_AGENT_NOT_HALTED, "another request is open: interrupt the application first");
  }
  switch (request.which_request) {
    case mv_wire_AgentRequest_resume_tag:
      return resume(request.request.resume);
    case mv_wire_AgentRequest_read_tag:
      return read(request.request.read);
    case mv_wire_AgentRequest_write_tag:
      return write(request.request.write);
    case mv_wire_AgentRequest_write_registers_tag:
      return write_registers(request.request.write_registers);
    case mv_wire_AgentRequest_digest_tag:
      return digest(request.request.digest);
    case mv_wire_AgentRequest_reset_tag:
      return reset(request.request.reset);
    case mv_wire_AgentRequest_detach_tag:
      return detach(request.request.detach);
    case mv_wire_AgentRequest_trace_tag:
      return trace();
    default:
      return refuse(mv_wire_AgentError_AGENT_UNSUPPORTED, "this device does not know the request");
  }
}

// Ahead of the stop that is to be told, and only to somebody who waits for one.
void Agent::poll_console() {
  const bool is_heard = open_ == Open::kResume || open_ == Open::kTrace;
  if (!is_heard || !attached_here_ || attaching_ || !unsent().empty()) return;
  if (!engine_.console().empty()) return send_console_text();
  if (records_due()) send_records();
}

void Agent::send_console_text() {
  ConsoleText& console = engine_.console();
  mv_wire_AgentReply& message = begin_reply();
  message.sequence = 0;
  message.which_reply = mv_wire_AgentReply_console_tag;
  message.reply.console = mv_wire_ConsoleText_init_zero;
  message.reply.console.dropped = console.take_dropped();
  const auto text = console.front();
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(text.data()), std::min(text.size(), kMaxConsoleText));
  encode_bytes_as(message.reply.console.text, &bytes);
  console_message_.encode(message);
  console.take(bytes.size());
}

void Agent::poll_open() {
  if (open_ == Open::kNothing || !unsent().empty()) return;  // the buffer of the reply is in use
  if (std::exchange(exited_, false)) return answer_exited();
  if (open_ == Open::kTrace) return;
  if (open_ == Open::kDigest) {
    if (digest_.step(engine_.memory()) != DigestJob::State::kBusy) answer_digest();
  } else if (engine_.halted()) {
    open_ == Open::kReset ? answer_reset() : answer_stopped();
  }
}

bool Agent::need_halted() {
  if (replaced_) {
    refuse(mv_wire_AgentError_AGENT_NOT_HALTED, "the application was replaced or restarted meanwhile: reset it");
    return false;
  }
  if (engine_.halted()) return true;
  refuse(mv_wire_AgentError_AGENT_NOT_HALTED, "the application runs: interrupt it first");
  return false;
}

void Agent::done() {
  begin_reply().which_reply = mv_wire_AgentReply_done_tag;
  finish_reply();
}

void Agent::refuse(mv_wire_AgentError error, const char* sentence) {
  mv_wire_AgentReply& reply = begin_reply();
  reply.error = error;
  std::strncpy(reply.detail, sentence, sizeof(reply.detail) - 1);
  finish_reply();
}

void Agent::refuse_unnumbered(mv_wire_AgentError error, const char* sentence, std::uint32_t sequence) {
  mv_wire_AgentReply& reply = begin_reply();
  reply.sequence = sequence;
  reply.error = error;
  std::strncpy(reply.detail, sentence, sizeof(reply.detail) - 1);
  unnumbered_.encode(reply);
}

mv_wire_AgentReply& Agent::begin_reply() {
  message_ = mv_wire_AgentReply_init_zero;
  message_.sequence = current_sequence_;
  return message_;
}

void Agent::finish_reply() {
  reply_sequence_ = message_.sequence;
  if (reply_.encode(message_)) return;
  message_ = mv_wire_AgentReply_init_zero;  // the sizes above do not allow it; but a client must not wait for ever
  message_.sequence = reply_sequence_;
  message_.error = mv_wire_AgentError_AGENT_UNSUPPORTED;
  reply_.encode(message_);
}

}  // namespace mv::debug
