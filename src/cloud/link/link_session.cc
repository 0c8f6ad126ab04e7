#include "cloud/link/link_session.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "cloud/link/messages.h"
#include "cloud/logging.h"
#include "cloud/update_state.h"

namespace mv::cloud {
namespace {

using frame::CloseReason;
using frame::Multiplex;
using frame::Stream;
using frame::Type;

constexpr Microseconds kHelloTimeout = 20'000'000;
constexpr Microseconds kDebugAnswerTimeout = 15'000'000;
constexpr std::uint32_t kDebugWindow = 16'384;
constexpr std::size_t kControlQueueLimit = 64;
// Bytes in the connection's queue above which no blob chunk is added: what is more urgent overtakes it.
constexpr std::size_t kPace = 4'096;
constexpr std::uint32_t kMinKeepAliveMs = 1000;
constexpr std::uint32_t kMaxKeepAliveMs = 24U * 3600 * 1000;
constexpr Microseconds kLongestGrace = 120'000'000;  // for a PING that is late

// Kinds of events that a device sends, and what they say of its debugger.
constexpr std::pair<std::string_view, std::string_view> kDebugEvents[] = {
    {"debugger attached", "attached"}, {"debugger detached", "detached"}, {"debug access refused", "refused"}};

std::uint64_t read_u64(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

std::string write_u64(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (std::size_t i = 8; i-- > 0; value >>= 8) bytes[i] = static_cast<char>(value & 0xFF);
  return bytes;
}

}  // namespace

LinkSession::LinkSession(Services& services, Connection& connection, std::string device_id)
    : services_(services),
      connection_(connection),
      blobs_(services, [this] { pump(); }),
      keys_(services, device_),
      started_(services.now()),
      last_heard_(services.now()) {
  device_.sid = std::move(device_id);
  status_ = {connection.peer(), services.now(), std::nullopt, services.settings.keep_alive_ms};
}

LinkSession::~LinkSession() { leave("the connection ended"); }

void LinkSession::on_bytes(std::span<const std::uint8_t> bytes) {
  last_heard_ = services_.now();
  services_.metrics.add("mvcloud_link_bytes_total", static_cast<std::int64_t>(bytes.size()), "direction=\"up\"");
  while (state_ != State::kEnded) {
    const auto frame = decoder_.next(bytes);
    if (!frame) {
      if (frame.error() != frame::FrameError::kIncomplete) end(CloseReason::kProtocol, frame::describe(frame.error()));
      break;
    }
    if (!take(*frame)) break;
  }
  pump();
}

bool LinkSession::take(const frame::Frame& frame) {
  const auto action = multiplex_.received(frame);
  if (!action) {
    end(CloseReason::kProtocol, frame::describe(action.error()));
    return false;
  }
  switch (*action) {
    case Multiplex::Action::kNone:
      if (frame.type == Type::kCredit && frame.stream == Stream::kDebug && debug_client_ != nullptr) {
        debug_client_->on_debug_writable();
      }
      break;
    case Multiplex::Action::kDeliver:
      take_data(frame);
      break;
    case Multiplex::Action::kOffered:
      multiplex_.close(frame.stream);
      send_close(frame.stream, CloseReason::kRefused, "streams are opened by the cloud");
      break;
    case Multiplex::Action::kAccepted:
      if (frame.stream == Stream::kDebug && debug_client_ != nullptr) debug_client_->on_debug_open();
      break;
    case Multiplex::Action::kClosedReply:
      send_close(frame.stream, CloseReason::kDone, "");
      [[fallthrough]];
    case Multiplex::Action::kClosed:
      if (frame.stream == Stream::kDebug && *action == Multiplex::Action::kClosed && debug_client_ != nullptr) {
        offer_debug();  // the last session's stream is closed at both ends, and the next one waits for it
      } else if (frame.stream == Stream::kDebug) {
        debug_closed(static_cast<CloseReason>(read_u64(frame.payload.first(2))),
                     repair_utf8(as_chars(frame.payload.subspan(2))));
      }
      break;
    case Multiplex::Action::kPong:
      send_frame(Type::kPong, Stream::kControl, as_chars(frame.payload));
      break;
    case Multiplex::Action::kPongReceived:
      take_pong(frame.payload);
      break;
    case Multiplex::Action::kLinkClosed:
      leave("the device closed the link: " + repair_utf8(as_chars(frame.payload.subspan(2))));
      connection_.close();
      break;
  }
  return state_ != State::kEnded;
}

void LinkSession::take_data(const frame::Frame& frame) {
  if (state_ == State::kAwaitsHello && frame.stream != Stream::kControl) {
    end(CloseReason::kProtocol, "data came on a stream before Hello");
    return;
  }
  switch (frame.stream) {
    case Stream::kControl:
      take_control(as_chars(frame.payload));
      consumed(frame.stream, frame.payload.size());
      break;
    case Stream::kBlob:
      take_blob_request(as_chars(frame.payload));
      consumed(frame.stream, frame.payload.size());
      break;
    case Stream::kLog:
      take_logs(as_chars(frame.payload));
      consumed(frame.stream, frame.payload.size());
      break;
    case Stream::kDebug:
      services_.metrics.add("mvcloud_debug_bytes_total", static_cast<std::int64_t>(frame.payload.size()),
                            "direction=\"up\"");
      if (debug_client_ != nullptr) debug_client_->on_debug_bytes(frame.payload);
      break;
    default:
      consumed(frame.stream, frame.payload.size());  // channels are not offered yet, so none can be open
  }
}

void LinkSession::take_control(std::string_view payload) {
  wire::DeviceControl message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    end(CloseReason::kProtocol, "a message on the control stream is not a DeviceControl");
    return;
  }
  const bool is_hello = message.message_case() == wire::DeviceControl::kHello;
  if (is_hello != (state_ == State::kAwaitsHello)) {
    end(CloseReason::kProtocol, is_hello ? "Hello came twice on one connection" : "the first message was not Hello");
    return;
  }
  switch (message.message_case()) {
    case wire::DeviceControl::kHello:
      return take_hello(message.hello());
    case wire::DeviceControl::kAppReport:
      return take_report(message.app_report());
    case wire::DeviceControl::kCrash:
      return take_crash(message.crash());
    case wire::DeviceControl::kEvent:
      return take_event(message.event());
    case wire::DeviceControl::kKeys:
      return keys_.take(message.keys());
    case wire::DeviceControl::kKeepAlive:
      return take_keep_alive(message.keep_alive());
    case wire::DeviceControl::MESSAGE_NOT_SET:
      return;  // a kind of message that a newer device knows
  }
}

void LinkSession::take_hello(const wire::Hello& hello) {
  if (hello.protocol() != 1) {
    return refuse(1, "this cloud speaks protocol 1 of the device link: update the microvisor or the cloud");
  }
  if (hello.device_id() != device_.sid) return refuse(2, "Hello names another device than the certificate");
  auto known = services_.store.device(device_.sid);
  if (!known) {
    if (known.error().kind == StoreError::Kind::kNotFound) {
      return refuse(3, "this cloud does not know the device: provision it with `mvcloud provision`");
    }
    return end(CloseReason::kShuttingDown, known.error().sentence);
  }
  const auto epoch = services_.store.begin_connection(device_.sid, to_facts(hello), services_.now());
  if (!epoch) return end(CloseReason::kShuttingDown, epoch.error().sentence);
  const bool booted = known->facts.boot_id != hello.boot_id();
  device_ = std::move(*known);
  if (booted) received_before_boot_ = device_.report.bytes_received;
  device_.facts = to_facts(hello);
  device_.epoch = *epoch;
  if (const auto report = services_.store.device_microvisor(device_.sid)) microvisor_report_ = *report;
  state_ = State::kLive;
  services_.links.enter(device_.sid, *this);
  services_.metrics.set("mvcloud_links", static_cast<std::int64_t>(services_.links.size()));
  services_.metrics.add("mvcloud_link_hellos_total");
  record_event(services_, device_, "connection", "online from " + connection_.peer(), "{\"state\":\"online\"}");
  if (booted) record_boot();
  if (state_ != State::kLive) return;  // whoever was told may have closed us
  if (hello.has_keys()) keys_.take(hello.keys());
  welcome();
  take_report(hello.app());
}

void LinkSession::record_boot() {
  record_event(services_, device_, "boot", describe_boot(device_.facts),
               "{\"wake_reason\":\"" + std::string(wake_reason_name(device_.facts.wake_reason)) +
                   "\",\"boot_count\":" + std::to_string(device_.facts.boot_count) + "}");
}

void LinkSession::send_key_change() {
  auto change = keys_.due();
  if (!change) return;
  wire::CloudControl message;
  message.set_key_change(std::move(*change));
  send_control(message);
}

void LinkSession::welcome() {
  wire::CloudControl message;
  message.mutable_welcome()->set_wall_time_us(static_cast<std::uint64_t>(services_.now()));
  message.mutable_welcome()->set_epoch(device_.epoch);
  message.mutable_welcome()->set_keep_alive_ms(services_.settings.keep_alive_ms);
  send_control(message);
  send_desired();
  send_key_change();
  ping_sent_ = services_.now();
  send_frame(Type::kPing, Stream::kControl, write_u64(static_cast<std::uint64_t>(ping_sent_)));
}

void LinkSession::send_desired() {
  auto device = services_.store.device(device_.sid);
  if (!device) return end(CloseReason::kShuttingDown, device.error().sentence);
  if (const auto done = end_logging_in_time(services_, *device); !done) {
    return end(CloseReason::kShuttingDown, done.error().sentence);
  }
  device_.desired = device->desired;
  device_.unique_name = device->unique_name;
  wire::CloudControl message;
  wire::Desired& desired = *message.mutable_desired();
  desired.set_generation(device_.desired.generation);
  desired.set_restart_generation(device_.desired.restart_generation);
  desired.set_logging_enabled(device_.desired.logging_enabled);
  desired.set_force(device_.desired.force);
  if (!device_.desired.app_sid.empty()) {
    const auto app = services_.store.app(device_.account_sid, device_.desired.app_sid);
    if (!app) return end(CloseReason::kShuttingDown, app.error().sentence);
    desired.set_app_id(app->sid);
    desired.set_manifest_hash(app->manifest.hash);
    desired.set_manifest_size(static_cast<std::uint32_t>(app->manifest.size));
  }
  target_hash_ = desired.manifest_hash();
  if (const auto added = add_microvisor(desired); !added)
    return end(CloseReason::kShuttingDown, added.error().sentence);
  send_control(message);
}

Stored<void> LinkSession::add_microvisor(wire::Desired& desired) {
  microvisor_.reset();
  const auto order = services_.store.device_microvisor(device_.sid);
  if (!order) return tl::make_unexpected(order.error());
  if (order->target_sid.empty()) return {};
  auto target = services_.store.microvisor(device_.account_sid, order->target_sid);
  if (!target) return tl::make_unexpected(target.error());
  wire::MicrovisorImage& image = *desired.mutable_microvisor();
  image.set_hash(target->image.hash);
  image.set_size(static_cast<std::uint32_t>(target->image.size));
  image.set_version(target->version);
  image.set_order(order->order);
  image.set_trial_sec(order->trial_sec);
  image.set_force(order->force);
  microvisor_ = std::move(target->image);
  return {};
}

void LinkSession::take_microvisor_report(const wire::MicrovisorReport& message) {
  DeviceMicrovisor report = to_microvisor_report(message);
  const DeviceMicrovisor& before = microvisor_report_;
  const bool news = report.state != before.state || report.error != before.error || report.version != before.version;
  if (!news && report.seen_order == before.seen_order && report.detail == before.detail &&
      report.bytes_done == before.bytes_done) {
    return;
  }
  if (const auto stored = services_.store.update_microvisor_report(device_.sid, report); !stored) {
    spdlog::error("a report of the microvisor of {} is not stored: {}", device_.sid, stored.error().sentence);
    return;
  }
  microvisor_report_ = std::move(report);
  if (!news) return;
  record_event(services_, device_, "microvisor", describe(microvisor_report_),
               "{\"state\":\"" + std::string(microvisor_state_name(microvisor_report_.state)) + "\"}");
}

void LinkSession::take_report(const wire::AppReport& message) {
  keys_.take(message);
  send_key_change();
  if (message.has_microvisor()) take_microvisor_report(message.microvisor());
  Report report = to_report(message, services_.now());
  // The device counts from its boot on, of one update.
  if (report.target_hash.empty() || report.target_hash != device_.report.target_hash) received_before_boot_ = 0;
  report.bytes_received += received_before_boot_;
  const bool news = worth_an_event(device_.report, report);
  const bool update_news = note_update(report);
  if (!update_news && !worth_storing(device_.report, report)) return;
  if (const auto stored = services_.store.update_report(device_.sid, report); !stored) {
    spdlog::error("a report of {} is not stored: {}", device_.sid, stored.error().sentence);
    return;
  }
  device_.report = report;
  if (update_news) {
    record_update(report);
  } else if (news) {
    record_event(services_, device_, "app", describe(report),
                 "{\"state\":\"" + std::string(state_name(report.state)) + "\",\"bytes_done\":" +
                     std::to_string(report.bytes_done) + ",\"bytes_total\":" + std::to_string(report.bytes_total) +
                     ",\"running_hash\":\"" + to_hex(report.running_hash) + "\"}");
  }
}

// Whether the update is in another state than the history has, which is then noted in the report. Also carries over
// what the device counted while it fetched: it forgets that with the update's end.
bool LinkSession::note_update(Report& report) const {
  const Report& before = device_.report;
  const bool same_bundle = before.target_hash == report.target_hash || before.target_hash == report.running_hash;
  const bool same_order = before.generation == report.generation || before.generation == 0 || report.generation == 0;
  if (report.bytes_received == 0 && same_bundle && same_order) report.bytes_received = before.bytes_received;
  report.noted_state = before.noted_state;
  report.noted_generation = before.noted_generation;
  report.noted = before.noted;
  const UpdateState state = update_state(device_.desired, target_hash_, report);
  if (target_hash_.empty() || state == UpdateState::kPending) return false;
  if (report.noted_state == name(state) && report.noted_generation == device_.desired.generation) return false;
  report.noted_state = name(state);
  report.noted_generation = device_.desired.generation;
  report.noted = report.reported;
  return true;
}

void LinkSession::record_update(const Report& report) {
  const UpdateState state = update_state(device_.desired, target_hash_, report);
  nlohmann::ordered_json data = {{"state", name(state)},
                                 {"target_sid", device_.desired.app_sid},
                                 {"generation", device_.desired.generation},
                                 {"running_hash", to_hex(report.running_hash)}};
  if (has_reason(state)) data["reason"] = report.detail;
  record_event(services_, device_, "update", describe(state, report), data.dump());
}

void LinkSession::take_crash(const wire::CrashReport& crash) {
  const auto added = services_.store.add_crash(
      device_.sid, {.number = crash.number(), .received = services_.now(), .record = crash.SerializeAsString()},
      services_.settings.crashes_kept);
  if (!added) {
    spdlog::error("a crash report of {} is not stored: {}", device_.sid, added.error().sentence);
    return;  // not acknowledged: the device keeps it and sends it again
  }
  wire::CloudControl message;
  message.mutable_crash_ack()->set_number(crash.number());
  send_control(message);
  if (*added) {
    record_event(services_, device_, "crash", repair_utf8(crash.reason()),
                 "{\"number\":" + std::to_string(crash.number()) + "}");
  }
}

// What the device says of its debugger is an event of kind "debug", beside those of the stream that the cloud carries.
void LinkSession::take_event(const wire::DeviceEvent& event) {
  const std::string text = repair_utf8(event.kind() + (event.detail().empty() ? "" : ": ") + event.detail());
  for (const auto& [kind, state] : kDebugEvents) {
    if (event.kind() != kind) continue;
    return record_event(services_, device_, "debug", text, "{\"state\":\"" + std::string(state) + "\"}");
  }
  record_event(services_, device_, "device", text);
}

void LinkSession::take_keep_alive(const wire::KeepAliveReport& report) {
  const std::uint32_t interval = report.interval_ms() != 0 ? report.interval_ms() : report.learned_ms();
  status_.keep_alive_ms = std::clamp(interval, kMinKeepAliveMs, kMaxKeepAliveMs);
  const std::uint32_t learned = std::min(report.learned_ms(), kMaxKeepAliveMs);
  if (const auto stored = services_.store.update_keep_alive(device_.sid, learned); !stored) {
    spdlog::error("the keep-alive interval of {} is not stored: {}", device_.sid, stored.error().sentence);
  }
}

void LinkSession::take_logs(std::string_view payload) {
  wire::LogBatch batch;
  if (!batch.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return end(CloseReason::kProtocol, "a message on the log stream is not a LogBatch");
  }
  std::vector<LogRecord> records;
  std::uint64_t last = 0;
  for (const wire::LogRecord& record : batch.records()) {
    records.push_back(to_log_record(record, device_.facts.boot_id, services_.now()));
    last = std::max(last, record.sequence());
  }
  if (records.empty()) return;
  const auto added = services_.store.append_logs(device_.sid, records, services_.settings.log_records_kept);
  if (!added) {
    spdlog::error("log records of {} are not stored: {}", device_.sid, added.error().sentence);
    return;  // not acknowledged: the device sends them again
  }
  wire::CloudControl message;
  message.mutable_log_ack()->set_sequence(last);
  send_control(message);
  services_.metrics.add("mvcloud_log_records_total", static_cast<std::int64_t>(*added));
  if (*added > 0) services_.bus.publish(logs_topic(device_.sid));
}

void LinkSession::take_blob_request(std::string_view payload) {
  wire::BlobRequest request;
  if (!request.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return end(CloseReason::kProtocol, "a message on the blob stream is not a BlobRequest");
  }
  blobs_.begin(request, device_, microvisor_);
}

void LinkSession::take_pong(std::span<const std::uint8_t> payload) {
  if (ping_sent_ == 0 || read_u64(payload) != static_cast<std::uint64_t>(ping_sent_)) return;
  status_.round_trip_ms = static_cast<std::uint32_t>((services_.now() - ping_sent_) / 1000);
  ping_sent_ = 0;
}

void LinkSession::on_tick(Microseconds now) {
  if (state_ == State::kAwaitsHello && now - started_ > kHelloTimeout) {
    return end(CloseReason::kProtocol, "no Hello came within 20 seconds");
  }
  if (state_ != State::kLive) return;
  if (now - last_heard_ > idle_limit())
    return end(CloseReason::kGone, "nothing was heard for longer than the keep-alive interval allows");
  if (device_.desired.logging_enabled && !logging_is_on(device_.desired, now)) desired_changed();
  const auto debug = multiplex_.state(Stream::kDebug);
  const bool unanswered = debug == Multiplex::State::kOpening || debug == Multiplex::State::kClosing;
  if (unanswered && debug_client_ != nullptr && now - debug_asked_ > kDebugAnswerTimeout) {
    if (multiplex_.close(Stream::kDebug)) send_close(Stream::kDebug, CloseReason::kGone, "no answer in time");
    debug_closed(CloseReason::kGone, "the device did not answer the debug request within 15 seconds");
  }
}

// Two and a half intervals; of a long one no more than it takes the device to find out itself.
Microseconds LinkSession::idle_limit() const {
  const Microseconds interval = Microseconds{status_.keep_alive_ms} * 1'000;
  return interval + std::min(interval * 3 / 2, kLongestGrace);
}

void LinkSession::on_shutdown() { end(CloseReason::kShuttingDown, "the cloud restarts: connect again"); }

void LinkSession::on_closed() { leave("the connection ended"); }

LinkStatus LinkSession::status() const { return status_; }

void LinkSession::desired_changed() {
  if (state_ != State::kLive) return;
  send_desired();
  pump();
}

void LinkSession::key_change_ordered() {
  if (state_ != State::kLive) return;
  keys_.ordered();
  send_key_change();
  pump();
}

void LinkSession::device_removed() { end(CloseReason::kRefused, "the device was removed from this cloud"); }

void LinkSession::supersede() { end(CloseReason::kSuperseded, "a newer connection of this device took over"); }

bool LinkSession::open_debug(DebugClient& client) {
  if (state_ != State::kLive || debug_client_ != nullptr) return false;
  debug_client_ = &client;
  debug_asked_ = services_.now();
  // After the last session the device's CLOSE may still be on its way: the offer follows it.
  if (multiplex_.state(Stream::kDebug) == Multiplex::State::kClosed) offer_debug();
  return true;
}

void LinkSession::offer_debug() {
  multiplex_.open(Stream::kDebug, kDebugWindow);
  send_frame(Type::kOpen, Stream::kDebug, as_chars(frame::write_u32(kDebugWindow)));
}

std::size_t LinkSession::debug_send(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const std::size_t size =
        std::min({bytes.size() - taken, frame::kMaxPayload, std::size_t{multiplex_.sendable(Stream::kDebug)}});
    if (size == 0) break;
    multiplex_.sent(Stream::kDebug, static_cast<std::uint32_t>(size));
    send_frame(Type::kData, Stream::kDebug, bytes.substr(taken, size));
    taken += size;
  }
  services_.metrics.add("mvcloud_debug_bytes_total", static_cast<std::int64_t>(taken), "direction=\"down\"");
  return taken;
}

