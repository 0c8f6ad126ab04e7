// The end-to-end TLS 1.3 of a debug session: mvctl is the client with the debug key, the device the server with its
// identity certificate. The cloud carries the bytes and can read none of them.
//
// A byte pipe above a byte pipe. Same rules of threads as the carrier's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "transport/byte_pipe.h"

namespace mv::transport {

// A P-256 key and the self-signed certificate that presents it. Copies share the key.
class DebugIdentity {
 public:
  // From a PEM file (SEC1 or PKCS#8, not encrypted). Errors: a sentence that names the file.
  static tl::expected<DebugIdentity, std::string> load(const std::string& path);

  // The public key as in a manifest: uncompressed point, 65 bytes.
  std::vector<std::uint8_t> public_point() const;

 private:
  friend class SecureChannel;
  struct Secrets;
  explicit DebugIdentity(std::shared_ptr<const Secrets> secrets) : secrets_(std::move(secrets)) {}

  std::shared_ptr<const Secrets> secrets_;
};

class SecureChannel final : public BytePipe {
 public:
  struct Peer {
    std::string ca_pem;     // certificate of the authority that signs device certificates
    std::string device_id;  // must be the CN of the device's certificate
  };

  // Errors: a sentence (the CA certificate cannot be read).
  static tl::expected<std::unique_ptr<SecureChannel>, std::string> make(std::unique_ptr<BytePipe> carrier,
                                                                        const DebugIdentity& identity,
                                                                        const Peer& peer);

  ~SecureChannel() override;
  SecureChannel(const SecureChannel&) = delete;
  SecureChannel& operator=(const SecureChannel&) = delete;

  // Begins the handshake. A peer that is not the device, or a device that does not take the key, ends the pipe with
  // reason kPeerClosed and code kRefused. In TLS 1.3 a client learns only from the first message whether it was
  // accepted, so a pipe that ends before one counts as refused.
  void start(OnData on_data, OnClosed on_closed) override;

  // May be called before the handshake is done: the bytes leave when it is.
  void send(std::span<const std::uint8_t> bytes) override;
  std::size_t unsent() const override;
  void close() override;

 private:
  struct Tls;
  SecureChannel(std::unique_ptr<BytePipe> carrier, std::unique_ptr<Tls> tls, std::string device_id);

  void carrier_data(std::span<const std::uint8_t> bytes);
  void carrier_closed(const PipeEnd& end);
  void progress();
  bool handshake();
  bool read_some();
  void write_pending();
  void flush();
  std::string peer_mistake() const;
  void refuse(std::string text);
  void finish(const PipeEnd& end);

  std::unique_ptr<BytePipe> carrier_;
  std::unique_ptr<Tls> tls_;
  std::string device_id_;
  OnData on_data_;
  OnClosed on_closed_;
  std::vector<std::uint8_t> pending_;  // given to `send`, not yet taken by TLS
  bool shaken_ = false;                // the handshake is done on our side
  bool heard_ = false;                 // the device has sent a message: it has accepted us
  bool ended_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace mv::transport
