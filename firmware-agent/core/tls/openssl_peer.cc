#include "core/tls/openssl_peer.h"

#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "core/tls/tls_session.h"

namespace mv::test {
namespace {

void check(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("OpenSSL refuses: ") + what);
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  check(extension != nullptr, "a certificate extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

Bytes Credentials::der() const {
  unsigned char* out = nullptr;
  const int size = i2d_X509(certificate.get(), &out);
  Bytes bytes(out, out + size);
  OPENSSL_free(out);
  return bytes;
}

Bytes Credentials::private_scalar() const {
  BIGNUM* number = nullptr;
  check(EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1, "the private key");
  Bytes bytes(32);
  BN_bn2binpad(number, bytes.data(), 32);
  BN_free(number);
  return bytes;
}

Bytes Credentials::public_point() const {
  unsigned char* out = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(key.get(), &out);
  Bytes bytes(out, out + size);
  OPENSSL_free(out);
  return bytes;
}

Credentials make_credentials(const std::string& name, const Credentials* issuer) {
  static std::atomic<long> serial = 1;
  Credentials made{{EVP_EC_gen("P-256"), EVP_PKEY_free}, {X509_new(), X509_free}};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
  X509_set_pubkey(certificate, made.key.get());
  X509* signer = issuer != nullptr ? issuer->certificate.get() : certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  add_extension(certificate, signer, NID_basic_constraints, issuer != nullptr ? "CA:FALSE" : "critical,CA:TRUE");
  add_extension(certificate, signer, NID_subject_alt_name, "DNS:" + name);
  check(X509_sign(certificate, issuer != nullptr ? issuer->key.get() : made.key.get(), EVP_sha256()) > 0, "to sign");
  return made;
}

OpenSslContext::OpenSslContext(const OpenSslOptions& options)
    : options_(options),
      context_(SSL_CTX_new(options.server ? TLS_server_method() : TLS_client_method()), SSL_CTX_free) {
  SSL_CTX* context = context_.get();
  check(context != nullptr, "a context");
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set1_groups_list(context, "P-256");
  SSL_CTX_set_max_send_fragment(context, tls::kMaxRecord);
  // What a gateway must set so that an unclean cut does not cost the device its session.
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>("mv"), 2);
  if (options_.own != nullptr) {
    check(SSL_CTX_use_certificate(context, options_.own->certificate.get()) == 1, "the certificate");
    check(SSL_CTX_use_PrivateKey(context, options_.own->key.get()) == 1, "the key");
  }
  if (options_.ca != nullptr) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), options_.ca->certificate.get());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  } else if (options_.server) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  }
  if (options_.server && !options_.alpn.empty()) SSL_CTX_set_alpn_select_cb(context, choose_alpn, this);
}

int OpenSslContext::choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                                unsigned in_size, void* self) {
  const std::string& wanted = static_cast<OpenSslContext*>(self)->options_.alpn;
  for (unsigned at = 0; at < in_size && at + 1 + in[at] <= in_size; at += 1U + in[at]) {
    if (wanted.size() != in[at] || std::memcmp(in + at + 1, wanted.data(), wanted.size()) != 0) continue;
    *out = in + at + 1;
    *out_size = in[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

OpenSslPeer::OpenSslPeer(const OpenSslContext& context) : ssl_(SSL_new(context.get())) {
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  const OpenSslOptions& options = context.options();
  if (options.server) {
    SSL_set_accept_state(ssl_);
    return;
  }
  SSL_set_connect_state(ssl_);
  if (!options.server_name.empty()) SSL_set_tlsext_host_name(ssl_, options.server_name.c_str());
  if (!options.alpn.empty()) {
    Bytes offer = {static_cast<std::uint8_t>(options.alpn.size())};
    offer.insert(offer.end(), options.alpn.begin(), options.alpn.end());
    SSL_set_alpn_protos(ssl_, offer.data(), static_cast<unsigned>(offer.size()));
  }
}

OpenSslPeer::~OpenSslPeer() {
  // Or OpenSSL would take the session out of its cache.
  SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl_);
}

void OpenSslPeer::receive(std::span<const std::uint8_t> bytes) {
  BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
}

Bytes OpenSslPeer::take() {
  Bytes bytes(BIO_ctrl_pending(SSL_get_wbio(ssl_)));
  if (!bytes.empty()) BIO_read(SSL_get_wbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

bool OpenSslPeer::step() {
  if (failed_) return false;
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_);
  if (done == 1) return true;
  const int error = SSL_get_error(ssl_, done);
  failed_ = error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
  return false;
}

Bytes OpenSslPeer::read() {
  Bytes all;
  std::array<std::uint8_t, 4096> part;
  ERR_clear_error();
  int taken = 0;
  while ((taken = SSL_read(ssl_, part.data(), static_cast<int>(part.size()))) > 0) {
    all.insert(all.end(), part.begin(), part.begin() + taken);
  }
  const int error = SSL_get_error(ssl_, taken);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_ZERO_RETURN) failed_ = true;
  return all;
}

void OpenSslPeer::write(std::span<const std::uint8_t> bytes) {
  if (!bytes.empty()) check(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0, "to write");
}

void OpenSslPeer::close() { SSL_shutdown(ssl_); }

bool OpenSslPeer::resumed() const { return SSL_session_reused(ssl_) == 1; }

}  // namespace mv::test
