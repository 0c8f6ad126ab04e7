// TLS of the client side towards the cloud: whom to trust, and what to say when that fails.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>
#include <boost/asio/ssl/context.hpp>

#include "transport/http.h"

namespace mv::transport {

// TLS 1.2 or newer, the server's certificate required. Errors: kBadOptions (names the file).
tl::expected<std::shared_ptr<boost::asio::ssl::context>, HttpError> make_tls_client(const HttpOptions& options);

// Sets the name that the certificate must carry, and SNI if it is a name.
void expect_server(SSL* ssl, const std::string& host);

// Why a handshake failed, as a person needs it.
HttpError explain_handshake(SSL* ssl, const HttpOptions& options, const boost::system::error_code& error);

// "https://host:port: connection refused; is mvcloud running there?"
HttpError explain_connect(const HttpOptions& options, const boost::system::error_code& error);

// "host:port" as it stands in a URL.
std::string authority(const HttpOptions& options);

}  // namespace mv::transport
