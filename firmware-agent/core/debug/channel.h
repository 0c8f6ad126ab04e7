// The end-to-end channel: a TLS 1.3 server on the debug stream of the device link, or on a caller's connection
// (docs/decisions/0019-debug-without-a-cloud.md), and the debug agent behind it.
//
// The device shows its identity certificate and takes one client only: the holder of the debug key that the running,
// signed manifest names. No key there, no channel. The cloud in between carries bytes that it cannot read.
//
// Tells the cloud who got in and who did not: events "debugger attached", "debugger detached" and "debug access
// refused".
//
// One connection at a time. Secure thread only, on a stack fit for TLS (tls_session.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/debug/agent.h"
#include "core/debug/peers.h"
#include "core/link/peers.h"
#include "core/platform/ports.h"
#include "core/tls/tls_session.h"

namespace mv::debug {

class Channel final : public link::DebugPeer {
 public:
  static constexpr const char* kAlpn = "mv-debug/1";

  // A client that has not proved itself by then is cut off, because its session holds memory that the link may need.
  static constexpr std::uint64_t kHandshakeLimitUs = 30'000'000;

  Channel(Agent& agent, Supervisor& supervisor, const Identity& identity, Clock& clock, link::EventSink& events)
      : agent_(agent), supervisor_(supervisor), identity_(identity), clock_(clock), events_(events) {}

  bool opened(link::DebugStream& stream) override;
  void closed() override;
  void link_lost() override;
  std::string_view refusal() const override { return refusal_; }
  void introduce(link::TextWriter& out) const override;

  // Does one bounded step, a public-key operation at most; true if there was something to do. Also drives the agent.
  bool poll();
  std::optional<std::uint64_t> deadline_us() const;

  // The supervisor stopped the application: the next one may name another debug key.
  void application_stopped();

 private:
  bool refuse(std::string_view sentence);
  bool step_handshake();
  bool move_bytes();
  bool receive();
  bool send();
  void check_key();
  void let_in();
  void gone(Agent::Loss loss);
  void forget(Agent::Loss loss);
  void end(std::string_view why);

  Agent& agent_;
  Supervisor& supervisor_;
  const Identity identity_;
  Clock& clock_;
  link::EventSink& events_;

  tls::TlsSession tls_;
  link::DebugStream* stream_ = nullptr;
  bool trusted_ = false;  // the handshake is done: the agent is connected
  bool check_key_ = false;
  std::uint64_t handshake_end_us_ = 0;
  std::array<std::uint8_t, 65> key_{};
  std::string_view refusal_;

  std::array<std::uint8_t, 512> input_{};  // decrypted, not yet taken by the agent
  std::span<const std::uint8_t> pending_;
};

}  // namespace mv::debug
