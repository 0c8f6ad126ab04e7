// For tests: a cloud in memory at the other end of a TestModem. OpenSSL and the host's protobuf, so that nothing of the
// device's own code is its own judge.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/link/test_modem.h"
#include "core/tls/openssl_peer.h"
#include "wire/frame.h"
#include "wire/multiplex.h"
#include "wire/proto/link.pb.h"

namespace mv::test {

class TestCloud {
 public:
  TestCloud(TestModem& modem, const OpenSslContext& context);

  // How it behaves.
  int dial_error = 0;
  bool welcomes = true;
  bool desires = true;  // sends `desired` after Welcome
  bool acknowledges_logs = true;
  bool acknowledges_crashes = true;
  bool grants_credit = true;
  bool answers_pings = true;
  wire::Welcome welcome;
  wire::Desired desired;

  void send(const wire::CloudControl& message);
  void send_data(frame::Stream stream, std::string_view payload);  // whatever the credit
  void send_frame(frame::Type type, frame::Stream stream, std::string_view payload);
  void send_bytes(std::string_view plaintext);  // not even frames
  void send_chunk(const wire::BlobChunk& chunk);
  void open_debug(std::uint32_t window = 8192);
  void close_link(frame::CloseReason reason);
  void close_tls();

  // What it saw, over all connections.
  int connections = 0;
  int resumed = 0;
  std::vector<wire::Hello> hellos;
  std::vector<wire::AppReport> reports;
  std::vector<wire::CrashReport> crashes;
  std::vector<wire::DeviceEvent> events;
  std::vector<wire::KeepAliveReport> keep_alives;
  std::vector<wire::KeysReport> keys;
  std::vector<wire::LogRecord> logs;
  std::vector<wire::BlobRequest> requests;
  std::string debug_bytes;
  std::string closed;             // text of the CLOSE on control, with its reason as a number before it
  std::vector<int> debug_closes;  // reasons
  int pings = 0;
  std::vector<frame::Type> debug_frames;
  std::string broken;  // a rule that the device broke

  frame::Multiplex& multiplex() { return multiplex_; }
  std::uint64_t uploaded = 0;  // plaintext bytes

 private:
  void accept();
  void receive(std::span<const std::uint8_t> bytes);
  void pump();
  void take(const frame::Frame& frame);
  void take_data(const frame::Frame& frame);
  void take_control(const frame::Frame& frame);
  void consumed(frame::Stream stream, std::size_t bytes);

  TestModem& modem_;
  const OpenSslContext& context_;
  std::unique_ptr<OpenSslPeer> peer_;
  bool done_ = false;
  frame::FrameDecoder decoder_;
  frame::Multiplex multiplex_;
};

}  // namespace mv::test
