#include "transport/secure_channel.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "transport/openssl_handles.h"
#include "wire/frame.h"

namespace mv::transport {
namespace {

// The device's record buffers (docs/protocol.md). OpenSSL ignores the limit that the device asks for.
constexpr long kMaxFragment = 2048;
constexpr std::string_view kAlpn = "mv-debug/1";

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 32> group{};
  std::size_t length = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
         std::string_view(group.data(), length) == "prime256v1";
}

// Says "no passphrase" instead of asking on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

// The certificate only carries the key: the device looks at nothing else, so its dates are as wide as they can be.
CertificatePtr self_signed(EVP_PKEY* key) {
  CertificatePtr certificate(X509_new());
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  ASN1_TIME_set_string_X509(X509_getm_notBefore(x), "20000101000000Z");
  ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "20991231235959Z");
  X509_set_pubkey(x, key);
  constexpr std::array<unsigned char, 9> name = {'m', 'v', ' ', 'd', 'e', 'b', 'u', 'g', 0};
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, name.data(), -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(x));
  if (X509_sign(x, key, EVP_sha256()) == 0) return nullptr;
  return certificate;
}

CertificatePtr parse_certificate(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return CertificatePtr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

void set_limits(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set1_groups_list(context, "P-256");
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set_max_send_fragment(context, kMaxFragment);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  // A device certificate is a client's on the device link and a server's here.
  X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(context), X509_PURPOSE_ANY);
  std::string protocols(1, static_cast<char>(kAlpn.size()));
  protocols += kAlpn;
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(protocols.data()),
                          static_cast<unsigned>(protocols.size()));
}

std::string common_name(const X509* certificate) {
  std::array<char, 128> name{};
  const int length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                                               static_cast<int>(name.size()));
  return length < 0 ? std::string() : std::string(name.data(), static_cast<std::size_t>(length));
}

}  // namespace

struct DebugIdentity::Secrets {
  KeyPtr key;
  CertificatePtr certificate;
};

struct SecureChannel::Tls {
  ContextPtr context;
  SslPtr ssl;
  BIO* incoming = nullptr;  // owned by ssl
  BIO* outgoing = nullptr;
};

tl::expected<DebugIdentity, std::string> DebugIdentity::load(const std::string& path) {
  const BioPtr file(BIO_new_file(path.c_str(), "r"));
  if (!file) return tl::make_unexpected(fmt::format("the debug key {} cannot be opened: is the path right?", path));
  auto secrets = std::make_shared<Secrets>();
  secrets->key.reset(PEM_read_bio_PrivateKey(file.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!secrets->key)
    return tl::make_unexpected(
        fmt::format("{} holds no private key in PEM form (an encrypted one is not taken)", path));
  if (!is_p256(secrets->key.get()))
    return tl::make_unexpected(fmt::format("{} is not a P-256 key: make one with mvctl keys", path));
  secrets->certificate = self_signed(secrets->key.get());
  if (!secrets->certificate) return tl::make_unexpected(fmt::format("{} cannot sign: is it a whole key?", path));
  return DebugIdentity(std::move(secrets));
}

std::vector<std::uint8_t> DebugIdentity::public_point() const {
  std::vector<std::uint8_t> point(65);
  std::size_t length = 0;
  EVP_PKEY_get_octet_string_param(secrets_->key.get(), "pub", point.data(), point.size(), &length);
  point.resize(length);
  return point;
}

tl::expected<std::unique_ptr<SecureChannel>, std::string> SecureChannel::make(std::unique_ptr<BytePipe> carrier,
                                                                              const DebugIdentity& identity,
                                                                              const Peer& peer) {
  auto tls = std::make_unique<Tls>();
  tls->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = tls->context.get();
  set_limits(context);
  const auto authority = parse_certificate(peer.ca_pem);
  ERR_clear_error();
  if (!authority) return tl::make_unexpected(std::string("the CA certificate of this context is not in PEM form"));
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
  SSL_CTX_use_certificate(context, identity.secrets_->certificate.get());
  SSL_CTX_use_PrivateKey(context, identity.secrets_->key.get());
  tls->ssl.reset(SSL_new(context));
  tls->incoming = BIO_new(BIO_s_mem());
  tls->outgoing = BIO_new(BIO_s_mem());
  SSL_set_bio(tls->ssl.get(), tls->incoming, tls->outgoing);
  SSL_set_connect_state(tls->ssl.get());
  return std::unique_ptr<SecureChannel>(new SecureChannel(std::move(carrier), std::move(tls), peer.device_id));
}

SecureChannel::SecureChannel(std::unique_ptr<BytePipe> carrier, std::unique_ptr<Tls> tls, std::string device_id)
    : carrier_(std::move(carrier)), tls_(std::move(tls)), device_id_(std::move(device_id)) {}

SecureChannel::~SecureChannel() { *alive_ = false; }

void SecureChannel::start(OnData on_data, OnClosed on_closed) {
  on_data_ = std::move(on_data);
  on_closed_ = std::move(on_closed);
  carrier_->start([this](std::span<const std::uint8_t> bytes) { carrier_data(bytes); },
                  [this](const PipeEnd& end) { carrier_closed(end); });
  SSL_do_handshake(tls_->ssl.get());
  ERR_clear_error();
  flush();
}

void SecureChannel::send(std::span<const std::uint8_t> bytes) {
  if (ended_) return;
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  if (shaken_) write_pending();
}

std::size_t SecureChannel::unsent() const { return pending_.size() + carrier_->unsent(); }

void SecureChannel::close() {
  if (std::exchange(ended_, true)) return;
  SSL_shutdown(tls_->ssl.get());
  ERR_clear_error();
  flush();
  carrier_->close();
}

void SecureChannel::carrier_data(std::span<const std::uint8_t> bytes) {
  if (ended_) return;
  BIO_write(tls_->incoming, bytes.data(), static_cast<int>(bytes.size()));
  progress();
}

// The owner may destroy this pipe from within on_data.
void SecureChannel::progress() {
  const auto alive = alive_;
  if (!shaken_ && !handshake()) return;
  while (*alive && !ended_ && read_some()) {
  }
}

bool SecureChannel::handshake() {
  const int result = SSL_do_handshake(tls_->ssl.get());
  const int error = SSL_get_error(tls_->ssl.get(), result);
  ERR_clear_error();
  flush();
  if (result != 1) {
    if (error != SSL_ERROR_WANT_READ) refuse(peer_mistake());
    return false;
  }
  if (auto mistake = peer_mistake(); !mistake.empty()) {
    refuse(std::move(mistake));
    return false;
  }
  shaken_ = true;
  write_pending();
  return true;
}

// Why the peer is not whom we want to talk to; empty if it is.
std::string SecureChannel::peer_mistake() const {
  const SSL* ssl = tls_->ssl.get();
  if (const long verified = SSL_get_verify_result(ssl); verified != X509_V_OK)
    return fmt::format("the device's certificate cannot be trusted ({}): is this the cloud that provisioned it?",
                       X509_verify_cert_error_string(verified));
  const CertificatePtr certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate) return "the device ended the handshake of the debug channel: does its firmware fit this mvctl?";
  if (const auto name = common_name(certificate.get()); name != device_id_)
    return fmt::format("the other end of the debug channel is device {}, not {}", name, device_id_);
  if (!SSL_is_init_finished(ssl)) return "the device ended the handshake of the debug channel";
  const unsigned char* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &length);
  if (std::string_view(reinterpret_cast<const char*>(protocol), length) != kAlpn)
    return "the device does not speak mv-debug/1: update its firmware or this mvctl";
  return "";
}

