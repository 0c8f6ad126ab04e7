#include "core/tls/tls_error.h"

#include <algorithm>
#include <cstddef>

#include <mbedtls/ssl.h>

namespace mv::tls {
namespace {

struct Sentence {
  int code;
  std::string_view text;
};

constexpr Sentence kErrors[] = {
    {MBEDTLS_ERR_SSL_CONN_EOF, "the connection ended during the TLS handshake"},
    {MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY, "the peer closed the connection during the TLS handshake"},
    {MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, "the client showed no certificate"},
    {MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL, "the peer does not speak this protocol (ALPN)"},
    {MBEDTLS_ERR_SSL_ALLOC_FAILED, "the TLS memory pool is used up"},
    {MBEDTLS_ERR_X509_ALLOC_FAILED, "the TLS memory pool is used up"},
    {MBEDTLS_ERR_SSL_INVALID_RECORD, "a TLS record is longer than 2048 bytes or not a record at all"},
    {MBEDTLS_ERR_SSL_INVALID_MAC, "a TLS record was changed on its way"},
    {MBEDTLS_ERR_SSL_DECODE_ERROR, "a TLS message is malformed"},
    {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, "a TLS message came that has no place here"},
    {MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, "the peer does not speak TLS 1.3"},
    {MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, "the peer and this device share no TLS 1.3 cipher suite and group"},
};

// RFC 8446 section 6.2: those that say what a person can do something about.
constexpr Sentence kAlerts[] = {
    {MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE, "the peer shares no TLS 1.3 cipher suite and group with this device"},
    {MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "the peer refuses this device's certificate"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED, "the peer says that this device's certificate is revoked"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED, "the peer says that this device's certificate has expired"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, "the peer refuses this device's certificate"},
    {MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA, "the peer does not know the CA of this device's certificate"},
    {MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED, "the peer denies this device access"},
    {MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL, "the peer does not speak this protocol (ALPN)"},
};

template <std::size_t N>
std::string_view find(const Sentence (&table)[N], int code) {
  for (const Sentence& one : table) {
    if (one.code == code) return one.text;
  }
  return {};
}

std::string_view describe_certificate(std::uint32_t flags) {
  if ((flags & MBEDTLS_X509_BADCERT_MISSING) != 0) return "the peer showed no certificate";
  if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0)
    return "the server's certificate does not carry the expected name";
  if ((flags & MBEDTLS_X509_BADCERT_OTHER) != 0) return "the client's key is not the one that is allowed";
  if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) return "the server's certificate is not signed by the known CA";
  return "the peer's certificate is not fit for use";
}

// "text 0x1a2b"
std::string_view with_number(std::string_view text, unsigned number, std::span<char> scratch) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::size_t length = std::min(text.size(), scratch.size() - 4);
  std::copy_n(text.begin(), length, scratch.begin());
  for (std::size_t i = 0; i < 4; ++i) scratch[length + i] = kDigits[number >> (12 - 4 * i) & 0xF];
  return {scratch.data(), length + 4};
}

}  // namespace

std::string_view describe(int code, std::uint32_t verify_flags, std::uint8_t alert, std::span<char> scratch) {
  if (code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) return describe_certificate(verify_flags);
  if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
    const auto text = find(kAlerts, alert);
    return text.empty() ? with_number("the peer ended TLS with alert 0x", alert, scratch) : text;
  }
  const auto text = find(kErrors, code);
  return text.empty() ? with_number("TLS failed: mbedTLS error -0x", static_cast<unsigned>(-code), scratch) : text;
}

}  // namespace mv::tls
