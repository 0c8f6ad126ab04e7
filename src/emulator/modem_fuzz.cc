// Fuzz target: no bytes on the UART and no order of network events crash a modem of either dialect or make it grow
// without bound. An even first byte: Quectel; an odd one: ESP-AT.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

#include "emulator/esp_modem.h"
#include "emulator/quectel_modem.h"

namespace {

struct Outside final : mv::emulator::ModemOutside {
  bool full = false;
  void to_uart(std::string_view) override {}
  void connect(const std::string&, std::uint16_t port) override {
    if (port == 0) std::abort();
  }
  bool transmit(std::span<const std::uint8_t> bytes) override {
    if (bytes.empty()) std::abort();
    return !full;
  }
  void disconnect() override {}
  void set_timer(Timer, std::chrono::milliseconds after) override {
    if (after.count() <= 0 || after > std::chrono::hours(1)) std::abort();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mv::emulator;
  if (size == 0) return 0;
  Outside outside;
  std::unique_ptr<Modem> modem;
  QuectelModem* cellular = nullptr;
  if (data[0] % 2 == 0) {
    auto made = std::make_unique<QuectelModem>(outside);
    cellular = made.get();
    modem = std::move(made);
  } else {
    modem = std::make_unique<EspModem>(outside, WifiNetwork{"home", "correct horse"});
  }
  modem->power_on();
  // A byte of 0xF0 and above is an event; the rest goes to the UART.
  for (const std::uint8_t& byte : std::span(data + 1, size - 1)) {
    switch (byte) {
      case 0xF0:
        modem->connected();
        break;
      case 0xF1:
        modem->connect_failed(ConnectError::kRefused);
        break;
      case 0xF2:
        modem->closed_by_peer();
        break;
      case 0xF3:
      case 0xF4:
        modem->set_carrier(byte == 0xF4);
        break;
      case 0xF5:
        modem->from_network({data, size});
        break;
      case 0xF6:
      case 0xF7:
      case 0xF8:
      case 0xF9:
        modem->expired(static_cast<ModemOutside::Timer>(byte - 0xF6));
        break;
      case 0xFA:
      case 0xFB:
      case 0xFC:
      case 0xFD:
        modem->set_wifi(static_cast<WifiState>(byte - 0xFA));
        break;
      case 0xFE:
        outside.full = !outside.full;
        break;
      case 0xFF:
        if (cellular != nullptr) cellular->call();
        break;
      default:
        if (modem->takes_uart()) modem->from_uart({&byte, 1});
        break;
    }
  }
  return 0;
}
