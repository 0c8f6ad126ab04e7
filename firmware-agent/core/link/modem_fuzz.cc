// Any bytes from a modem, of either dialect: the driver neither crashes nor hangs, and never asks for more time than a
// step has. The first byte says which dialect, and how the port takes what the driver says.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "core/link/any_modem.h"

namespace {

class FuzzPort final : public mv::LinkPort {
 public:
  FuzzPort(std::span<const std::uint8_t> input, std::size_t grain) : input_(input), grain_(grain) {}
  std::size_t read(std::span<std::uint8_t> out) override {
    const std::size_t size = std::min(out.size(), input_.size());
    std::copy_n(input_.begin(), size, out.begin());
    input_ = input_.subspan(size);
    return size;
  }
  std::size_t write(std::span<const std::uint8_t> bytes) override { return std::min(bytes.size(), grain_); }
  bool empty() const { return input_.empty(); }

 private:
  std::span<const std::uint8_t> input_;
  std::size_t grain_;
};

class FuzzClock final : public mv::Clock {
 public:
  std::uint64_t uptime_us() override { return now; }
  std::uint64_t now = 0;
};

struct Networks final : mv::link::WifiNetworks {
  mv::link::WifiCredentials credentials() const override { return {"home", "correct horse"}; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mv::link::AnyModem;
  using mv::link::Modem;
  if (size == 0) return 0;
  FuzzPort port({data + 1, size - 1}, std::size_t{1} << (data[0] >> 1 & 0x0F));
  FuzzClock clock;
  const Networks networks;
  AnyModem either((data[0] & 1) == 0 ? AnyModem::Dialect::kQuectel : AnyModem::Dialect::kEspAt, port, clock, networks);
  Modem& modem = either.get();
  modem.connect("cloud.test", 8443);
  std::array<std::uint8_t, 100> out;
  for (int idle = 0; idle < 50;) {
    const bool progress = modem.poll();
    if (modem.ringing()) modem.take_call();
    const bool moved = modem.read(out) + modem.write(out) > 0;
    if (progress || moved) continue;
    if (modem.ended() && modem.state() != Modem::State::kConnecting) modem.connect("cloud.test", 8443);
    clock.now += 500'000;
    if (port.empty()) ++idle;
  }
  return 0;
}