void LinkSession::debug_consumed(std::size_t bytes) { consumed(Stream::kDebug, bytes); }

void LinkSession::close_debug(CloseReason reason, std::string_view text) {
  debug_client_ = nullptr;
  if (state_ == State::kLive && multiplex_.close(Stream::kDebug)) send_close(Stream::kDebug, reason, text);
}

void LinkSession::debug_closed(CloseReason reason, const std::string& text) {
  if (DebugClient* client = std::exchange(debug_client_, nullptr)) client->on_debug_closed(reason, text);
}

void LinkSession::consumed(Stream stream, std::size_t bytes) {
  if (state_ == State::kEnded) return;
  const std::uint32_t grant = multiplex_.consumed(stream, static_cast<std::uint32_t>(bytes));
  if (grant > 0) send_frame(Type::kCredit, stream, as_chars(frame::write_u32(grant)));
}

void LinkSession::send_control(const wire::CloudControl& message) {
  if (control_out_.size() >= kControlQueueLimit) {
    return end(CloseReason::kProtocol, "the device grants no credit on the control stream");
  }
  control_out_.push_back(message.SerializeAsString());
}

// Control before blobs; debug bytes go out as they come.
void LinkSession::pump() {
  while (state_ == State::kLive && !control_out_.empty() &&
         multiplex_.sendable(Stream::kControl) >= control_out_.front().size()) {
    multiplex_.sent(Stream::kControl, static_cast<std::uint32_t>(control_out_.front().size()));
    send_frame(Type::kData, Stream::kControl, control_out_.front());
    control_out_.pop_front();
  }
  while (state_ == State::kLive && blobs_.active() && connection_.unsent() < kPace) {
    const auto message = blobs_.next(multiplex_.sendable(Stream::kBlob));
    if (!message) break;
    multiplex_.sent(Stream::kBlob, static_cast<std::uint32_t>(message->size()));
    send_frame(Type::kData, Stream::kBlob, *message);
  }
}

