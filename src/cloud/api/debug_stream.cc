#include "cloud/api/debug_stream.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace mv::cloud {
namespace {

constexpr std::size_t kToDeviceLimit = 64 * 1024;
constexpr std::size_t kToClientLimit = 64 * 1024;
constexpr std::uint16_t kCloseCodeBase = 4000;  // + frame::CloseReason

}  // namespace

std::unique_ptr<DebugStream> DebugStream::open(Services& services, const Device& device, DeviceLink& link) {
  std::unique_ptr<DebugStream> stream(new DebugStream(services, device, link));
  if (!link.open_debug(*stream)) {
    stream->link_ = nullptr;
    return nullptr;
  }
  if (!services.settings.capture_debug.empty()) stream->start_capture();
  return stream;
}

DebugStream::~DebugStream() { finish("the client went away"); }

void DebugStream::start(WebSocketSink& sink) { sink_ = &sink; }

void DebugStream::on_debug_open() {
  open_ = true;
  services_.metrics.add("mvcloud_debug_sessions_total");
  record_event(services_, device_, "debug", "a debug stream was opened", "{\"state\":\"opened\"}");
  flush();
}

void DebugStream::start_capture() {
  auto capture = DebugCapture::create(services_.settings.capture_debug, device_.sid);
  if (!capture) return spdlog::error("a debug stream is not captured: {}", capture.error());
  capture_.emplace(std::move(*capture));
}

// A capture that fails ends, with a line in the log; the session it would have shown goes on.
void DebugStream::capture(DebugCapture::Direction direction, std::string_view bytes) {
  if (!capture_) return;
  if (const auto written = capture_->write(direction, bytes); !written) {
    spdlog::error("the capture of a debug stream of {} ends: {}", device_.sid, written.error());
    capture_.reset();
  }
}

void DebugStream::on_message(std::string_view binary) {
  capture(DebugCapture::Direction::kToDevice, binary);
  to_device_ += binary;
  flush();
}

void DebugStream::flush() {
  if (link_ != nullptr && open_ && !to_device_.empty()) {
    const std::size_t taken = link_->debug_send(to_device_);
    bytes_down_ += taken;
    to_device_.erase(0, taken);
  }
  const bool pause = to_device_.size() > kToDeviceLimit;
  if (sink_ != nullptr && pause != std::exchange(paused_, pause)) sink_->pause_reading(pause);
}

void DebugStream::on_debug_bytes(std::span<const std::uint8_t> bytes) {
  capture(DebugCapture::Direction::kFromDevice, as_chars(bytes));
  bytes_up_ += bytes.size();
  if (sink_ != nullptr) sink_->send(as_chars(bytes));
  owed_ += bytes.size();
  if (sink_ == nullptr || sink_->unsent() < kToClientLimit) on_drained();
}

void DebugStream::on_drained() {
  if (link_ != nullptr && owed_ > 0) link_->debug_consumed(std::exchange(owed_, 0));
}

void DebugStream::on_debug_writable() { flush(); }

void DebugStream::on_debug_closed(frame::CloseReason reason, const std::string& text) {
  link_ = nullptr;
  const auto code = static_cast<std::uint16_t>(kCloseCodeBase + std::min<unsigned>(static_cast<unsigned>(reason), 999));
  finish(text.empty() ? "the device closed it" : text);
  if (WebSocketSink* sink = std::exchange(sink_, nullptr)) sink->close(code, text);
}

void DebugStream::on_shutdown() {
  finish("the cloud restarts");
  if (WebSocketSink* sink = std::exchange(sink_, nullptr)) {
    sink->close(kCloseCodeBase + static_cast<std::uint16_t>(frame::CloseReason::kShuttingDown), "the cloud restarts");
  }
}

void DebugStream::on_closed() {
  sink_ = nullptr;
  finish("the client went away");
}

// Lets go of the device's stream and writes the audit record, once.
void DebugStream::finish(const std::string& why) {
  if (DeviceLink* link = std::exchange(link_, nullptr)) link->close_debug(frame::CloseReason::kGone, why);
  if (!std::exchange(open_, false)) return;
  record_event(services_, device_, "debug",
               "the debug stream was closed (" + why + "), " + std::to_string(bytes_up_) + " bytes from and " +
                   std::to_string(bytes_down_) + " bytes to the device",
               "{\"state\":\"closed\",\"bytes_from_device\":" + std::to_string(bytes_up_) +
                   ",\"bytes_to_device\":" + std::to_string(bytes_down_) + "}");
}

}  // namespace mv::cloud
