// TLS of the one port, by OpenSSL. The client's ALPN says who is there: a device ("mv-link/1") must show a certificate
// of our authority and speaks TLS 1.3; everybody else is a user of the API.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

#include "cloud/pki.h"

namespace mv::cloud {

struct SslContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextDeleter>;

// Sets the shutdown state before it frees: without it OpenSSL drops the session, and a device could not resume
// (docs/mvcloud.md, "TLS").
struct SslDeleter {
  void operator()(SSL* ssl) const {
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
  }
};
using Ssl = std::unique_ptr<SSL, SslDeleter>;

Result<SslContext> make_ssl_context(const KeyAndCertificate& server, const std::string& authority_pem);

// After the handshake: whether the client is a device.
bool is_device_link(const SSL* ssl);

// The device id in the certificate that the client proved to have. Also after a resumption, in which OpenSSL does not
// look at the certificate again: who uses it looks the device up.
std::optional<std::string> device_id_of(const SSL* ssl);

}  // namespace mv::cloud
