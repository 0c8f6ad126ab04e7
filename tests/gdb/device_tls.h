// The device's end of the end-to-end channel on a socket, with blocking reads and writes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "transport/test_tls.h"

namespace mv::test {

class DeviceTls {
 public:
  // Takes the handshake on `descriptor`, which is closed in the end. Nothing if the peer's key is not the one that
  // `context` takes; `context` must outlive the channel.
  static std::optional<DeviceTls> accept(int descriptor, const transport::test::DeviceContext& context);
  ~DeviceTls();
  DeviceTls(DeviceTls&& other) noexcept;
  DeviceTls& operator=(DeviceTls&&) = delete;

  // Exactly `bytes.size()` bytes; false when the peer is gone.
  bool read_all(std::span<std::uint8_t> bytes);
  bool write_all(std::span<const std::uint8_t> bytes);

  // Whether bytes can be read, waiting up to `milliseconds`.
  bool readable(int milliseconds) const;
  int descriptor() const { return descriptor_; }
  bool buffered() const { return SSL_pending(ssl_.get()) > 0; }

 private:
  using Connection = std::unique_ptr<SSL, decltype(&SSL_free)>;
  DeviceTls(int descriptor, Connection ssl) : descriptor_(descriptor), ssl_(std::move(ssl)) {}

  int descriptor_;
  Connection ssl_;
};

}  // namespace mv::test
