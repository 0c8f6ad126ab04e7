// Fuzz target: no bytes on the UART and no order of network events crash the modem or make it grow without bound.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "emulator/modem.h"

namespace {

struct Outside final : mv::emulator::ModemOutside {
  std::size_t sent = 0;
  void to_uart(std::string_view) override {}
  void connect(const std::string&, std::uint16_t port) override {
    if (port == 0) std::abort();
  }
  bool transmit(std::span<const std::uint8_t> bytes) override {
    if (bytes.empty() || bytes.size() > mv::emulator::kMaxSend) std::abort();
    return true;
  }
  void disconnect() override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Outside outside;
  mv::emulator::Modem modem(outside);
  modem.power_on();
  // A byte of 0xF0 and above is a network event; the rest goes to the UART.
  for (const std::uint8_t& byte : std::span(data, size)) {
    switch (byte) {
      case 0xF0:
        modem.connected();
        break;
      case 0xF1:
        modem.connect_failed(mv::emulator::ConnectError::kRefused);
        break;
      case 0xF2:
        modem.closed_by_peer();
        break;
      case 0xF3:
        modem.set_carrier(false);
        break;
      case 0xF4:
        modem.set_carrier(true);
        break;
      case 0xF5:
        modem.from_network({data, size});
        break;
      default:
        modem.from_uart({&byte, 1});
        break;
    }
  }
  return 0;
}
