#include "core/link/test_cloud.h"

#include <array>

namespace mv::test {
namespace {

using Action = frame::Multiplex::Action;
using frame::Stream;
using frame::Type;

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string number(std::uint32_t value) {
  const auto bytes = frame::write_u32(value);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TestCloud::TestCloud(TestModem& modem, const OpenSslContext& context) : modem_(modem), context_(context) {
  welcome.set_wall_time_us(1'700'000'000'000'000);
  welcome.set_keep_alive_ms(60'000);
  desired.set_generation(1);
  desired.set_logging_enabled(true);
  modem_.on_dial = [this](const std::string&, int) {
    if (dial_error == 0) accept();
    return dial_error;
  };
  modem_.on_data = [this](std::span<const std::uint8_t> bytes) { receive(bytes); };
}

void TestCloud::accept() {
  ++connections;
  peer_ = std::make_unique<OpenSslPeer>(context_);
  done_ = false;
  decoder_ = {};
  multiplex_ = {};
}

void TestCloud::receive(std::span<const std::uint8_t> bytes) {
  peer_->receive(bytes);
  if (!done_) {
    done_ = peer_->step();
    if (done_ && peer_->resumed()) ++resumed;
  }
  if (done_) {
    const Bytes plain = peer_->read();
    uploaded += plain.size();
    std::span<const std::uint8_t> rest(plain);
    for (;;) {
      const auto frame = decoder_.next(rest);
      if (!frame) {
        if (frame.error() != frame::FrameError::kIncomplete) broken = frame::describe(frame.error());
        break;
      }
      take(*frame);
    }
  }
  pump();
}

void TestCloud::pump() {
  const Bytes out = peer_->take();
  if (modem_.open || !done_) modem_.push(out);
}

void TestCloud::take(const frame::Frame& frame) {
  const auto action = multiplex_.received(frame);
  if (!action) {
    broken = frame::describe(action.error());
    return;
  }
  if (frame.stream == Stream::kDebug) debug_frames.push_back(frame.type);
  switch (*action) {
    case Action::kDeliver:
      take_data(frame);
      break;
    case Action::kPong:
      ++pings;
      if (answers_pings)
        send_frame(Type::kPong, Stream::kControl, {reinterpret_cast<const char*>(frame.payload.data()), 8});
      break;
    case Action::kLinkClosed:
      closed = std::to_string(frame.payload[0] << 8 | frame.payload[1]) + " " +
               std::string(frame.payload.begin() + 2, frame.payload.end());
      break;
    case Action::kClosedReply:
      send_frame(Type::kClose, frame.stream, std::string_view("\0\0", 2));
      [[fallthrough]];
    case Action::kClosed:
      debug_closes.push_back(frame.payload[0] << 8 | frame.payload[1]);
      break;
    default:
      break;
  }
}

void TestCloud::take_data(const frame::Frame& frame) {
  const std::string payload(frame.payload.begin(), frame.payload.end());
  if (frame.stream == Stream::kControl) {
    take_control(frame);
  } else if (frame.stream == Stream::kDebug) {
    debug_bytes += payload;
  } else if (frame.stream == Stream::kBlob) {
    wire::BlobRequest request;
    if (!request.ParseFromString(payload)) broken = "not a BlobRequest";
    requests.push_back(request);
  } else if (frame.stream == Stream::kLog) {
    wire::LogBatch batch;
    if (!batch.ParseFromString(payload)) broken = "not a LogBatch";
    for (const auto& record : batch.records()) logs.push_back(record);
    if (acknowledges_logs && batch.records_size() > 0) {
      wire::CloudControl message;
      message.mutable_log_ack()->set_sequence(batch.records(batch.records_size() - 1).sequence());
      send(message);
    }
  }
  consumed(frame.stream, payload.size());
}

void TestCloud::take_control(const frame::Frame& frame) {
  wire::DeviceControl message;
  if (!message.ParseFromArray(frame.payload.data(), static_cast<int>(frame.payload.size())))
    broken = "not a DeviceControl";
  if (message.has_app_report()) reports.push_back(message.app_report());
  if (message.has_keep_alive()) keep_alives.push_back(message.keep_alive());
  if (message.has_keys()) keys.push_back(message.keys());
  if (message.has_event()) events.push_back(message.event());
  if (message.has_crash()) {
    crashes.push_back(message.crash());
    wire::CloudControl reply;
    reply.mutable_crash_ack()->set_number(message.crash().number());
    if (acknowledges_crashes) send(reply);
  }
  if (!message.has_hello()) return;
  hellos.push_back(message.hello());
  if (!welcomes) return;
  wire::CloudControl reply;
  *reply.mutable_welcome() = welcome;
  reply.mutable_welcome()->set_epoch(static_cast<std::uint64_t>(connections));
  send(reply);
  if (!desires) return;
  *reply.mutable_desired() = desired;
  send(reply);
}

void TestCloud::consumed(Stream stream, std::size_t bytes) {
  if (!grants_credit) return;
  const std::uint32_t grant = multiplex_.consumed(stream, static_cast<std::uint32_t>(bytes));
  if (grant > 0) send_frame(Type::kCredit, stream, number(grant));
}

void TestCloud::send(const wire::CloudControl& message) { send_data(Stream::kControl, message.SerializeAsString()); }

void TestCloud::send_chunk(const wire::BlobChunk& chunk) { send_data(Stream::kBlob, chunk.SerializeAsString()); }

void TestCloud::send_data(Stream stream, std::string_view payload) {
  multiplex_.sent(stream, static_cast<std::uint32_t>(payload.size()));
  send_frame(Type::kData, stream, payload);
}

void TestCloud::send_frame(Type type, Stream stream, std::string_view payload) {
  std::array<std::uint8_t, frame::kMaxFrame> buffer;
  const auto bytes = frame::encode(buffer, type, stream, as_bytes(payload));
  send_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void TestCloud::send_bytes(std::string_view plaintext) {
  peer_->write(as_bytes(plaintext));
  pump();
}

void TestCloud::open_debug(std::uint32_t window) {
  multiplex_.open(Stream::kDebug, window);
  send_frame(Type::kOpen, Stream::kDebug, number(window));
}

void TestCloud::close_link(frame::CloseReason reason) {
  const std::string payload = {'\0', static_cast<char>(reason)};
  send_frame(Type::kClose, Stream::kControl, payload);
}

void TestCloud::close_tls() {
  peer_->close();
  pump();
}

}  // namespace mv::test
