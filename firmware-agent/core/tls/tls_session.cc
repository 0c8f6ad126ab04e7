#include "core/tls/tls_session.h"

#include <algorithm>
#include <cstring>

#include <psa/crypto.h>

#include "core/tls/tls_error.h"

namespace mv::tls {
namespace {

constexpr int kSuites[] = {MBEDTLS_TLS1_3_AES_128_GCM_SHA256, 0};
constexpr std::uint16_t kGroups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
constexpr std::uint16_t kSignatures[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_NONE};

// SubjectPublicKeyInfo of a P-256 key up to its 65-byte point (RFC 5480 section 2).
constexpr std::array<std::uint8_t, 26> kPublicKeyPrefix = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                                           0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
                                                           0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

bool is_key(const mbedtls_x509_buf& info, std::span<const std::uint8_t, kPublicKeySize> point) {
  return info.len == kPublicKeyPrefix.size() + point.size() &&
         std::equal(kPublicKeyPrefix.begin(), kPublicKeyPrefix.end(), info.p) &&
         std::equal(point.begin(), point.end(), info.p + kPublicKeyPrefix.size());
}

bool would_block(int code) { return code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE; }

int random_bytes(void*, unsigned char* out, std::size_t size) {
  return psa_generate_random(out, size) == PSA_SUCCESS ? 0 : MBEDTLS_ERR_SSL_NO_RNG;
}

int parse(mbedtls_x509_crt& certificate, std::span<const std::uint8_t> der) {
  return mbedtls_x509_crt_parse_der_nocopy(&certificate, der.data(), der.size());
}

}  // namespace

// What mbedTLS calls back.
struct TlsSession::Peer {
  static int send(void* context, const unsigned char* bytes, std::size_t size) {
    const std::size_t sent = static_cast<TlsSession*>(context)->stream_->write({bytes, size});
    return sent > 0 ? static_cast<int>(sent) : MBEDTLS_ERR_SSL_WANT_WRITE;
  }

  static int receive(void* context, unsigned char* out, std::size_t size) {
    ByteStream& stream = *static_cast<TlsSession*>(context)->stream_;
    const std::size_t taken = stream.read({out, size});
    if (taken > 0) return static_cast<int>(taken);
    return stream.ended() ? 0 : MBEDTLS_ERR_SSL_WANT_READ;
  }

