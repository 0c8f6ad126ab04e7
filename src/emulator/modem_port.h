// The virtual modem with its wires: a unix socket on which QEMU's UART arrives, and the carrier to the cloud.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <tl/expected.hpp>

#include "emulator/carrier.h"
#include "emulator/local_socket.h"
#include "emulator/modem.h"

namespace mv::emulator {

class ModemPort final : private ModemOutside {
 public:
  explicit ModemPort(boost::asio::io_context& context);
  ~ModemPort();
  ModemPort(const ModemPort&) = delete;
  ModemPort& operator=(const ModemPort&) = delete;

  // Listens at `path`, which QEMU is to connect to; a left-over socket there is replaced. Error: a sentence.
  tl::expected<void, std::string> listen(const std::string& path);

  // Power is cut: the UART and the connection are gone.
  void power_off();

  void set_shape(Shape shape);
  Shape shape() const { return shape_; }

  // The network goes away, for `duration` or until `find_carrier`.
  void lose_carrier(std::optional<std::chrono::milliseconds> duration);
  void find_carrier();
  bool carrier() const { return modem_.carrier(); }

  const AirCounters& counters() const { return counters_; }

 private:
  void to_uart(std::string_view bytes) override;
  void connect(const std::string& host, std::uint16_t port) override;
  bool transmit(std::span<const std::uint8_t> bytes) override;
  void disconnect() override;

  void accept();
  void read_uart();
  void write_uart();
  void set_carrier(bool there);

  boost::asio::io_context& context_;
  LocalListener listener_;
  boost::asio::local::stream_protocol::socket uart_;
  boost::asio::steady_timer carrier_timer_;
  Modem modem_;
  Shape shape_;
  AirCounters counters_;
  std::shared_ptr<Carrier> carrier_;
  std::shared_ptr<Carrier> lost_;  // the connection whose radio went away; closed when the network is back
  std::string uart_queue_;
  std::string uart_writing_;
  std::array<std::uint8_t, 2048> uart_buffer_{};
  unsigned power_cycle_ = 0;  // tells operations of an older UART connection apart
};

}  // namespace mv::emulator
