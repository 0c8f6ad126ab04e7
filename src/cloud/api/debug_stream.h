// A debug stream: a WebSocket on one side, the device's stream on the other, and bytes both ways that the cloud cannot
// read. Credit holds back either side while the other is slow.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cloud/api/debug_capture.h"
#include "cloud/http/http.h"
#include "cloud/link/device_link.h"
#include "cloud/services.h"

namespace mv::cloud {

class DebugStream final : public WebSocketHandler, public DebugClient {
 public:
  // Asks the device for its debug stream. Nothing if somebody else has it.
  static std::unique_ptr<DebugStream> open(Services& services, const Device& device, DeviceLink& link);
  ~DebugStream() override;

  void start(WebSocketSink& sink) override;
  void on_message(std::string_view binary) override;
  void on_drained() override;
  void on_shutdown() override;
  void on_closed() override;

  void on_debug_open() override;
  void on_debug_bytes(std::span<const std::uint8_t> bytes) override;
  void on_debug_writable() override;
  void on_debug_closed(frame::CloseReason reason, const std::string& text) override;

 private:
  DebugStream(Services& services, Device device, DeviceLink& link)
      : services_(services), device_(std::move(device)), link_(&link) {}

  void start_capture();
  void capture(DebugCapture::Direction direction, std::string_view bytes);
  void flush();
  void finish(const std::string& why);

  Services& services_;
  Device device_;
  DeviceLink* link_;  // null once either side ended
  WebSocketSink* sink_ = nullptr;
  std::optional<DebugCapture> capture_;
  std::string to_device_;         // taken from the client, not yet from the link
  std::size_t owed_ = 0;          // bytes of the device that the client's connection has not taken yet
  std::uint64_t bytes_up_ = 0;    // from the device
  std::uint64_t bytes_down_ = 0;  // to the device
  bool paused_ = false;
  bool open_ = false;
};

}  // namespace mv::cloud
