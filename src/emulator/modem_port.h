// The virtual modem on a unix socket, on which QEMU's UART arrives.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <tl/expected.hpp>

#include "emulator/local_socket.h"
#include "emulator/modem_line.h"

namespace mv::emulator {

class ModemPort {
 public:
  ModemPort(boost::asio::io_context& context, const ModemKind& kind);
  ~ModemPort();
  ModemPort(const ModemPort&) = delete;
  ModemPort& operator=(const ModemPort&) = delete;

  // Listens at `path`, which QEMU is to connect to; a left-over socket there is replaced. Error: a sentence.
  tl::expected<void, std::string> listen(const std::string& path);

  // Power is cut: the UART and the connection are gone.
  void power_off();

  void set_shape(Shape shape) { line_.set_shape(shape); }
  Shape shape() const { return line_.shape(); }

  // The network goes away, for `duration` or until `find_carrier`.
  void lose_carrier(std::optional<std::chrono::milliseconds> duration) { line_.lose_carrier(duration); }
  void find_carrier() { line_.find_carrier(); }
  bool carrier() const { return line_.carrier(); }

  // The Wi-Fi network changes, for `duration` or until it is told to again. False: the modem has no Wi-Fi.
  bool set_wifi(WifiState state, std::optional<std::chrono::milliseconds> duration) {
    return line_.set_wifi(state, duration);
  }
  std::optional<WifiState> wifi() const { return line_.wifi(); }

  const AirCounters& counters() const { return line_.counters(); }

 private:
  void to_uart(std::string_view bytes);
  void accept();
  void read_uart();
  void write_uart();

  LocalListener listener_;
  boost::asio::local::stream_protocol::socket uart_;
  ModemLine line_;
  std::string uart_queue_;
  std::string uart_writing_;
  std::array<std::uint8_t, 2048> uart_buffer_{};
  bool reading_ = false;
  unsigned power_cycle_ = 0;  // tells operations of an older UART connection apart
};

}  // namespace mv::emulator
