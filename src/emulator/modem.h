// The virtual modem: a cellular modem that speaks the AT dialect of a Quectel BG95 in direct push mode, with one TCP
// connection. The firmware's modem driver cannot tell it from a real one; what it says is docs/modem-dialect.md.
//
// Pure state machine: bytes and events in, bytes and requests out through `ModemOutside`. Owns no socket and no clock.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "emulator/at_command.h"

namespace mv::emulator {

// Bytes that one AT+QISEND and one "+QIURC: "recv"" carry at most (BG95 TCP/IP application note, sections 2.3.4, 3.2).
inline constexpr std::size_t kMaxSend = 1460;
inline constexpr std::size_t kMaxReceive = 1460;

enum class ConnectError : std::uint8_t { kNoSuchHost, kRefused };

// What the modem asks of the world. Called from within Modem's own calls; must not call back into it.
class ModemOutside {
 public:
  virtual void to_uart(std::string_view bytes) = 0;
  virtual void connect(const std::string& host, std::uint16_t port) = 0;  // answered by `connected` or `connect_failed`
  virtual bool transmit(std::span<const std::uint8_t> bytes) = 0;         // false: the send buffer is full
  virtual void disconnect() = 0;

 protected:
  ~ModemOutside() = default;
};

class Modem {
 public:
  explicit Modem(ModemOutside& outside) : outside_(outside) {}

  // Power comes on: forgets everything and says RDY.
  void power_on();

  void from_uart(std::span<const std::uint8_t> bytes);
  void connected();
  void connect_failed(ConnectError error);
  void from_network(std::span<const std::uint8_t> bytes);
  void closed_by_peer();

  // The radio loses or finds the network. With it go the PDP context and the connection.
  void set_carrier(bool there);
  bool carrier() const { return carrier_; }

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
