#include "device_tls.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

namespace mv::test {
namespace {

constexpr std::array<unsigned char, 11> kAlpn = {10, 'm', 'v', '-', 'd', 'e', 'b', 'u', 'g', '/', '1'};

X509* certificate_for(const std::string& name, EVP_PKEY* key, const std::string& issuer, EVP_PKEY* issuer_key) {
  X509* x = X509_new();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_set_pubkey(x, key);
  const auto set_name = [](X509_NAME* to, const std::string& text) {
    X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
  };
  set_name(X509_get_subject_name(x), name);
  set_name(X509_get_issuer_name(x), issuer);
  if (name == issuer) {
    X509_EXTENSION* ca = X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(x, ca, -1);
    X509_EXTENSION_free(ca);
  }
  X509_sign(x, issuer_key, EVP_sha256());
  return x;
}

int choose_alpn(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in, unsigned in_length,
                void*) {
  const int found =
      SSL_select_next_proto(const_cast<unsigned char**>(out), length, kAlpn.data(), kAlpn.size(), in, in_length);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// The pin: the client's certificate carries the debug key, whoever signed it.
int check_pin(X509_STORE_CTX* store, void* expected) {
  const auto& point = *static_cast<const std::vector<std::uint8_t>*>(expected);
  EVP_PKEY* key = X509_get0_pubkey(X509_STORE_CTX_get0_cert(store));
  std::array<unsigned char, 65> theirs{};
  std::size_t length = 0;
  EVP_PKEY_get_octet_string_param(key, "pub", theirs.data(), theirs.size(), &length);
  return length == point.size() && std::memcmp(theirs.data(), point.data(), length) == 0 ? 1 : 0;
}

}  // namespace

Provisioned::Provisioned(const std::string& device_id) {
  EVP_PKEY* ca_key = EVP_EC_gen("P-256");
  X509* ca = certificate_for("test cloud", ca_key, "test cloud", ca_key);
  device_key = EVP_EC_gen("P-256");
  device_certificate = certificate_for(device_id, device_key, "test cloud", ca_key);
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, ca);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  ca_pem.assign(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  X509_free(ca);
  EVP_PKEY_free(ca_key);
}

Provisioned::~Provisioned() {
  X509_free(device_certificate);
  EVP_PKEY_free(device_key);
}

std::optional<DeviceTls> DeviceTls::accept(int descriptor, const Provisioned& identity,
                                           const std::vector<std::uint8_t>& debug_point) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_use_certificate(context, identity.device_certificate);
  SSL_CTX_use_PrivateKey(context, identity.device_key);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, check_pin, const_cast<std::vector<std::uint8_t>*>(&debug_point));
  SSL_CTX_set_alpn_select_cb(context, choose_alpn, nullptr);
  DeviceTls tls(descriptor, context, SSL_new(context));
  SSL_set_fd(tls.ssl_, descriptor);
  if (SSL_accept(tls.ssl_) != 1) return std::nullopt;
  return tls;
}

DeviceTls::~DeviceTls() {
  if (descriptor_ < 0) return;
  SSL_free(ssl_);
  SSL_CTX_free(context_);
  ::close(descriptor_);
}

DeviceTls::DeviceTls(DeviceTls&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), context_(other.context_), ssl_(other.ssl_) {}

bool DeviceTls::read_all(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const int count = SSL_read(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool DeviceTls::write_all(std::span<const std::uint8_t> bytes) {
  return bytes.empty() || SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
}

bool DeviceTls::readable(int milliseconds) const {
  if (buffered()) return true;
  pollfd wait{descriptor_, POLLIN, 0};
  return poll(&wait, 1, milliseconds) > 0;
}

}  // namespace mv::test
