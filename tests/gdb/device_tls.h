// The device's end of the end-to-end channel: a blocking TLS 1.3 server on a socket, with a pinned client key.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mv::test {

// Keys and certificates of a cloud with one device, made anew in memory for each run.
struct Provisioned {
  Provisioned(const std::string& device_id);
  ~Provisioned();
  Provisioned(const Provisioned&) = delete;
  Provisioned& operator=(const Provisioned&) = delete;

  std::string ca_pem;
  EVP_PKEY* device_key = nullptr;
  X509* device_certificate = nullptr;
};

class DeviceTls {
 public:
  // Takes the handshake on `descriptor`, which is closed in the end. Nothing if the peer's key is not `debug_point`.
  static std::optional<DeviceTls> accept(int descriptor, const Provisioned& identity,
                                         const std::vector<std::uint8_t>& debug_point);
  ~DeviceTls();
  DeviceTls(DeviceTls&& other) noexcept;
  DeviceTls& operator=(DeviceTls&&) = delete;

  // Exactly `bytes.size()` bytes; false when the peer is gone.
  bool read_all(std::span<std::uint8_t> bytes);
  bool write_all(std::span<const std::uint8_t> bytes);

  // Whether bytes can be read, waiting up to `milliseconds`.
  bool readable(int milliseconds) const;
  int descriptor() const { return descriptor_; }
  bool buffered() const { return SSL_pending(ssl_) > 0; }

 private:
  DeviceTls(int descriptor, SSL_CTX* context, SSL* ssl) : descriptor_(descriptor), context_(context), ssl_(ssl) {}

  int descriptor_;
  SSL_CTX* context_;
  SSL* ssl_;
};

}  // namespace mv::test
