#include "cloud/api/debug_stream.h"

#include <utility>

namespace mv::cloud {
namespace {

constexpr std::size_t kToDeviceLimit = 64 * 1024;
constexpr std::size_t kToClientLimit = 64 * 1024;
constexpr std::uint16_t kCloseCodeBase = 4000;  // + frame::CloseReason

}  // namespace

std::unique_ptr<DebugStream> DebugStream::open(Services& services, const Device& device, DeviceLink& link) {
  std::unique_ptr<DebugStream> stream(new DebugStream(services, device, link));
  if (link.open_debug(*stream)) return stream;
  stream->link_ = nullptr;
  return nullptr;
}

DebugStream::~DebugStream() { finish("the client went away"); }

void DebugStream::start(WebSocketSink& sink) { sink_ = &sink; }

void DebugStream::on_debug_open() {
  open_ = true;
  services_.metrics.add("mvcloud_debug_sessions_total");
  record_event(services_, device_, "debug", "a debug stream was opened", "{\"state\":\"opened\"}");
  flush();
}

void DebugStream::on_message(std::string_view binary) {
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
