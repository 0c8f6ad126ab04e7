// Any bytes from a modem: the driver neither crashes nor hangs, and never reports more data than was announced.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "core/link/modem.h"

namespace {

class FuzzPort final : public mv::LinkPort {
 public:
  explicit FuzzPort(std::span<const std::uint8_t> input) : input_(input) {}
  std::size_t read(std::span<std::uint8_t> out) override {
    const std::size_t size = std::min(out.size(), input_.size());
    std::copy_n(input_.begin(), size, out.begin());
    input_ = input_.subspan(size);
    return size;
  }
  std::size_t write(std::span<const std::uint8_t> bytes) override { return bytes.size(); }
  bool empty() const { return input_.empty(); }

 private:
  std::span<const std::uint8_t> input_;
};

class FuzzClock final : public mv::Clock {
 public:
  std::uint64_t uptime_us() override { return now; }
  std::uint64_t now = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzPort port({data, size});
  FuzzClock clock;
  mv::link::Modem modem(port, clock);
  modem.connect("cloud.test", 8443);
  std::array<std::uint8_t, 100> out;
  for (int idle = 0; idle < 50;) {
    const bool progress = modem.poll();
    const bool moved = modem.read(out) + modem.write(out) > 0;
    if (progress || moved) continue;
    if (modem.ended() && modem.state() != mv::link::Modem::State::kConnecting) modem.connect("cloud.test", 8443);
    clock.now += 500'000;
    if (port.empty()) ++idle;
  }
  return 0;
}
