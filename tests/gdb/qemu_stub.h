// A client of QEMU's own GDB stub: what stands in for the silicon of the simulated device. Blocking.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gdbserver/rsp/packet.h"

namespace mv::test {

class QemuStub {
 public:
  // Connects to 127.0.0.1:port. Nothing if nobody listens there.
  static std::optional<QemuStub> connect(std::uint16_t port);

  ~QemuStub();
  QemuStub(QemuStub&& other) noexcept;
  QemuStub& operator=(QemuStub&&) = delete;

  // Sends a request and waits for its reply.
  std::string ask(std::string_view request);

  // Sends without waiting: a resume.
  void tell(std::string_view request);
  void interrupt();

  // The next reply, if one is there within `milliseconds` (-1: waits).
  std::optional<std::string> reply(int milliseconds);

  int descriptor() const { return descriptor_; }

 private:
  explicit QemuStub(int descriptor) : descriptor_(descriptor) {}
  void write_all(std::string_view bytes);

  int descriptor_;
  rsp::PacketDecoder decoder_;
  std::string received_;
};

}  // namespace mv::test
