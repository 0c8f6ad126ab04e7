#include "core/link/cloud_session.h"

#include <algorithm>

#include "core/link/messages.h"

namespace mv::link {
namespace {

using frame::CloseReason;
using frame::Stream;
using frame::Type;
using Action = frame::Multiplex::Action;

// A cloud whose clock was never set does not set ours: 2020-01-01.
constexpr std::uint64_t kPlausibleTime = 1'577'836'800ULL * timing::kSecond;

std::string_view describe_close(std::uint16_t reason) {
  switch (static_cast<CloseReason>(reason)) {
    case CloseReason::kSuperseded:
      return "the cloud says that a newer connection of this device took over";
    case CloseReason::kShuttingDown:
      return "the cloud is shutting down";
    case CloseReason::kProtocol:
      return "the cloud says that this device broke the protocol: update the microvisor or the cloud";
    case CloseReason::kRefused:
      return "the cloud refuses this device";
    default:
      return "the cloud closed the link";
  }
}

}  // namespace

void CloudSession::begin(tls::TlsSession& tls) {
  const std::uint64_t now = clock_.uptime_us();
  frames_.begin(tls);
  hello_sent_ = welcomed_ = false;
  error_ = {};
  retry_after_us_ = 0;
  log_sent_ = log_acknowledged_;
  crash_sent_ = false;
  crash_check_us_ = now;
  pong_owed_ = open_owed_ = close_owed_ = false;
  close_text_ = {};
  credit_owed_ = {};
  blob_dose_us_ = 0;
  last_sent_us_ = last_heard_us_ = now;
  first_keep_alive_us_ = timing::kLongestKeepAlive;
  keep_alive_owed_ = false;
  keys_owed_ = false;  // Hello brings them
  pong_deadline_us_ = kNever;
}

void CloudSession::end() {
  const bool was_welcomed = welcomed_;
  if (pong_deadline_us_ != kNever) keep_alive_.unanswered(ping_silence_us_);
  pong_deadline_us_ = kNever;
  const bool debugged = debug_.active() && !debug_.ended();
  welcomed_ = false;
  debug_.end();
  if (debugged) peers_.debug.link_lost();
  blobs_.disconnected();
  if (was_welcomed) peers_.observer.link_changed(false);
}

bool CloudSession::poll() {
  const bool received = receive();
  if (failed()) return true;
  check_time();
  if (failed()) return true;
  consumed(Stream::kDebug, debug_.take_consumed());
  const bool flushed = frames_.flush();
  return send() || received || flushed;
}

// ---- Receiving ----

bool CloudSession::receive() {
  const auto received = frames_.receive();
  if (!received) {
    fail(CloseReason::kProtocol, received.error());
    return true;
  }
  if (!received->has_value()) return false;
  heard();
  take(**received);
  return true;
}

// Whatever it is, the cloud is there.
void CloudSession::heard() {
  last_heard_us_ = clock_.uptime_us();
  if (pong_deadline_us_ == kNever) return;
  pong_deadline_us_ = kNever;
  const std::uint64_t learned = keep_alive_.learned_us();
  const std::uint64_t interval = keep_alive_.interval_us();
  keep_alive_.answered(ping_silence_us_);
  keep_alive_owed_ |= keep_alive_.learned_us() != learned || keep_alive_.interval_us() != interval;
}

void CloudSession::take(const FrameLink::Received& received) {
  const frame::Frame& frame = received.frame;
  switch (received.action) {
    case Action::kNone:
    case Action::kAccepted:
    case Action::kPongReceived:
    case Action::kClosed:
      break;
    case Action::kDeliver:
      take_data(frame);
      break;
    case Action::kOffered:
      if (frame.stream != Stream::kDebug) {
        return fail(CloseReason::kProtocol, "the cloud opened a stream that this device does not have");
      }
      take_debug_offer();
      break;
    case Action::kClosedReply:
      close_owed_ = true;
      close_reason_ = CloseReason::kDone;
      open_owed_ = false;
      if (!debug_.ended()) peers_.debug.closed();
      debug_.end();
      break;
    case Action::kPong:
      pong_owed_ = true;
      std::copy_n(frame.payload.begin(), pong_.size(), pong_.begin());
      break;
    case Action::kLinkClosed:
      take_link_close(frame.payload);
      break;
  }
}

void CloudSession::take_data(const frame::Frame& frame) {
  const auto size = static_cast<std::uint32_t>(frame.payload.size());
  switch (frame.stream) {
    case Stream::kControl:
      take_control(frame.payload);
      break;
    case Stream::kBlob:
      if (!blobs_.receive(frame.payload))
        fail(CloseReason::kProtocol, "a message on the blob stream is not a BlobChunk");
      break;
    case Stream::kDebug:
      debug_traffic_us_ = clock_.uptime_us();
      debug_.receive(frame.payload);
      return;  // its credit goes back as the agent reads
    default:
      break;  // the log stream has nothing for us; channels are never open
  }
  consumed(frame.stream, size);
}

void CloudSession::consumed(Stream stream, std::uint32_t bytes) {
  if (bytes == 0) return;
  credit_owed_[static_cast<std::size_t>(stream)] += frames_.multiplex().consumed(stream, bytes);
}

void CloudSession::take_control(std::span<const std::uint8_t> payload) {
  const auto message = decode_control(payload);
  if (!message) return fail(CloseReason::kProtocol, "a message on the control stream is not a CloudControl");
  const auto& body = message->body.message;
  const auto which = message->body.which_message;
  const bool early = which != mv_wire_CloudControl_welcome_tag && which != mv_wire_CloudControl_refusal_tag;
  if (early && !welcomed_) return fail(CloseReason::kProtocol, "a message came before Welcome");
  if (!message->key_change.empty()) return take_key_change(message->key_change);
  switch (which) {
    case mv_wire_CloudControl_welcome_tag:
      return take_welcome(body.welcome);
    case mv_wire_CloudControl_desired_tag:
      return take_desired(body.desired);
    case mv_wire_CloudControl_crash_ack_tag:
      return take_crash_ack(body.crash_ack.number);
    case mv_wire_CloudControl_log_ack_tag:
      return take_log_ack(body.log_ack.sequence);
    case mv_wire_CloudControl_refusal_tag:
      return take_refusal(body.refusal);
    default:
      break;  // a kind of message that a newer cloud knows
  }
}

void CloudSession::take_welcome(const mv_wire_Welcome& welcome) {
  if (!hello_sent_) return fail(CloseReason::kProtocol, "Welcome came before Hello");
  epoch_ = welcome.epoch;
  first_keep_alive_us_ =
      std::clamp(welcome.keep_alive_ms * timing::kMillisecond, timing::kShortestKeepAlive, timing::kLongestKeepAlive);
  keep_alive_.begin(first_keep_alive_us_);
  keep_alive_owed_ = keep_alive_.learned_us() != 0 || keep_alive_.interval_us() != first_keep_alive_us_;
  if (welcome.wall_time_us >= kPlausibleTime) {
    peers_.wall_clock.set_wall_time(welcome.wall_time_us, clock_.uptime_us());
  }
  if (welcomed_) return;
  welcomed_ = true;
  blobs_.connected();
  peers_.observer.link_changed(true);
}

void CloudSession::take_desired(const mv_wire_Desired& desired) {
  peers_.logs.enable(desired.logging_enabled);
  peers_.update.on_desired(desired);
  report_owed_ = true;
}

void CloudSession::take_key_change(std::span<const std::uint8_t> message) {
  peers_.update.on_key_change(message);
  keys_owed_ = true;
}

void CloudSession::take_log_ack(std::uint64_t sequence) {
  if (sequence <= log_acknowledged_ || sequence > log_sent_) return;
  log_acknowledged_ = sequence;
  log_sent_us_ = clock_.uptime_us();
  peers_.logs.acknowledge(sequence);
}

void CloudSession::take_crash_ack(std::uint32_t number) {
  if (!crash_sent_ || number != crash_number_) return;
  crash_sent_ = false;
  crash_check_us_ = clock_.uptime_us();
  peers_.crashes.acknowledge(number);
}

void CloudSession::take_refusal(const mv_wire_Refusal& refusal) {
  retry_after_us_ = std::min(refusal.retry_after_ms * timing::kMillisecond, timing::kLongestRefusal);
  const std::string_view detail(refusal.detail);
  if (detail.empty())
    return fail(CloseReason::kDone, describe_close(static_cast<std::uint16_t>(CloseReason::kRefused)));
  const std::size_t size = std::min(detail.size(), error_text_.size());
  std::copy_n(detail.begin(), size, error_text_.begin());
  fail(CloseReason::kDone, {error_text_.data(), size});
}

void CloudSession::take_link_close(std::span<const std::uint8_t> payload) {
  error_ = describe_close(static_cast<std::uint16_t>(payload[0] << 8 | payload[1]));
}

void CloudSession::take_debug_offer() {
  if (debug_.active()) return fail(CloseReason::kProtocol, "the debug stream was opened twice");
  debug_.begin();
  debug_traffic_us_ = clock_.uptime_us();
  if (peers_.debug.opened(debug_)) {
    frames_.multiplex().accept(Stream::kDebug, DebugPipe::kWindow);
    open_owed_ = true;
    return;
  }
  debug_.end();
  frames_.multiplex().close(Stream::kDebug);
  close_owed_ = true;
  close_reason_ = CloseReason::kRefused;
  close_text_ = peers_.debug.refusal();
}

// ---- Time ----

// While something is under way that the cloud has to answer, or waits to leave, a dead link is to be noticed soon.
bool CloudSession::expects_answer() const {
  return !frames_.can_send() || debug_.active() || blobs_.open() || crash_sent_ || log_sent_ > log_acknowledged_;
}

// The cloud wants to hear from us, and we from it.
std::uint64_t CloudSession::ping_due_us() const {
  const std::uint64_t interval = expects_answer() ? first_keep_alive_us_ : keep_alive_.interval_us();
  return std::min(last_sent_us_, last_heard_us_) + interval;
}

void CloudSession::check_time() {
  const std::uint64_t now = clock_.uptime_us();
  if (now >= pong_deadline_us_) return fail(CloseReason::kGone, "the cloud does not answer any more");
  // A PING that cannot leave, because a frame before it does not, counts as one without an answer.
  const bool stuck = welcomed_ && !frames_.can_send() && pong_deadline_us_ == kNever;
  if (stuck && now >= ping_due_us() + timing::kPong) {
    return fail(CloseReason::kGone, "nothing can be sent to the cloud any more");
  }
  resend_unacknowledged();
}

void CloudSession::resend_unacknowledged() {
  if (log_sent_ > log_acknowledged_ && clock_.uptime_us() >= log_sent_us_ + timing::kAcknowledge)
    log_sent_ = log_acknowledged_;
  if (crash_sent_ && clock_.uptime_us() >= crash_check_us_) crash_sent_ = false;
}

std::uint64_t CloudSession::next_deadline_us() const {
  if (!welcomed_) return kNever;
  const std::uint64_t ping_us = ping_due_us() + (frames_.can_send() ? 0 : timing::kPong);
  std::uint64_t deadline = pong_deadline_us_ == kNever ? ping_us : pong_deadline_us_;
  if (log_sent_ > log_acknowledged_) deadline = std::min(deadline, log_sent_us_ + timing::kAcknowledge);
  if (crash_sent_) deadline = std::min(deadline, crash_check_us_);
  if (credit_owed_[static_cast<std::size_t>(Stream::kBlob)] > 0 && debug_.active()) {
    deadline = std::min(deadline, blob_credit_at_us());
  }
  return deadline;
}

void CloudSession::fail(CloseReason reason, std::string_view sentence) {
  error_ = sentence;
  if (reason == CloseReason::kDone || !frames_.can_send()) return;
  const auto code = static_cast<std::uint16_t>(reason);
  const auto payload = frames_.payload();
  const std::size_t size = std::min(sentence.size(), frame::kMaxPayload - 2);
  payload[0] = static_cast<std::uint8_t>(code >> 8);
  payload[1] = static_cast<std::uint8_t>(code & 0xFF);
  std::copy_n(sentence.begin(), size, payload.begin() + 2);
  frames_.send(Type::kClose, Stream::kControl, 2 + size);
}

}  // namespace mv::link
