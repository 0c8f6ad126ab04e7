// The virtual modem and the connection behind it, on whatever carries the bytes of its UART: QEMU's socket, a serial
// port.
//
// Runs on one io_context and one thread.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "emulator/carrier.h"
#include "emulator/esp_modem.h"
#include "emulator/modem.h"

namespace mv::emulator {

// Which modem it is.
struct ModemKind {
  std::optional<WifiNetwork> wifi;  // ESP-AT, with this network in the air; nothing: Quectel BG95
};

class ModemLine final : private ModemOutside {
 public:
  // What becomes of the connection, for a person.
  struct Link {
    enum class State : std::uint8_t { kConnecting, kConnected, kFailed, kClosed };
    State state;
    std::string host;
    std::uint16_t port;
  };

  // `to_uart` is given every byte for the UART, also from within `from_uart` and `power_on`.
  ModemLine(boost::asio::io_context& context, const ModemKind& kind, std::function<void(std::string_view)> to_uart);
  ~ModemLine();
  ModemLine(const ModemLine&) = delete;
  ModemLine& operator=(const ModemLine&) = delete;

  void on_link(std::function<void(const Link&)> observer) { observer_ = std::move(observer); }

  // Power comes on: the modem forgets everything and says RDY. Power is cut: the connection is gone.
  void power_on();
  void power_off();

  void from_uart(std::span<const std::uint8_t> bytes) { modem_->from_uart(bytes); }

  // The modem's flow control: while it is false, bytes are to stay where they are. `observer` is called when that may
  // have changed.
  bool takes_uart() const { return modem_->takes_uart(); }
  void on_room(std::function<void()> observer) { room_observer_ = std::move(observer); }

  // So many bytes wait for the UART: the network is slowed down while they are many. Called as they come and go.
  void uart_backlog(std::size_t bytes);

  void set_shape(Shape shape);
  Shape shape() const { return shape_; }

  // The network goes away, for `duration` or until `find_carrier`.
  void lose_carrier(std::optional<std::chrono::milliseconds> duration);
  void find_carrier();
  bool carrier() const { return modem_->carrier(); }

  // The Wi-Fi network changes, for `duration` or until it is told to again. False: the modem has no Wi-Fi.
  bool set_wifi(WifiState state, std::optional<std::chrono::milliseconds> duration);
  std::optional<WifiState> wifi() const { return wifi_; }

  const AirCounters& counters() const { return counters_; }

 private:
  void to_uart(std::string_view bytes) override { to_uart_(bytes); }
  void connect(const std::string& host, std::uint16_t port) override;
  bool transmit(std::span<const std::uint8_t> bytes) override;
  void disconnect() override;
  void set_timer(Timer timer, std::chrono::milliseconds after) override;

  void set_carrier(bool there);
  void change_wifi(WifiState state);
  void hang_up_lost();
  void tell(Link::State state);

  boost::asio::io_context& context_;
  std::function<void(std::string_view)> to_uart_;
  std::function<void(const Link&)> observer_;
  std::function<void()> room_observer_;
  boost::asio::steady_timer carrier_timer_;
  boost::asio::steady_timer wifi_timer_;
  std::array<boost::asio::steady_timer, kTimers> timers_;
  std::unique_ptr<Modem> modem_;
  std::optional<WifiState> wifi_;  // of a Wi-Fi module
  unsigned power_cycle_ = 0;       // tells timers of before a power cut apart
  Shape shape_;
  AirCounters counters_;
  std::string host_;
  std::uint16_t port_ = 0;
  bool slow_ = false;  // more waits for the UART than it should
  std::shared_ptr<Carrier> carrier_;
  std::shared_ptr<Carrier> lost_;  // the connection whose radio went away; closed when the network is back
};

}  // namespace mv::emulator