  // The server's check of the client: the chain means nothing here, the key everything. Depth 0 is the client's own
  // certificate; what mbedTLS found wrong with the chain is replaced by our verdict on the key.
  static int verify(void* context, mbedtls_x509_crt* certificate, int depth, std::uint32_t* flags) {
    const auto& session = *static_cast<TlsSession*>(context);
    if (depth == 0) *flags = is_key(certificate->pk_raw, session.client_key_) ? 0 : MBEDTLS_X509_BADCERT_OTHER;
    return 0;
  }
};

TlsSession::State TlsSession::start_client(const ClientConfig& config, ByteStream& stream) {
  stop();
  if (const int code = configure(MBEDTLS_SSL_IS_CLIENT, config.alpn); code != 0) return fail(code);
  if (!load_identity(config.certificate, config.key)) return state_;
  if (parse(ca_, config.ca_certificate) != 0) return fail("the CA certificate of this device's identity is damaged");
  mbedtls_ssl_conf_ca_chain(&config_, &ca_, nullptr);
  mbedtls_ssl_conf_tls13_key_exchange_modes(&config_, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL);
  mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(&config_,
                                                           MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
  if (begin(stream) != State::kHandshake) return state_;
  if (const int code = mbedtls_ssl_set_hostname(&ssl_, config.server_name); code != 0) return fail(code);
  load_session(config.saved_session, config.server_name);
  return state_;
}

TlsSession::State TlsSession::start_server(const ServerConfig& config, ByteStream& stream) {
  stop();
  std::copy(config.client_key.begin(), config.client_key.end(), client_key_.begin());
  if (const int code = configure(MBEDTLS_SSL_IS_SERVER, config.alpn); code != 0) return fail(code);
  if (!load_identity(config.certificate, config.key)) return state_;
  // mbedTLS asks no client for a certificate without some CA to name; any does, because `verify` decides.
  mbedtls_ssl_conf_ca_chain(&config_, &certificate_, nullptr);
  mbedtls_ssl_conf_verify(&config_, Peer::verify, this);
  mbedtls_ssl_conf_tls13_key_exchange_modes(&config_, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
  return begin(stream);
}

int TlsSession::configure(int endpoint, const char* alpn) {
  mbedtls_ssl_init(&ssl_);
  mbedtls_ssl_config_init(&config_);
  mbedtls_x509_crt_init(&certificate_);
  mbedtls_x509_crt_init(&ca_);
  mbedtls_pk_init(&private_key_);
  allocated_ = true;
  const int code =
      mbedtls_ssl_config_defaults(&config_, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
  if (code != 0) return code;
  mbedtls_ssl_conf_rng(&config_, random_bytes, nullptr);
  mbedtls_ssl_conf_authmode(&config_, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_ciphersuites(&config_, kSuites);
  mbedtls_ssl_conf_groups(&config_, kGroups);
  mbedtls_ssl_conf_sig_algs(&config_, kSignatures);
  alpn_ = {alpn, nullptr};
  return mbedtls_ssl_conf_alpn_protocols(&config_, alpn_.data());
}

bool TlsSession::load_identity(std::span<const std::uint8_t> certificate,
                               std::span<const std::uint8_t, kPrivateKeySize> key) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, 256);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_HASH);
  psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_ANY_HASH));
  if (psa_import_key(&attributes, key.data(), key.size(), &key_) != PSA_SUCCESS ||
      mbedtls_pk_setup_opaque(&private_key_, key_) != 0) {
    fail("the private key of this device's identity is not a P-256 key: provision the device again");
    return false;
  }
  if (parse(certificate_, certificate) != 0 || mbedtls_ssl_conf_own_cert(&config_, &certificate_, &private_key_) != 0) {
    fail("the certificate of this device's identity is damaged: provision the device again");
    return false;
  }
  return true;
}

TlsSession::State TlsSession::begin(ByteStream& stream) {
  if (const int code = mbedtls_ssl_setup(&ssl_, &config_); code != 0) return fail(code);
  stream_ = &stream;
  mbedtls_ssl_set_bio(&ssl_, this, Peer::send, Peer::receive, nullptr);
  return state_ = State::kHandshake;
}

// A saved session that does not fit is no error: the handshake is then a full one. mbedTLS binds a session to the name
// of its server and would give up on another name before it sends anything.
void TlsSession::load_session(std::span<const std::uint8_t> saved, std::string_view server_name) {
  if (saved.empty()) return;
  mbedtls_ssl_session session;
  mbedtls_ssl_session_init(&session);
  if (mbedtls_ssl_session_load(&session, saved.data(), saved.size()) == 0) {
    const char* name = session.MBEDTLS_PRIVATE(hostname);
    if (name != nullptr && name == server_name) mbedtls_ssl_set_session(&ssl_, &session);
  }
  mbedtls_ssl_session_free(&session);
}

TlsSession::State TlsSession::step() {
  blocked_ = false;
  if (state_ == State::kOpen) flush();
  if (state_ != State::kHandshake) return state_;
  const int code = mbedtls_ssl_handshake_step(&ssl_);
  blocked_ = would_block(code);
  if (code != 0) return blocked_ ? state_ : fail(code);
  return mbedtls_ssl_is_handshake_over(&ssl_) ? finish_handshake() : state_;
}

// mbedTLS lets a peer through that offers no ALPN at all.
TlsSession::State TlsSession::finish_handshake() {
  const char* chosen = mbedtls_ssl_get_alpn_protocol(&ssl_);
  if (chosen == nullptr || std::strcmp(chosen, alpn_[0]) != 0) return fail(MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL);
  resumed_ = mbedtls_ssl_get_peer_cert(&ssl_) == nullptr;
  return state_ = State::kOpen;
}

