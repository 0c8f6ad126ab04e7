// One device's connection at the gateway: the frame multiplex, and what the cloud says and does on each stream.
//
// No sockets and no TLS: bytes come from a Connection whose peer proved to be `device_id` by its certificate. State is
// level-triggered (src/wire/proto/link.proto): what matters is in the Store before it is acknowledged, and the desired
// state is read from the Store whenever it is sent.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "cloud/connection.h"
#include "cloud/link/blob_sender.h"
#include "cloud/link/device_link.h"
#include "cloud/link/key_courier.h"
#include "cloud/services.h"
#include "wire/frame.h"
#include "wire/multiplex.h"
#include "wire/proto/link.pb.h"

namespace mv::cloud {

class LinkSession final : public ConnectionUser, public DeviceLink {
 public:
  LinkSession(Services& services, Connection& connection, std::string device_id);
  ~LinkSession() override;

  void on_bytes(std::span<const std::uint8_t> bytes) override;
  void on_drained() override { pump(); }
  void on_tick(Microseconds now) override;
  void on_shutdown() override;
  void on_closed() override;

  LinkStatus status() const override;
  void desired_changed() override;
  void key_change_ordered() override;
  void device_removed() override;
  void supersede() override;
  bool open_debug(DebugClient& client) override;
  std::size_t debug_send(std::string_view bytes) override;
  void debug_consumed(std::size_t bytes) override;
  void close_debug(frame::CloseReason reason, std::string_view text) override;

 private:
  enum class State { kAwaitsHello, kLive, kEnded };

  // What a frame asks for; false if the link ended with it.
  bool take(const frame::Frame& frame);
  void take_data(const frame::Frame& frame);
  void take_control(std::string_view payload);
  void take_hello(const wire::Hello& hello);
  void take_report(const wire::AppReport& message);
  bool note_update(Report& report) const;
  void record_update(const Report& report);
  void take_microvisor_report(const wire::MicrovisorReport& message);
  void take_crash(const wire::CrashReport& crash);
  void take_event(const wire::DeviceEvent& event);
  void take_keep_alive(const wire::KeepAliveReport& report);
  void take_logs(std::string_view payload);
  void take_blob_request(std::string_view payload);
  void take_pong(std::span<const std::uint8_t> payload);

  void record_boot();
  void welcome();
  void send_desired();
  void send_key_change();
  Stored<void> add_microvisor(wire::Desired& desired);
  void send_control(const wire::CloudControl& message);
  void send_frame(frame::Type type, frame::Stream stream, std::string_view payload);
  void send_close(frame::Stream stream, frame::CloseReason reason, std::string_view text);
  void consumed(frame::Stream stream, std::size_t bytes);
  void pump();

  void offer_debug();
  void debug_closed(frame::CloseReason reason, const std::string& text);
  void refuse(std::uint32_t code, const Sentence& sentence);
  // Ends the link with a CLOSE that says why; the reason is logged.
  void end(frame::CloseReason reason, const Sentence& sentence);
  void leave(const Sentence& why);
  Microseconds idle_limit() const;

  Services& services_;
  Connection& connection_;
  State state_ = State::kAwaitsHello;
  Device device_;                           // sid from the certificate; the rest is read at the hello
  std::uint32_t received_before_boot_ = 0;  // bytes of the update that the device was fetching when it booted
  std::string target_hash_;                 // manifest of what was last desired; empty: nothing
  frame::FrameDecoder decoder_;
  frame::Multiplex multiplex_;
  std::deque<std::string> control_out_;
  BlobSender blobs_;
  KeyCourier keys_;
  std::optional<Blob> microvisor_;      // that the device is to run
  DeviceMicrovisor microvisor_report_;  // the last one; of the other half nothing
  DebugClient* debug_client_ = nullptr;
  Microseconds debug_asked_ = 0;
  Microseconds started_;
  Microseconds last_heard_;
  Microseconds ping_sent_ = 0;
  LinkStatus status_;
};

}  // namespace mv::cloud
