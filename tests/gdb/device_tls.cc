#include "device_tls.h"

#include <poll.h>
#include <unistd.h>

#include <utility>

namespace mv::test {

std::optional<DeviceTls> DeviceTls::accept(int descriptor, const transport::test::DeviceContext& context) {
  DeviceTls tls(descriptor, context.connection());
  SSL_set_fd(tls.ssl_.get(), descriptor);
  if (SSL_accept(tls.ssl_.get()) != 1) return std::nullopt;
  return tls;
}

DeviceTls::~DeviceTls() {
  if (descriptor_ < 0) return;
  ssl_.reset();
  ::close(descriptor_);
}

DeviceTls::DeviceTls(DeviceTls&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), ssl_(std::move(other.ssl_)) {}

bool DeviceTls::read_all(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const int count = SSL_read(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool DeviceTls::write_all(std::span<const std::uint8_t> bytes) {
  return bytes.empty() || SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
}

bool DeviceTls::readable(int milliseconds) const {
  if (buffered()) return true;
  pollfd wait{descriptor_, POLLIN, 0};
  return poll(&wait, 1, milliseconds) > 0;
}

}  // namespace mv::test
