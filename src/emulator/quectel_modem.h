// A virtual cellular modem: the AT dialect of a Quectel BG95 in direct push mode, with one TCP connection,
// dialled by the device or called (docs/modem-dialect.md).
#pragma once

#include <deque>

#include "emulator/at_command.h"
#include "emulator/modem.h"

namespace mv::emulator {

// Bytes that one AT+QISEND and one "+QIURC: "recv"" carry at most (BG95 TCP/IP application note, sections 2.3.4, 3.2).
inline constexpr std::size_t kMaxSend = 1460;
inline constexpr std::size_t kMaxReceive = 1460;

class QuectelModem final : public Modem {
 public:
  explicit QuectelModem(ModemOutside& outside) : outside_(outside) {}

  void power_on() override;
  void from_uart(std::span<const std::uint8_t> bytes) override;
  void connected() override;
  void connect_failed(ConnectError error) override;
  void from_network(std::span<const std::uint8_t> bytes) override;
  void closed_by_peer() override;
  void expired(ModemOutside::Timer) override {}

  // Somebody calls the device: the connection is theirs, at once, instead of any other. Again: the device is told
  // again. What goes over it, and its end, are as with one that the device dialled.
  void call();

  // With the network go the PDP context and the connection.
  void set_carrier(bool there) override;
  bool carrier() const override { return carrier_; }

 private:
  enum class Input : std::uint8_t { kLine, kSendData };
  enum class Socket : std::uint8_t { kClosed, kConnecting, kOpen };

  void take_line_byte(char byte);
  void take_send_data(std::span<const std::uint8_t>& bytes);
  void execute(std::string_view line);
  void answer(const AtCommand& command);
  void open(const AtCommand& command);
  void send(const AtCommand& command);
  void finish_send();
  void activate(const AtCommand& command);

  void say(std::string_view line);       // one line of an answer
  void report(std::string_view report);  // unsolicited: waits while the modem takes the bytes of a send
  void flush_reports();
  void close_socket();

  // All that the modem forgets without power.
  struct Memory {
    Input input = Input::kLine;
    Socket socket = Socket::kClosed;
    bool echo = true;
    bool context_active = false;
    bool line_too_long = false;
    bool called = false;  // the open connection is a caller's
    std::string line;
    std::string send_data;
    std::size_t send_length = 0;
    std::deque<std::string> reports;
  };

  ModemOutside& outside_;
  Memory memory_;
  bool carrier_ = true;  // the network's, not the modem's
};

}  // namespace mv::emulator
