#include "qemu_stub.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace mv::test {

std::optional<QemuStub> QemuStub::connect(std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(descriptor);
    return std::nullopt;
  }
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return QemuStub(descriptor);
}

QemuStub::~QemuStub() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

QemuStub::QemuStub(QemuStub&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      decoder_(std::move(other.decoder_)),
      received_(std::move(other.received_)) {}

std::string QemuStub::ask(std::string_view request) {
  tell(request);
  return *reply(-1);
}

void QemuStub::tell(std::string_view request) { write_all(rsp::encode_packet(request)); }

void QemuStub::interrupt() { write_all("\x03"); }

std::optional<std::string> QemuStub::reply(int milliseconds) {
  for (;;) {
    std::string_view rest = received_;
    auto input = decoder_.next(rest);
    received_.erase(0, received_.size() - rest.size());
    if (input && input->kind == rsp::Input::Kind::kPacket) {
      write_all("+");
      return std::move(input->payload);
    }
    if (input) continue;
    pollfd wait{descriptor_, POLLIN, 0};
    if (poll(&wait, 1, milliseconds) == 0) return std::nullopt;
    std::array<char, 4096> buffer;
    const ssize_t count = read(descriptor_, buffer.data(), buffer.size());
    if (count <= 0) throw std::runtime_error("QEMU's stub went away");
    received_.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

void QemuStub::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor_, bytes.data(), bytes.size());
    if (count <= 0) throw std::runtime_error("QEMU's stub went away");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace mv::test
