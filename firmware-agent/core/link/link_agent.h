// The device's link to its cloud: keeps one connection up, whatever the modem, the network and the cloud do.
//
// Drives the modem, and owns the TLS session and what is said on it (CloudSession). The Secure thread calls `poll`
// until it says that nothing happened, then waits until `next_deadline_us` or for a byte from the modem. One `poll`
// does at most one TLS handshake step, which may be one public-key operation.
//
// Static size about 16 KiB (frames 4.8, debug stream 4, TLS 2.3, messages), and a share of mbedTLS's pool.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/link/back_off.h"
#include "core/link/call_stream.h"
#include "core/link/cloud_session.h"
#include "core/link/modem.h"
#include "core/link/peers.h"
#include "core/tls/tls_session.h"

namespace mv::link {

// Where the cloud is, and what proves who we are: from the provisioned identity. Must outlive the link.
struct CloudAddress {
  std::string_view host;
  std::uint16_t port;
  const char* server_name;
  std::span<const std::uint8_t> certificate;  // own, DER
  std::span<const std::uint8_t, tls::kPrivateKeySize> key;
  std::span<const std::uint8_t> ca_certificate;
};

class LinkAgent {
 public:
  enum class State : std::uint8_t {
    kWaiting,    // until it is time to try again
    kDialling,   // the modem connects
    kHandshake,  // TLS
    kOnline,     // frames; `connected` once the cloud said Welcome
    kClosing,    // we end it: the last bytes leave
    kCalled,     // somebody at the modem's line has called the debug agent; the cloud waits
  };

  // All must outlive the link.
  LinkAgent(Modem& modem, Clock& clock, Entropy& entropy, const CloudAddress& address, const DeviceInfo& info,
            const Peers& peers);

  // Does one bounded step; true if anything happened.
  bool poll();

  // When `poll` is to be called again even if no byte comes.
  std::uint64_t next_deadline_us() const;

  State state() const { return state_; }
  bool connected() const { return session_.welcomed(); }

  // Rises with each connection of this device, as the cloud counts; 0: never connected.
  std::uint64_t epoch() const { return session_.epoch(); }

  // Why the last attempt or connection ended; a sentence, empty if none has. Valid until the next `poll`.
  std::string_view last_error() const { return last_error_; }

  // 0 to 31 as in +CSQ, or Modem::kNoSignal.
  std::uint8_t signal() const { return modem_.signal(); }

  struct Counters {
    std::uint32_t attempts = 0;
    std::uint32_t connections = 0;  // that got as far as Welcome
    std::uint32_t resumed = 0;      // TLS handshakes that were short ones
  };
  const Counters& counters() const { return counters_; }

  BlobFetcher& blobs() { return session_.blobs(); }
  EventSink& events() { return session_.events(); }

 private:
  bool step();
  bool step_waiting();
  bool step_dialling();
  bool step_handshake();
  bool step_online();
  bool step_closing();
  bool step_called();

  bool take_call();
  void greet(bool accepted);
  void start_tls();
  void keep_session();
  void note_welcome();
  void lose(std::string_view why);
  void wait_before_retry();

  Clock& clock_;
  const CloudAddress& address_;
  SessionStore& sessions_;
  Modem& modem_;
  tls::TlsSession tls_;
  CloudSession session_;
  DebugPeer& debug_;
  const DeviceInfo& info_;
  CallStream call_;
  BackOff back_off_;

  State state_ = State::kWaiting;
  std::string_view last_error_;
  std::uint64_t deadline_us_ = 0;   // of the state: when to try again, or when to give up
  std::uint64_t stable_at_us_ = 0;  // when the back-off is forgotten; 0: done, or not connected
  Counters counters_;

  bool session_loaded_ = false;
  std::array<std::uint8_t, tls::kMaxSavedSession> saved_{};
  std::size_t saved_size_ = 0;
  unsigned tickets_seen_ = 0;
  bool welcome_noted_ = false;
};

}  // namespace mv::link