// One record's worth. False if there is no more for now, or the pipe has ended.
bool SecureChannel::read_some() {
  std::array<std::uint8_t, 16384> buffer;
  const int count = SSL_read(tls_->ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
  const int error = SSL_get_error(tls_->ssl.get(), count);
  ERR_clear_error();
  if (count > 0) {
    heard_ = true;
    on_data_(std::span<const std::uint8_t>(buffer).first(static_cast<std::size_t>(count)));
    return true;
  }
  flush();
  if (error == SSL_ERROR_WANT_READ) return false;
  if (!heard_) {
    refuse("the device refused the debug key: it is not the one named by the bundle that runs there");
  } else if (error == SSL_ERROR_ZERO_RETURN) {
    finish({PipeEnd::Reason::kPeerClosed, 0, "the device ended the debug channel"});
  } else {
    finish({PipeEnd::Reason::kLost, 0, "the debug channel was damaged on its way"});
  }
  return false;
}

void SecureChannel::write_pending() {
  if (pending_.empty()) return;
  // A memory BIO takes everything, so nothing is left over.
  SSL_write(tls_->ssl.get(), pending_.data(), static_cast<int>(pending_.size()));
  ERR_clear_error();
  pending_.clear();
  flush();
}

void SecureChannel::flush() {
  std::array<std::uint8_t, 4096> buffer;
  for (;;) {
    const int count = BIO_read(tls_->outgoing, buffer.data(), static_cast<int>(buffer.size()));
    if (count <= 0) return;
    carrier_->send(std::span<const std::uint8_t>(buffer).first(static_cast<std::size_t>(count)));
  }
}

void SecureChannel::carrier_closed(const PipeEnd& end) {
  if (ended_) return;
  const bool in_order = end.reason == PipeEnd::Reason::kPeerClosed && end.code == 0 && end.text.empty();
  if (shaken_ && !heard_ && in_order)
    return refuse("the device refused the debug key: it is not the one named by the bundle that runs there");
  finish(end);
}

void SecureChannel::refuse(std::string text) {
  finish({PipeEnd::Reason::kPeerClosed, static_cast<std::uint16_t>(frame::CloseReason::kRefused), std::move(text)});
}

void SecureChannel::finish(const PipeEnd& end) {
  if (std::exchange(ended_, true)) return;
  carrier_->close();
  if (auto closed = std::exchange(on_closed_, nullptr)) closed(end);
}

}  // namespace mv::transport
