// One TLS 1.3 session on a caller's byte stream: the device link's client end, or the end-to-end channel's server end.
//
// P-256, AES-128-GCM and SHA-256 only, certificates on both ends, ALPN always. Never blocks and owns no heap: mbedTLS
// takes what it needs from one static pool (kPoolSize, tls_platform.h), which holds two sessions at once. The object
// itself takes about 2 KiB and stays where it is once started. Secure thread only, on a stack of at least 4 KiB: one
// public-key operation takes 165 to 232 ms at 160 MHz and cannot be split, so a handshake is made step by step.
//
// `tls::set_up` (tls_platform.h) must have run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <mbedtls/ssl.h>

#include "core/tls/byte_stream.h"

namespace mv::tls {

inline constexpr std::size_t kMaxRecord = 2048;       // plaintext bytes of the longest record, either way
inline constexpr std::size_t kMaxSavedSession = 256;  // a stateful session takes 96 bytes and the server name
inline constexpr std::size_t kPrivateKeySize = 32;    // P-256 scalar, big-endian
inline constexpr std::size_t kPublicKeySize = 65;     // P-256 point, uncompressed

// What a client needs. Everything pointed to must outlive the session, but for `saved_session`, which is copied.
struct ClientConfig {
  std::span<const std::uint8_t> certificate;           // own, X.509 DER
  std::span<const std::uint8_t, kPrivateKeySize> key;  // own
  std::span<const std::uint8_t> ca_certificate;        // DER: signs the server's certificate
  const char* server_name;                             // SNI, and the name that the certificate must carry
  const char* alpn;                                    // must be what the server chooses
  std::span<const std::uint8_t> saved_session;         // of an earlier session; empty, or unusable: full handshake
};

// What a server needs: it accepts one client only, the one that holds the private half of `client_key`. No tickets,
// because a resumed session would not check the key. Everything pointed to must outlive the session.
struct ServerConfig {
  std::span<const std::uint8_t> certificate;
  std::span<const std::uint8_t, kPrivateKeySize> key;
  std::span<const std::uint8_t, kPublicKeySize> client_key;
  const char* alpn;
};

class TlsSession {
 public:
  enum class State : std::uint8_t {
    kIdle,       // not started, or stopped
    kHandshake,  // call `step`
    kOpen,       // `read` and `write` move bytes
    kClosed,     // the peer closed, or the stream ended; what it sent before was read
    kFailed,     // see `error`; call `stop`
  };

  TlsSession() = default;
  ~TlsSession() { stop(); }
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Begin a session on `stream`, which must outlive it. Any earlier session is stopped first. kHandshake or kFailed.
  State start_client(const ClientConfig& config, ByteStream& stream);
  State start_server(const ServerConfig& config, ByteStream& stream);

  // Does at most one step of the handshake, or sends on what the stream did not take before.
  State step();

  // Bytes taken; 0: none there now, see `state`. Only while open.
  std::size_t read(std::span<std::uint8_t> out);

  // Bytes accepted, at most one record; they may still wait in the session's buffer, and `step` sends them on. 0 while
  // earlier ones wait. Only while open.
  std::size_t write(std::span<const std::uint8_t> bytes);

  // Tells the peer, once and without waiting, that no more will be sent, and stops.
  void close();

  // Frees everything without a word to the peer: after the stream is gone.
  void stop();

  State state() const { return state_; }

  // True if the last call could do no more until the stream has bytes or room: time to wait for it.
  bool blocked() const { return blocked_; }

  // True if bytes that were accepted wait for room in the stream.
  bool unsent() const;

  // A sentence for a person; empty unless kFailed.
  std::string_view error() const { return error_; }

  // The session as the server's newest ticket allows to resume it; empty until a ticket came (call `read`).
  std::span<const std::uint8_t> saved_session() const { return std::span(saved_).first(saved_size_); }

  // Tickets taken since the start: a change means that `saved_session` has changed.
  unsigned tickets() const { return tickets_; }

  // True if the handshake resumed the saved session.
  bool resumed() const { return resumed_; }

 private:
  struct Peer;

  State fail(std::string_view sentence);
  State fail(int code);
  void release();
  bool load_identity(std::span<const std::uint8_t> certificate, std::span<const std::uint8_t, kPrivateKeySize> key);
  void load_session(std::span<const std::uint8_t> saved, std::string_view server_name);
  int configure(int endpoint, const char* alpn);
  State begin(ByteStream& stream);
  State finish_handshake();
  bool flush();
  void take_ticket();

  State state_ = State::kIdle;
  bool allocated_ = false;
  bool blocked_ = false;
  bool resumed_ = false;
  std::string_view error_;
  std::array<char, 64> error_text_{};  // for an error that has no sentence of its own
  ByteStream* stream_ = nullptr;
  std::array<const char*, 2> alpn_{};
  std::array<std::uint8_t, kPublicKeySize> client_key_{};
  std::array<std::uint8_t, kMaxSavedSession> saved_{};
  std::size_t saved_size_ = 0;
  unsigned tickets_ = 0;
  psa_key_id_t key_ = 0;
  mbedtls_ssl_context ssl_{};
  mbedtls_ssl_config config_{};
  mbedtls_x509_crt certificate_{};
  mbedtls_x509_crt ca_{};
  mbedtls_pk_context private_key_{};
};

}  // namespace mv::tls
