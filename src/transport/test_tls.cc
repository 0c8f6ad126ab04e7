#include "transport/test_tls.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <boost/asio/ssl/context.hpp>

#include "transport/openssl_handles.h"

namespace mv::transport::test {
namespace {

namespace asio = boost::asio;

constexpr const char* kAuthorityName = "test authority";
constexpr long kSlack = 3600;  // seconds

std::string text_of(const BioPtr& bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

BioPtr reader(const std::string& text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

KeyPtr read_key(const std::string& pem) {
  return KeyPtr(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, nullptr));
}

CertificatePtr read_certificate(const std::string& pem) {
  return CertificatePtr(PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr));
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void set_name(X509_NAME* name, const std::string& text) {
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
}

CertificatePtr unsigned_certificate(const std::string& name, EVP_PKEY* key) {
  CertificatePtr certificate(X509_new());
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -kSlack);
  X509_gmtime_adj(X509_getm_notAfter(x), kSlack);
  X509_set_pubkey(x, key);
  set_name(X509_get_subject_name(x), name);
  set_name(X509_get_issuer_name(x), kAuthorityName);
  return certificate;
}

Identity in_pem(EVP_PKEY* key, X509* certificate) {
  const BioPtr key_text(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  const BioPtr certificate_text(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(certificate_text.get(), certificate);
  return {text_of(key_text), text_of(certificate_text)};
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in, unsigned in_length,
                    void* ours) {
  const auto& list = *static_cast<const std::string*>(ours);  // what is chosen points into it
  const int found = SSL_select_next_proto(const_cast<unsigned char**>(out), length,
                                          reinterpret_cast<const unsigned char*>(list.data()),
                                          static_cast<unsigned>(list.size()), in, in_length);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
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

Authority::Authority() {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const auto certificate = unsigned_certificate(kAuthorityName, key.get());
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  self_ = in_pem(key.get(), certificate.get());
}

Identity Authority::issue(const std::string& common_name, const std::string& alternative_name) const {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const auto certificate = unsigned_certificate(common_name, key.get());
  if (!alternative_name.empty()) add_extension(certificate.get(), NID_subject_alt_name, alternative_name);
  X509_sign(certificate.get(), read_key(self_.key).get(), EVP_sha256());
  return in_pem(key.get(), certificate.get());
}

TemporaryFile::TemporaryFile(const std::string& contents) {
  std::string name = (std::filesystem::temp_directory_path() / "mv-test-XXXXXX").string();
  const int descriptor = ::mkstemp(name.data());
  path_ = name;
  const auto written = ::write(descriptor, contents.data(), contents.size());
  ::close(descriptor);
  if (written != static_cast<ssize_t>(contents.size())) throw std::runtime_error("cannot write " + name);
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

TestServer::TestServer(Serve serve)
    : serve_(std::move(serve)),
      acceptor_(context_, Tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      port_(acceptor_.local_endpoint().port()),
      thread_([this] { run(); }) {}

// Shutting a socket down, unlike closing it, wakes the thread that waits on it.
TestServer::~TestServer() {
  ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
  thread_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
  }
  for (std::thread& connection : connections_) connection.join();
}

void TestServer::run() {
  while (true) {
    boost::system::error_code error;
    Tcp::socket socket(context_);
    acceptor_.accept(socket, error);
    if (error) return;
    const std::lock_guard lock(mutex_);
    open_.insert(socket.native_handle());
    connections_.emplace_back([this, socket = std::move(socket)]() mutable { serve_one(std::move(socket)); });
  }
}

void TestServer::serve_one(Tcp::socket socket) {
  try {
    serve_(socket);
  } catch (const boost::system::system_error&) {
    // The client has gone.
  }
  const std::lock_guard lock(mutex_);
  open_.erase(socket.native_handle());
  socket.close();
}

TestServer::Serve over_tls(Identity identity, std::function<void(TlsStream&)> serve) {
  return [identity = std::move(identity), serve = std::move(serve)](Tcp::socket& socket) {
    asio::ssl::context context(asio::ssl::context::tls_server);
    context.use_certificate_chain(asio::buffer(identity.certificate));
    context.use_private_key(asio::buffer(identity.key), asio::ssl::context::pem);
    // The socket stays the server's, which shuts it down in its end.
    TlsStream stream(Tcp::socket(socket.get_executor(), Tcp::v4(), ::dup(socket.native_handle())), context);
    stream.handshake(TlsStream::server);
    serve(stream);
    boost::system::error_code ignored;
    socket.shutdown(Tcp::socket::shutdown_both, ignored);
  };
}

DeviceContext::DeviceContext(const Identity& identity, std::vector<std::uint8_t> debug_point, std::string protocol)
    : debug_point_(std::move(debug_point)),
      protocols_(static_cast<char>(protocol.size()) + protocol),
      context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_use_certificate(context, read_certificate(identity.certificate).get());
  SSL_CTX_use_PrivateKey(context, read_key(identity.key).get());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, check_pin, &debug_point_);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, &protocols_);
}

std::unique_ptr<SSL, decltype(&SSL_free)> DeviceContext::connection() const {
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context_.get()), SSL_free);
  SSL_set_accept_state(ssl.get());
  return ssl;
}

TestDevice::TestDevice(std::unique_ptr<BytePipe> carrier, const Identity& identity,
                       std::vector<std::uint8_t> debug_point, std::string protocol)
    : carrier_(std::move(carrier)),
      context_(identity, std::move(debug_point), std::move(protocol)),
      ssl_(context_.connection()) {
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  carrier_->start([this](std::span<const std::uint8_t> arrived) { take(arrived); }, [](const PipeEnd&) {});
}

TestDevice::~TestDevice() = default;

void TestDevice::send(std::span<const std::uint8_t> bytes) {
  SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  flush();
}

void TestDevice::close() {
  SSL_shutdown(ssl_.get());
  flush();
  carrier_->close();
}

void TestDevice::take(std::span<const std::uint8_t> bytes) {
  BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
  std::array<std::uint8_t, 4096> buffer{};
  for (int count = 1; count > 0;) {
    count = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
    flush();
    if (count > 0) on_data(std::span<const std::uint8_t>(buffer).first(static_cast<std::size_t>(count)));
  }
}

void TestDevice::flush() {
  std::array<std::uint8_t, 4096> buffer{};
  for (;;) {
    const int count = BIO_read(SSL_get_wbio(ssl_.get()), buffer.data(), static_cast<int>(buffer.size()));
    if (count <= 0) return;
    const auto part = std::span<const std::uint8_t>(buffer).first(static_cast<std::size_t>(count));
    sent.insert(sent.end(), part.begin(), part.end());
    carrier_->send(part);
  }
}

}  // namespace mv::transport::test
