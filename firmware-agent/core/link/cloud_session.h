// What device and cloud say on an open connection: Hello and Welcome, desired and reported state, logs, crashes,
// events, blobs, the debug stream, keep-alive.
//
// Works on frames; the connection itself (modem, TLS, back-off) is LinkAgent's. Reading never waits for writing: what
// is owed is noted in a few flags and counters and sent when there is room, so neither end can block the other. Per
// `poll` at most one frame is taken and one is sent. About 12 KiB, no heap.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/link/blob_client.h"
#include "core/link/debug_pipe.h"
#include "core/link/event_queue.h"
#include "core/link/frame_link.h"
#include "core/link/keep_alive.h"
#include "core/link/peers.h"
#include "core/link/timing.h"
#include "core/platform/ports.h"

namespace mv::link {

// Who the device is, for Hello. The texts must live as long as the link.
struct DeviceInfo {
  const char* device_id;  // "UV" + 32 hex digits
  const char* board;
  const char* microvisor_version;
  std::uint32_t syscall_abi;
  std::uint64_t boot_id;  // random, new on every boot
  std::uint32_t boot_count;
  mv_wire_WakeReason wake_reason;  // of the microvisor, not of the application
  std::string_view boot_detail;    // more about it, for a person; may be empty
};

// Whom the link talks to. All must outlive it.
struct Peers {
  UpdateControl& update;
  LogSource& logs;
  CrashSource& crashes;
  DebugPeer& debug;
  WallClock& wall_clock;
  LinkObserver& observer;
  ResourceMeter& resources;
  SessionStore& sessions;
};

class CloudSession {
 public:
  CloudSession(const DeviceInfo& info, const Peers& peers, Clock& clock)
      : info_(info), peers_(peers), clock_(clock), events_(clock) {}

  // A connection is open: Hello goes first. `tls` must live until `end`.
  void begin(tls::TlsSession& tls);

  // The connection is gone: the peers are told.
  void end();

  // Takes at most one frame and sends at most one; true if anything moved. Not after `failed`.
  bool poll();

  std::uint64_t next_deadline_us() const;

  bool welcomed() const { return welcomed_; }
  std::uint64_t epoch() const { return epoch_; }

  // True once the connection is of no more use; `error` says why, and a CLOSE that tells the cloud is with TLS if there
  // was room for it.
  bool failed() const { return !error_.empty(); }
  std::string_view error() const { return error_; }

  // How long the cloud asked us to stay away; 0: it did not.
  std::uint64_t retry_after_us() const { return retry_after_us_; }

  BlobFetcher& blobs() { return blobs_; }
  EventSink& events() { return events_; }

 private:
  // Receiving.
  bool receive();
  void take(const FrameLink::Received& received);
  void take_data(const frame::Frame& frame);
  void take_control(std::span<const std::uint8_t> payload);
  void take_welcome(const mv_wire_Welcome& welcome);
  void take_desired(const mv_wire_Desired& desired);
  void take_key_change(std::span<const std::uint8_t> message);
  void take_log_ack(std::uint64_t sequence);
  void take_crash_ack(std::uint32_t number);
  void take_refusal(const mv_wire_Refusal& refusal);
  void take_link_close(std::span<const std::uint8_t> payload);
  void take_debug_offer();
  void consumed(frame::Stream stream, std::uint32_t bytes);

  // Sending: each true if it sent a frame.
  bool send();
  bool send_pong();
  bool send_credit();
  bool send_debug_state();
  bool send_hello();
  bool send_data();
  bool send_on(frame::Stream stream);
  bool send_control();
  bool send_keep_alive();
  bool send_keys();
  bool send_report();
  bool send_crash();
  bool send_event();
  bool send_debug();
  bool send_logs();
  bool send_blob_request();
  bool send_ping();
  bool send_control_message(const mv_wire_DeviceControl& message);
  void send_frame(frame::Type type, frame::Stream stream, std::span<const std::uint8_t> bytes);
  void noted_sent() { last_sent_us_ = clock_.uptime_us(); }

  void check_time();
  void heard();
  bool expects_answer() const;
  std::uint64_t ping_due_us() const;
  bool report_due() const;
  std::uint32_t credit_due(std::size_t stream) const;  // of what is owed, as much as may go now
  std::uint64_t blob_credit_at_us() const;
  void resend_unacknowledged();
  void fail(frame::CloseReason reason, std::string_view sentence);

  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  const DeviceInfo& info_;
  Peers peers_;
  Clock& clock_;
  FrameLink frames_;
  BlobClient blobs_;
  DebugPipe debug_;
  EventQueue events_;

  bool hello_sent_ = false;
  bool welcomed_ = false;
  std::string_view error_;
  std::array<char, 128> error_text_{};
  std::uint64_t retry_after_us_ = 0;
  std::uint64_t epoch_ = 0;

  bool keys_owed_ = false;
  bool report_owed_ = false;
  std::uint32_t reported_version_ = 0;
  std::uint64_t log_sent_ = 0;          // newest record sent on this connection
  std::uint64_t log_acknowledged_ = 0;  // newest that the cloud has
  std::uint64_t log_sent_us_ = 0;
  bool crash_sent_ = false;  // and waits for its CrashAck
  std::uint32_t crash_number_ = 0;
  std::uint64_t crash_check_us_ = 0;  // when to look for a record, or to send the one again

  bool pong_owed_ = false;
  std::array<std::uint8_t, 8> pong_{};
  std::array<std::uint32_t, frame::kStreamLimit> credit_owed_{};
  bool open_owed_ = false;  // answers to the debug stream's OPEN and CLOSE
  bool close_owed_ = false;
  frame::CloseReason close_reason_ = frame::CloseReason::kDone;
  std::string_view close_text_;  // why the debug stream is refused
  std::uint64_t debug_traffic_us_ = 0;
  std::uint64_t blob_dose_us_ = 0;  // when blob credit was given last

  KeepAlive keep_alive_;                                           // what it learned outlives a connection
  std::uint64_t first_keep_alive_us_ = timing::kLongestKeepAlive;  // of this connection's Welcome
  bool keep_alive_owed_ = false;                                   // a KeepAliveReport
  std::uint64_t ping_silence_us_ = 0;  // how long nothing was sent or heard before our last PING
  std::uint64_t last_sent_us_ = 0;
  std::uint64_t last_heard_us_ = 0;
  std::uint64_t pong_deadline_us_ = kNever;  // of our own PING
};

}  // namespace mv::link