std::size_t TlsSession::read(std::span<std::uint8_t> out) {
  if (state_ != State::kOpen || out.empty()) return 0;
  int taken = mbedtls_ssl_read(&ssl_, out.data(), out.size());
  // A ticket has come: mbedTLS only notes that and says "want read", although the message is there to be taken.
  if (taken == MBEDTLS_ERR_SSL_WANT_READ && ssl_.MBEDTLS_PRIVATE(state) != MBEDTLS_SSL_HANDSHAKE_OVER) {
    taken = mbedtls_ssl_read(&ssl_, out.data(), out.size());
  }
  blocked_ = would_block(taken);
  if (taken > 0) return static_cast<std::size_t>(taken);
  if (taken == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
    take_ticket();
  } else if (taken == 0 || taken == MBEDTLS_ERR_SSL_CONN_EOF || taken == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
    state_ = State::kClosed;
  } else if (!blocked_) {
    fail(taken);
  }
  return 0;
}

// A ticket that is too long to keep (a gateway with stateless tickets) costs a full handshake next time, nothing else.
void TlsSession::take_ticket() {
  mbedtls_ssl_session session;
  mbedtls_ssl_session_init(&session);
  std::size_t size = 0;
  saved_size_ = 0;
  if (mbedtls_ssl_get_session(&ssl_, &session) == 0 &&
      mbedtls_ssl_session_save(&session, saved_.data(), saved_.size(), &size) == 0) {
    saved_size_ = size;
    ++tickets_;
  }
  mbedtls_ssl_session_free(&session);
}

std::size_t TlsSession::write(std::span<const std::uint8_t> bytes) {
  blocked_ = false;
  if (state_ != State::kOpen || bytes.empty() || !flush()) return 0;
  // What one record holds is less than its limit by the type that TLS 1.3 puts behind the plaintext (RFC 8446, 5.4).
  // More must not be offered: on WANT_WRITE nobody says how much of it the record took.
  const auto room = static_cast<std::size_t>(mbedtls_ssl_get_max_out_record_payload(&ssl_));
  const std::size_t size = std::min(bytes.size(), room);
  const int sent = mbedtls_ssl_write(&ssl_, bytes.data(), size);
  // The record is made and waits in mbedTLS's buffer; `flush` sends the rest of it.
  if (would_block(sent) && unsent()) return size;
  if (sent < 0) fail(sent);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

bool TlsSession::unsent() const { return allocated_ && ssl_.MBEDTLS_PRIVATE(out_left) != 0; }

// While bytes wait, mbedtls_ssl_write does nothing but send them, whatever it is given.
bool TlsSession::flush() {
  if (!unsent()) return true;
  constexpr unsigned char kIgnored = 0;
  const int code = mbedtls_ssl_write(&ssl_, &kIgnored, 1);
  blocked_ = would_block(code);
  if (code < 0 && !blocked_) fail(code);
  return code >= 0;
}

void TlsSession::close() {
  if (state_ == State::kOpen && flush()) mbedtls_ssl_close_notify(&ssl_);
  stop();
}

void TlsSession::stop() {
  release();
  state_ = State::kIdle;
  error_ = {};
  saved_size_ = 0;
  tickets_ = 0;
  blocked_ = false;
  resumed_ = false;
}

TlsSession::State TlsSession::fail(std::string_view sentence) {
  error_ = sentence;
  release();
  blocked_ = false;
  return state_ = State::kFailed;
}

TlsSession::State TlsSession::fail(int code) {
  const bool has_alert = code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && ssl_.MBEDTLS_PRIVATE(in_msg) != nullptr;
  const std::uint8_t alert = has_alert ? ssl_.MBEDTLS_PRIVATE(in_msg)[1] : std::uint8_t{0};
  return fail(describe(code, mbedtls_ssl_get_verify_result(&ssl_), alert, error_text_));
}

void TlsSession::release() {
  if (!allocated_) return;
  mbedtls_ssl_free(&ssl_);
  mbedtls_ssl_config_free(&config_);
  mbedtls_x509_crt_free(&certificate_);
  mbedtls_x509_crt_free(&ca_);
  mbedtls_pk_free(&private_key_);
  psa_destroy_key(key_);
  key_ = 0;
  allocated_ = false;
}

}  // namespace mv::tls
