#include "cloud/tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <string_view>

namespace mv::cloud {
namespace {

constexpr std::string_view kLinkProtocol = "mv-link/1";
constexpr std::string_view kHttpProtocol = "http/1.1";
constexpr std::size_t kDeviceRecord = 2048;       // what a device's TLS takes in one record; OpenSSL ignores its wish
constexpr long kSessionSeconds = 7L * 24 * 3600;  // the longest that TLS 1.3 allows a ticket to live
constexpr long kSessionsKept = 100'000;

bool offers(std::string_view list, std::string_view protocol) {
  while (!list.empty()) {
    const std::size_t length = static_cast<unsigned char>(list.front());
    if (list.size() < 1 + length) return false;
    if (list.substr(1, length) == protocol) return true;
    list.remove_prefix(1 + length);
  }
  return false;
}

bool set_session_context(SSL* ssl, std::string_view name) {
  return SSL_set_session_id_context(ssl, reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<unsigned>(name.size())) == 1;
}

// Before anything is chosen: what holds for a device is set on its connection only.
int on_client_hello(SSL* ssl, int* alert, void*) {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  bool device = false;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &data, &size) == 1 &&
      size > 2) {
    device = offers(as_chars({data + 2, size - 2}), kLinkProtocol);
  }
  *alert = SSL_AD_INTERNAL_ERROR;
  // A session of the one kind is none of the other: a user's session has no certificate.
  if (!set_session_context(ssl, device ? kLinkProtocol : kHttpProtocol)) return SSL_CLIENT_HELLO_ERROR;
  if (!device) return SSL_CLIENT_HELLO_SUCCESS;
  SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  const bool set =
      SSL_set_min_proto_version(ssl, TLS1_3_VERSION) == 1 && SSL_set_max_send_fragment(ssl, kDeviceRecord) == 1;
  return set ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

int on_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned size, void*) {
  const std::string_view list = as_chars({in, size});
  for (const std::string_view protocol : {kLinkProtocol, kHttpProtocol}) {
    if (!offers(list, protocol)) continue;
    *out = reinterpret_cast<const unsigned char*>(protocol.data());
    *out_size = static_cast<unsigned char>(protocol.size());
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool use_server_key(SSL_CTX* context, const KeyAndCertificate& server) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> key_bio(BIO_new_mem_buf(server.private_key_pem.data(), -1),
                                                              BIO_free_all);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new_mem_buf(server.certificate_pem.data(), -1),
                                                          BIO_free_all);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                                X509_free);
  return key && certificate && SSL_CTX_use_certificate(context, certificate.get()) == 1 &&
         SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

bool trust(SSL_CTX* context, const std::string& authority_pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new_mem_buf(authority_pem.data(), -1), BIO_free_all);
  const std::unique_ptr<X509, decltype(&X509_free)> authority(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                              X509_free);
  return authority && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) == 1;
}

}  // namespace

Result<SslContext> make_ssl_context(const KeyAndCertificate& server, const std::string& authority_pem) {
  SslContext context(SSL_CTX_new(TLS_server_method()));
  if (!context || !use_server_key(context.get(), server) || !trust(context.get(), authority_pem) ||
      SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set1_groups_list(context.get(), "P-256:X25519") != 1) {
    ERR_clear_error();
    return fail("TLS cannot be set up with the server's key and certificate: run `mvcloud init` for a new data folder");
  }
  // Stateful sessions: 32 bytes of ticket for a device instead of its whole certificate. They must survive a link that
  // breaks off, which is how most links end.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(context.get(), 1);
  SSL_CTX_set_timeout(context.get(), kSessionSeconds);
  SSL_CTX_sess_set_cache_size(context.get(), kSessionsKept);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_client_hello_cb(context.get(), on_client_hello, nullptr);
  SSL_CTX_set_alpn_select_cb(context.get(), on_alpn, nullptr);
  return context;
}

bool is_device_link(const SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return name != nullptr && as_chars({name, size}) == kLinkProtocol;
}

std::optional<std::string> device_id_of(const SSL* ssl) {
  X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return std::nullopt;
  std::array<char, 64> name{};
  const int length =
      X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(), name.size());
  if (length <= 0) return std::nullopt;
  std::string id(name.data(), static_cast<std::size_t>(length));
  if (!is_sid(id, "UV")) return std::nullopt;
  return id;
}

}  // namespace mv::cloud
