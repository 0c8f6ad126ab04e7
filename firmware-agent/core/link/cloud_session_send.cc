// The sending half of CloudSession: whose turn it is, and what each stream has to say.
#include <algorithm>

#include "core/link/cloud_session.h"
#include "core/link/messages.h"
#include "core/tls/tls_platform.h"

namespace mv::link {
namespace {

using frame::CloseReason;
using frame::Stream;
using frame::Type;

// Of credit: a chunk of about 1 KB, 0.13 s at 64 kbit/s. The cloud sends none that is much smaller.
constexpr std::uint32_t kBlobDose = 1024;

constexpr std::size_t kMaxCloseText = 160;  // bytes of the sentence in CLOSE

constexpr std::uint32_t bit(Stream stream) { return 1U << static_cast<unsigned>(stream); }

}  // namespace

// What keeps the link going comes first: it is small, and spends no credit.
bool CloudSession::send() {
  if (!frames_.can_send()) return false;
  if (send_pong() || send_credit() || send_debug_state()) return true;
  if (!hello_sent_) return send_hello();
  return welcomed_ && (send_data() || send_ping());
}

void CloudSession::send_frame(Type type, Stream stream, std::span<const std::uint8_t> bytes) {
  frames_.send(type, stream, bytes);
  noted_sent();
}

bool CloudSession::send_pong() {
  if (!pong_owed_) return false;
  pong_owed_ = false;
  send_frame(Type::kPong, Stream::kControl, pong_);
  return true;
}

// While somebody debugs, a download may not fill the pipe ahead of the debugger's bytes: its credit waits for a pause,
// and is then little enough that the next step does not wait for long behind it.
std::uint32_t CloudSession::credit_due(std::size_t stream) const {
  const std::uint32_t owed = credit_owed_[stream];
  const std::uint64_t now = clock_.uptime_us();
  const bool paced = static_cast<Stream>(stream) == Stream::kBlob && debug_.active();
  if (!paced || now >= debug_traffic_us_ + timing::kDebugIdle) return owed;
  return now >= blob_credit_at_us() ? std::min(owed, kBlobDose) : 0;
}

std::uint64_t CloudSession::blob_credit_at_us() const {
  return std::max(debug_traffic_us_, blob_dose_us_) + timing::kDebugQuiet;
}

bool CloudSession::send_credit() {
  for (std::size_t stream = 0; stream < credit_owed_.size(); ++stream) {
    const std::uint32_t due = credit_due(stream);
    if (due == 0) continue;
    const auto grant = frame::write_u32(due);
    credit_owed_[stream] -= due;
    if (static_cast<Stream>(stream) == Stream::kBlob) blob_dose_us_ = clock_.uptime_us();
    if (frames_.multiplex().state(static_cast<Stream>(stream)) != frame::Multiplex::State::kOpen) continue;
    send_frame(Type::kCredit, static_cast<Stream>(stream), grant);
    return true;
  }
  return false;
}

bool CloudSession::send_debug_state() {
  if (open_owed_) {
    open_owed_ = false;
    send_frame(Type::kOpen, Stream::kDebug, frame::write_u32(DebugPipe::kWindow));
    return true;
  }
  if (debug_.wants_close()) {
    debug_.end();
    close_owed_ = frames_.multiplex().close(Stream::kDebug);
    close_reason_ = CloseReason::kDone;
  }
  if (!close_owed_) return false;
  close_owed_ = false;
  const auto code = static_cast<std::uint16_t>(close_reason_);
  std::array<std::uint8_t, 2 + kMaxCloseText> payload = {static_cast<std::uint8_t>(code >> 8),
                                                         static_cast<std::uint8_t>(code & 0xFF)};
  const std::size_t text_size = std::min(close_text_.size(), kMaxCloseText);
  std::copy_n(close_text_.begin(), text_size, payload.begin() + 2);
  close_text_ = {};
  send_frame(Type::kClose, Stream::kDebug, std::span(payload).first(2 + text_size));
  return true;
}

bool CloudSession::send_hello() {
  mv_wire_DeviceControl message = mv_wire_DeviceControl_init_zero;
  message.which_message = mv_wire_DeviceControl_hello_tag;
  mv_wire_Hello& hello = message.message.hello;
  hello.protocol = 1;
  copy_text(hello.device_id, info_.device_id);
  copy_text(hello.board, info_.board);
  copy_text(hello.microvisor_version, info_.microvisor_version);
  hello.syscall_abi = info_.syscall_abi;
  hello.boot_id = info_.boot_id;
  hello.boot_count = info_.boot_count;
  hello.wake_reason = info_.wake_reason;
  copy_text(hello.boot_detail, info_.boot_detail);
  hello.has_app = true;
  reported_version_ = peers_.update.report_version();
  peers_.update.report(hello.app);
  hello.has_keys = true;
  peers_.update.report_keys(hello.keys);
  hello.log_lost = peers_.logs.lost();
  hello.has_resources = true;
  const tls::PoolUse pool = tls::pool_use();
  hello.resources.tls_pool_size = static_cast<std::uint32_t>(tls::kPoolSize);
  hello.resources.tls_pool_high_water = static_cast<std::uint32_t>(pool.high_water);
  peers_.resources.measure(hello.resources);
  hello_sent_ = send_control_message(message);
  if (!hello_sent_)
    fail(CloseReason::kDone, "Hello does not fit into a frame: the report of the update engine is damaged");
  return hello_sent_;
}

// False, and nothing sent, if there is not enough credit; or if the message cannot be encoded, which only a text that
// lacks its end can cause.
bool CloudSession::send_control_message(const mv_wire_DeviceControl& message) {
  const std::size_t size = encode(message, frames_.payload().first(frame::kMaxPayload));
  if (size == 0 || size > frames_.sendable(Stream::kControl)) return false;
  frames_.send(Type::kData, Stream::kControl, size);
  noted_sent();
  return true;
}

bool CloudSession::report_due() const { return report_owed_ || peers_.update.report_version() != reported_version_; }

bool CloudSession::send_data() {
  std::uint32_t ready = bit(Stream::kControl) | bit(Stream::kLog);
  if (debug_.pending() > 0) ready |= bit(Stream::kDebug);
  if (blobs_.pending()) ready |= bit(Stream::kBlob);
  while (const auto stream = frames_.multiplex().next_to_send(ready)) {
    if (send_on(*stream)) return true;
    ready &= ~bit(*stream);
  }
  return false;
}

bool CloudSession::send_on(Stream stream) {
  switch (stream) {
    case Stream::kControl:
      return send_control();
    case Stream::kDebug:
      return send_debug();
    case Stream::kLog:
      return send_logs();
    case Stream::kBlob:
      return send_blob_request();
    default:
      return false;
  }
}

bool CloudSession::send_control() {
  return send_keep_alive() || send_keys() || send_report() || send_crash() || send_event();
}

bool CloudSession::send_keep_alive() {
  if (!keep_alive_owed_) return false;
  mv_wire_DeviceControl message = mv_wire_DeviceControl_init_zero;
  message.which_message = mv_wire_DeviceControl_keep_alive_tag;
  message.message.keep_alive.learned_ms = static_cast<std::uint32_t>(keep_alive_.learned_us() / timing::kMillisecond);
  message.message.keep_alive.interval_ms = static_cast<std::uint32_t>(keep_alive_.interval_us() / timing::kMillisecond);
  if (!send_control_message(message)) return false;
  keep_alive_owed_ = false;
  return true;
}

bool CloudSession::send_keys() {
  if (!keys_owed_) return false;
  mv_wire_DeviceControl message = mv_wire_DeviceControl_init_zero;
  message.which_message = mv_wire_DeviceControl_keys_tag;
  peers_.update.report_keys(message.message.keys);
  if (!send_control_message(message)) return false;
  keys_owed_ = false;
  return true;
}

bool CloudSession::send_report() {
  if (!report_due()) return false;
  const std::uint32_t version = peers_.update.report_version();
  mv_wire_DeviceControl message = mv_wire_DeviceControl_init_zero;
  message.which_message = mv_wire_DeviceControl_app_report_tag;
  peers_.update.report(message.message.app_report);
  if (!send_control_message(message)) return false;
  report_owed_ = false;
  reported_version_ = version;
  if (!crash_sent_) crash_check_us_ = clock_.uptime_us();  // the change may have been a crash
  return true;
}

bool CloudSession::send_crash() {
  const std::uint64_t now = clock_.uptime_us();
  if (crash_sent_ || now < crash_check_us_) return false;
  crash_check_us_ = now + timing::kCrashCheck;
  mv_wire_DeviceControl message = mv_wire_DeviceControl_init_zero;
  message.which_message = mv_wire_DeviceControl_crash_tag;
  if (!peers_.crashes.oldest(message.message.crash) || !send_control_message(message)) return false;
  crash_sent_ = true;
  crash_number_ = message.message.crash.number;
  crash_check_us_ = now + timing::kAcknowledge;
  return true;
}

bool CloudSession::send_event() {
  if (events_.empty()) return false;
  mv_wire_DeviceControl message = mv_wire_DeviceControl_init_zero;
  message.which_message = mv_wire_DeviceControl_event_tag;
  message.message.event = events_.front();
  if (!send_control_message(message)) return false;
  events_.pop();
  return true;
}

bool CloudSession::send_debug() {
  const std::size_t size = debug_.take(frames_.payload().first(frames_.sendable(Stream::kDebug)));
  if (size == 0) return false;
  debug_traffic_us_ = clock_.uptime_us();
  frames_.send(Type::kData, Stream::kDebug, size);
  noted_sent();
  return true;
}

bool CloudSession::send_logs() {
  const EncodedBatch batch =
      encode_logs(peers_.logs, log_sent_, frames_.payload().first(frames_.sendable(Stream::kLog)));
  if (batch.size == 0) return false;
  if (log_sent_ == log_acknowledged_) log_sent_us_ = clock_.uptime_us();
  log_sent_ = batch.last_sequence;
  frames_.send(Type::kData, Stream::kLog, batch.size);
  noted_sent();
  return true;
}

bool CloudSession::send_blob_request() {
  constexpr std::size_t kLongestRequest = mv_wire_BlobRequest_size;
  if (frames_.sendable(Stream::kBlob) < kLongestRequest) return false;
  const std::size_t size = blobs_.encode_request(frames_.payload().first(kLongestRequest));
  frames_.send(Type::kData, Stream::kBlob, size);
  noted_sent();
  return true;
}

// The payload is of no use to us but to be there: any frame that comes proves that the cloud lives.
bool CloudSession::send_ping() {
  const std::uint64_t now = clock_.uptime_us();
  if (pong_deadline_us_ != kNever || now < ping_due_us()) return false;
  std::array<std::uint8_t, 8> payload{};
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::uint8_t>(now >> (56 - 8 * i));
  ping_silence_us_ = now - std::max(last_sent_us_, last_heard_us_);
  pong_deadline_us_ = now + timing::kPong;
  send_frame(Type::kPing, Stream::kControl, payload);
  return true;
}

}  // namespace mv::link
