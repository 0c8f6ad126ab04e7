// What tests of TLS need: certificates made in memory, a server on the loopback, the device's end of a debug channel.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <openssl/ssl.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "transport/byte_pipe.h"

namespace mv::transport::test {

// A P-256 key with its certificate, both PEM.
struct Identity {
  std::string key;
  std::string certificate;
};

// An authority that was made a moment ago.
class Authority {
 public:
  Authority();

  const std::string& certificate() const { return self_.certificate; }  // PEM

  // A certificate valid for an hour. `alternative_name` as OpenSSL writes it, "IP:127.0.0.1"; empty: none.
  Identity issue(const std::string& common_name, const std::string& alternative_name = "") const;

 private:
  Identity self_;
};

// A file that lives as long as this does.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& contents);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

using Tcp = boost::asio::ip::tcp;
using TlsStream = boost::asio::ssl::stream<Tcp::socket>;

// Serves each connection on a thread of its own, with blocking calls. What `serve` throws because its client has gone
// ends that connection. The end of the server ends the connections that are open.
class TestServer {
 public:
  using Serve = std::function<void(Tcp::socket&)>;

  explicit TestServer(Serve serve);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  void run();
  void serve_one(Tcp::socket socket);

  Serve serve_;
  boost::asio::io_context context_;
  Tcp::acceptor acceptor_;
  std::uint16_t port_;
  std::mutex mutex_;
  std::set<int> open_;  // descriptors, guarded by mutex_
  std::vector<std::thread> connections_;
  std::thread thread_;
};

// Takes the TLS handshake with `identity` and hands the stream over.
TestServer::Serve over_tls(Identity identity, std::function<void(TlsStream&)> serve);

// What a device's end of the debug channel is made of: a TLS 1.3 server that takes one client key.
class DeviceContext {
 public:
  // `debug_point` is the public key it takes; `protocol` what it says it speaks.
  DeviceContext(const Identity& identity, std::vector<std::uint8_t> debug_point, std::string protocol = "mv-debug/1");
  DeviceContext(const DeviceContext&) = delete;
  DeviceContext& operator=(const DeviceContext&) = delete;

  // One connection's state, without a wire yet. The context must outlive it.
  std::unique_ptr<SSL, decltype(&SSL_free)> connection() const;

 private:
  std::vector<std::uint8_t> debug_point_;
  std::string protocols_;  // as ALPN has them, RFC 7301 3.1: its length before each
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
};

// The device's end of the debug channel on a carrier.
class TestDevice {
 public:
  TestDevice(std::unique_ptr<BytePipe> carrier, const Identity& identity, std::vector<std::uint8_t> debug_point,
             std::string protocol = "mv-debug/1");
  ~TestDevice();
  TestDevice(const TestDevice&) = delete;
  TestDevice& operator=(const TestDevice&) = delete;

  void send(std::span<const std::uint8_t> bytes);
  void close();  // in good order
  BytePipe& carrier() { return *carrier_; }

  bool accepted() const { return SSL_is_init_finished(ssl_.get()) == 1; }

  std::function<void(std::span<const std::uint8_t>)> on_data = [](auto) {};
  std::vector<std::uint8_t> sent;  // every byte that went onto the carrier

 private:
  void take(std::span<const std::uint8_t> bytes);
  void flush();

  std::unique_ptr<BytePipe> carrier_;
  DeviceContext context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

// The bytes of a text.
inline std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace mv::transport::test
