#include "transport/tls_client.h"

#include <openssl/x509v3.h>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>

namespace mv::transport {
namespace {

namespace asio = boost::asio;

bool is_address(const std::string& host) {
  boost::system::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

std::string authority(const HttpOptions& options) {
  const bool is_v6 = options.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

tl::expected<std::shared_ptr<asio::ssl::context>, HttpError> make_tls_client(const HttpOptions& options) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  boost::system::error_code error;
  if (options.ca_certificate.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(options.ca_certificate, error);
  }
  if (error) {
    return tl::make_unexpected(HttpError{HttpErrorKind::kBadOptions,
                                         options.ca_certificate +
                                             ": not a file with PEM certificates, so the cloud cannot be trusted (" +
                                             error.message() + ")",
                                         0,
                                         {}});
  }
  context->set_verify_mode(asio::ssl::verify_peer);
  return context;
}

void expect_server(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* const param = SSL_get0_param(ssl);
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(param, host.c_str(), host.size());
    SSL_set_tlsext_host_name(ssl, host.c_str());
  }
}

HttpError explain_handshake(SSL* ssl, const HttpOptions& options, const boost::system::error_code& error) {
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK) {
    std::string message = "the certificate of https://" + authority(options) +
                          " is not trusted: " + X509_verify_cert_error_string(verdict);
    message += options.ca_certificate.empty() ? " (no CA certificate is set for this cloud)"
                                              : " (trusted are those in " + options.ca_certificate + ")";
    return {HttpErrorKind::kUntrusted, message, 0, {}};
  }
  return {HttpErrorKind::kUnreachable,
          "https://" + authority(options) + " does not speak TLS as expected: " + error.message(),
          0,
          {}};
}

HttpError explain_connect(const HttpOptions& options, const boost::system::error_code& error) {
  std::string why = error.message();
  if (error == asio::error::host_not_found || error == asio::error::host_not_found_try_again) {
    why = "there is no host of that name";
  } else if (error == asio::error::connection_refused) {
    why = "connection refused: nothing listens there";
  }
  return {HttpErrorKind::kUnreachable, "cannot reach the cloud at https://" + authority(options) + ": " + why, 0, {}};
}

}  // namespace mv::transport
