// For tests: the other end of a TLS session, played by OpenSSL in memory, and certificates made on the spot.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <openssl/ssl.h>

namespace mv::test {

using Bytes = std::vector<std::uint8_t>;

// A P-256 key and its certificate.
struct Credentials {
  std::shared_ptr<EVP_PKEY> key;
  std::shared_ptr<X509> certificate;

  Bytes der() const;
  Bytes private_scalar() const;  // 32 bytes
  Bytes public_point() const;    // 65 bytes
};

// Signed by `issuer`, or by itself. `name` is both CN and DNS name.
Credentials make_credentials(const std::string& name, const Credentials* issuer = nullptr);

// Settings and session cache of one OpenSSL end.
struct OpenSslOptions {
  bool server = true;
  std::string alpn = "mv-link/1";    // empty: offers, or chooses, none
  const Credentials* own = nullptr;  // null: shows no certificate
  const Credentials* ca = nullptr;   // checks the peer against it; null: takes any
  std::string server_name = {};      // client only
};

class OpenSslContext {
 public:
  explicit OpenSslContext(const OpenSslOptions& options);
  OpenSslContext(const OpenSslContext&) = delete;
  OpenSslContext& operator=(const OpenSslContext&) = delete;

  const OpenSslOptions& options() const { return options_; }
  SSL_CTX* get() const { return context_.get(); }

 private:
  static int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                         unsigned in_size, void* self);

  OpenSslOptions options_;
  std::shared_ptr<SSL_CTX> context_;
};

// One connection. Bytes are carried by the caller.
class OpenSslPeer {
 public:
  explicit OpenSslPeer(const OpenSslContext& context);
  ~OpenSslPeer();
  OpenSslPeer(const OpenSslPeer&) = delete;
  OpenSslPeer& operator=(const OpenSslPeer&) = delete;

  void receive(std::span<const std::uint8_t> bytes);  // from the wire
  Bytes take();                                       // to the wire
  bool step();                                        // goes on with the handshake; true once it is done
  Bytes read();                                       // plaintext that has come
  void write(std::span<const std::uint8_t> bytes);    // plaintext to send
  void close();                                       // sends close_notify
  bool resumed() const;
  bool failed() const { return failed_; }

 private:
  SSL* ssl_;
  bool failed_ = false;
};

}  // namespace mv::test
