// A virtual Wi-Fi module: Espressif's ESP-AT with one TCP connection, in transparent mode or in pieces
// (docs/modem-dialect-esp-at.md), and the access point that it is to join.
#pragma once

#include <deque>
#include <optional>

#include "emulator/at_command.h"
#include "emulator/modem.h"
#include "emulator/wifi_network.h"

namespace mv::emulator {

class EspModem final : public Modem {
 public:
  EspModem(ModemOutside& outside, WifiNetwork network) : outside_(outside), network_(std::move(network)) {}

  void power_on() override;
  void from_uart(std::span<const std::uint8_t> bytes) override;
  bool takes_uart() const override { return memory_.unsent.empty(); }
  void connected() override;
  void connect_failed(ConnectError error) override;
  void from_network(std::span<const std::uint8_t> bytes) override;
  void closed_by_peer() override;
  void expired(ModemOutside::Timer timer) override;
  void set_carrier(bool there) override;
  bool carrier() const override { return carrier_ && wifi_ == WifiState::kUp; }
  bool set_wifi(WifiState state) override;

 private:
  enum class Input : std::uint8_t { kLine, kSendData, kTransparent };
  enum class Socket : std::uint8_t { kClosed, kConnecting, kOpen };

  void take_line_byte(char byte);
  void take_send_data(std::span<const std::uint8_t>& bytes);
  void take_transparent(std::span<const std::uint8_t> bytes);
  void end_of_burst();
  void transmit(std::string_view bytes);

  void execute(std::string_view line);
  void answer(const AtCommand& command);
  bool answer_setting(const AtCommand& command);
  bool answer_query(const AtCommand& command);
  void join(const AtCommand& command);
  void finish_join();
  void dial(const AtCommand& command);
  void call();
  void send(const AtCommand& command);

  bool busy() const { return memory_.joining || (memory_.dial_to_answer && memory_.socket == Socket::kConnecting); }
  bool says_changes() const;
  void say(std::string_view line);
  void refuse(std::string_view code);
  void report(std::string_view line);  // in transparent mode only if AT+SYSMSG says so
  void lose_connection();
  void close_socket();

  struct Peer {
    std::string host;
    std::uint16_t port = 0;
  };
  struct Attempt {
    std::string ssid;
    std::string passphrase;
    std::int64_t rejoin_seconds = 0;
  };

  // All that the module forgets without power.
  struct Memory {
    Input input = Input::kLine;
    Socket socket = Socket::kClosed;
    bool echo = true;
    bool errors_in_detail = false;  // AT+SYSLOG=1
    bool joined = false;
    bool passes = false;  // AT+CIPMODE=1
    bool dial_to_answer = false;
    bool line_too_long = false;
    bool may_escape = false;  // what comes now is the beginning of a burst
    std::int64_t mode = 0;    // AT+CWMODE
    std::int64_t messages = 0;
    std::int64_t reconnect = 1;  // AT+CIPRECONNINTV, in 0.1 s
    std::optional<Attempt> joining;
    std::int64_t rejoin_seconds = 0;
    Peer peer;
    std::string line;
    std::string plusses;  // of what may be the escape
    std::string unsent;   // for the network, which takes no more at the moment
    std::string send_data;
    std::size_t send_length = 0;
    std::deque<std::string> reports;
  };

  ModemOutside& outside_;
  WifiNetwork network_;
  Memory memory_;
  bool carrier_ = true;
  WifiState wifi_ = WifiState::kUp;
  bool cut_off_ = false;  // the connection's peer is out of reach, which the module has not noticed
};

}  // namespace mv::emulator