void LinkSession::send_frame(Type type, Stream stream, std::string_view payload) {
  std::array<std::uint8_t, frame::kMaxFrame> buffer{};
  const auto bytes = frame::encode(buffer, type, stream, as_bytes(payload));
  services_.metrics.add("mvcloud_link_bytes_total", static_cast<std::int64_t>(bytes.size()), "direction=\"down\"");
  connection_.write(as_chars(bytes));
}

void LinkSession::send_close(Stream stream, CloseReason reason, std::string_view text) {
  const auto code = static_cast<std::uint16_t>(reason);
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  send_frame(Type::kClose, stream, payload.append(text.substr(0, 200)));
}

void LinkSession::refuse(std::uint32_t code, const Sentence& sentence) {
  wire::CloudControl message;
  message.mutable_refusal()->set_code(code);
  message.mutable_refusal()->set_detail(sentence.substr(0, 127));
  message.mutable_refusal()->set_retry_after_ms(60'000);
  send_frame(Type::kData, Stream::kControl, message.SerializeAsString());
  end(CloseReason::kRefused, sentence);
}

void LinkSession::end(CloseReason reason, const Sentence& sentence) {
  if (state_ == State::kEnded) return;
  spdlog::warn("link of {} from {} ends: {}", device_.sid, connection_.peer(), sentence);
  if (reason == CloseReason::kProtocol) services_.metrics.add("mvcloud_link_violations_total");
  send_close(Stream::kControl, reason, sentence);
  leave(sentence);
  connection_.close();
}

void LinkSession::leave(const Sentence& why) {
  const bool was_live = state_ == State::kLive;
  state_ = State::kEnded;
  debug_closed(CloseReason::kGone, "the device's link ended: " + why);
  if (!was_live || !services_.links.leave(device_.sid, *this)) return;
  services_.metrics.set("mvcloud_links", static_cast<std::int64_t>(services_.links.size()));
  if (const auto done = services_.store.end_connection(device_.sid, device_.epoch, services_.now()); !done) {
    spdlog::error("the end of a connection of {} is not stored: {}", device_.sid, done.error().sentence);
  }
  record_event(services_, device_, "connection", "offline: " + why, "{\"state\":\"offline\"}");
}

}  // namespace mv::cloud
