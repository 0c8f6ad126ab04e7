// A virtual modem: what the firmware's modem driver cannot tell from a real one. What it says is a dialect's
// (quectel_modem.h, esp_modem.h; docs/modem-dialect.md is the contract).
//
// Pure state machines: bytes and events in, bytes and requests out through `ModemOutside`. They own no socket and no
// clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mv::emulator {

enum class ConnectError : std::uint8_t { kNoSuchHost, kRefused };

// What a Wi-Fi network does to who wants to join it. Anything but kUp loses those who have.
enum class WifiState : std::uint8_t {
  kUp,
  kDown,     // not to be found
  kSilent,   // found, but it does not answer in time
  kRefuses,  // found, but it takes nobody
};

// What the modem asks of the world. Called from within Modem's own calls; must not call back into it.
class ModemOutside {
 public:
  enum class Timer : std::uint8_t { kGuard, kJoin, kReconnect, kSend };
  static constexpr std::size_t kTimers = 4;

  virtual void to_uart(std::string_view bytes) = 0;
  virtual void connect(const std::string& host, std::uint16_t port) = 0;  // answered by `connected` or `connect_failed`
  virtual bool transmit(std::span<const std::uint8_t> bytes) = 0;         // false: the send buffer is full
  virtual void disconnect() = 0;

  // Calls `expired` after so long, once; instead of what was set before.
  virtual void set_timer(Timer timer, std::chrono::milliseconds after) = 0;

 protected:
  ~ModemOutside() = default;
};

class Modem {
 public:
  virtual ~Modem() = default;

  // Power comes on: forgets everything and says that it has started.
  virtual void power_on() = 0;

  virtual void from_uart(std::span<const std::uint8_t> bytes) = 0;

  // False: it can take no more bytes at the moment, as its flow control says.
  virtual bool takes_uart() const { return true; }

  virtual void connected() = 0;
  virtual void connect_failed(ConnectError error) = 0;
  virtual void from_network(std::span<const std::uint8_t> bytes) = 0;
  virtual void closed_by_peer() = 0;
  virtual void expired(ModemOutside::Timer timer) = 0;

  // The way to the cloud is lost or found: of a cellular modem the radio's network, of a Wi-Fi module what is behind
  // the access point.
  virtual void set_carrier(bool there) = 0;

  // What a device sends arrives.
  virtual bool carrier() const = 0;

  // False: it is no Wi-Fi module.
  virtual bool set_wifi(WifiState) { return false; }
};

}  // namespace mv::emulator
