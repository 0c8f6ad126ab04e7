#include "emulator/esp_modem.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace mv::emulator {
namespace {

using std::chrono::milliseconds;
using Timer = ModemOutside::Timer;

// ESP-AT User Guide, "TCP/IP AT Commands", `+++`, AT+CIPSEND, AT+CIPRECVTYPE; "AT Command Set", the length of a
// command.
constexpr milliseconds kGuard{20};
constexpr std::size_t kMaxSend = 8192;
constexpr std::size_t kMaxPush = 2920;
constexpr std::size_t kLongestLine = 256;
constexpr std::string_view kEscape = "+++";

constexpr milliseconds kScan{100};
constexpr milliseconds kJoinTimeout{15'000};
constexpr milliseconds kSendAgain{5};

// +CWJAP:<error code>
constexpr int kTimedOut = 1;
constexpr int kWrongPassphrase = 2;
constexpr int kNotFound = 3;
constexpr int kFailed = 4;

// Bits of AT+SYSMSG.
constexpr std::int64_t kSayQuit = 1;
constexpr std::int64_t kSayChanges = 4;

// Settings that change nothing here.
constexpr std::array kAccepted = {"",          "+SYSSTORE",    "+TRANSINTVL", "+CIPDINFO",
                                  "+UART_CUR", "+CWRECONNCFG", "+CWAUTOCONN", "+CIPMUX"};

constexpr const char* kVersion =
    "AT version:3.2.0.0(virtual)\r\nSDK version:v5.0\r\ncompile time:virtual\r\nBin version:v3.2.0.0(virtual)";

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

void EspModem::power_on() {
  if (memory_.socket != Socket::kClosed) outside_.disconnect();
  memory_ = {};
  cut_off_ = false;
  say("ready");
}

void EspModem::from_uart(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    if (memory_.input == Input::kTransparent) return take_transparent(bytes);
    if (memory_.input == Input::kSendData) {
      take_send_data(bytes);
    } else {
      take_line_byte(static_cast<char>(bytes.front()));
      bytes = bytes.subspan(1);
    }
  }
}

// A line ends with LF: what follows AT+CIPSEND is data.
void EspModem::take_line_byte(char byte) {
  if (memory_.echo) outside_.to_uart({&byte, 1});
  if (byte == '\r') return;
  if (byte != '\n') {
    memory_.line_too_long = memory_.line_too_long || memory_.line.size() == kLongestLine;
    if (!memory_.line_too_long) memory_.line.push_back(byte);
    return;
  }
  const std::string line = std::exchange(memory_.line, {});
  const bool too_long = std::exchange(memory_.line_too_long, false);
  if (line.empty()) return;
  if (busy()) return say("busy p...");
  too_long ? refuse("0x01060000") : execute(line);
}

void EspModem::take_send_data(std::span<const std::uint8_t>& bytes) {
  const std::size_t take = std::min(bytes.size(), memory_.send_length - memory_.send_data.size());
  memory_.send_data.append(as_text(bytes.first(take)));
  bytes = bytes.subspan(take);
  if (memory_.send_data.size() < memory_.send_length) return;
  memory_.input = Input::kLine;
  const std::string data = std::exchange(memory_.send_data, {});
  say("Recv " + std::to_string(data.size()) + " bytes");
  if (memory_.socket != Socket::kOpen) {
    say("ERROR");
  } else {
    say(outside_.transmit(as_bytes(data)) ? "SEND OK" : "SEND FAIL");
  }
  for (const std::string& held : std::exchange(memory_.reports, {})) outside_.to_uart(held);
}

// The escape is three '+' with a pause before and after: nothing else may be in their burst.
void EspModem::take_transparent(std::span<const std::uint8_t> bytes) {
  outside_.set_timer(Timer::kGuard, kGuard);
  const std::string burst = memory_.plusses.append(as_text(bytes));
  if (memory_.may_escape && kEscape.starts_with(burst)) return;
  memory_.may_escape = false;
  memory_.plusses.clear();
  transmit(burst);
}

void EspModem::end_of_burst() {
  if (memory_.input != Input::kTransparent) return;
  const std::string plusses = std::exchange(memory_.plusses, {});
  memory_.may_escape = true;
  if (plusses != kEscape) return transmit(plusses);
  memory_.input = Input::kLine;
  memory_.line.clear();
  if ((memory_.messages & kSayQuit) != 0) say("+QUITT");
  // With it ends the dialling anew.
  if (memory_.socket == Socket::kConnecting) close_socket();
}

// What the network does not take yet keeps the UART waiting.
void EspModem::transmit(std::string_view bytes) {
  memory_.unsent.append(bytes);
  if (memory_.unsent.empty()) return;
  if (memory_.socket == Socket::kOpen && !outside_.transmit(as_bytes(memory_.unsent))) {
    return outside_.set_timer(Timer::kSend, kSendAgain);
  }
  memory_.unsent.clear();
}

void EspModem::expired(Timer timer) {
  switch (timer) {
    case Timer::kGuard:
      return end_of_burst();
    case Timer::kJoin:
      return finish_join();
    case Timer::kSend:
      return transmit({});
    case Timer::kReconnect:
      if (memory_.input != Input::kTransparent || memory_.socket != Socket::kClosed || !memory_.joined) return;
      return call();
  }
}

void EspModem::execute(std::string_view line) {
  const auto command = AtCommand::parse(line, AtQuoting::kBackslash);
  command ? answer(*command) : refuse("0x01040000");
}

void EspModem::answer(const AtCommand& command) {
  using Kind = AtCommand::Kind;
  if (command.kind == Kind::kTest) return say("OK");
  if (command.kind == Kind::kRead) return answer_query(command) ? say("OK") : refuse("0x01090000");
  if (command.name == "+CWJAP") return join(command);
  if (command.name == "+CIPSTART") return dial(command);
  if (command.name == "+CIPSEND") return send(command);
  if (command.name == "+GMR") return say(kVersion), say("OK");
  if (command.name == "+RST") return say("OK"), power_on();
  if (command.name == "+CIPCLOSE") {
    if (memory_.socket == Socket::kClosed) return say("ERROR");
    close_socket();
    outside_.to_uart("CLOSED\r\n");
    return say("OK");
  }
  if (command.name == "+CWQAP") {
    say("OK");
    if (std::exchange(memory_.joined, false)) lose_connection(), report("WIFI DISCONNECT");
    return;
  }
  answer_setting(command) ? say("OK") : refuse("0x01090000");
}

bool EspModem::answer_setting(const AtCommand& command) {
  const std::int64_t value = command.number(0, -1);
  if (command.name == "E0" || command.name == "E1") return memory_.echo = command.name == "E1", true;
  if (command.name == "+SYSLOG") return memory_.errors_in_detail = value == 1, value == 0 || value == 1;
  if (command.name == "+CWMODE") return value >= 0 && value <= 3 && (memory_.mode = value, true);
  if (command.name == "+SYSMSG") return value >= 0 && value <= 7 && (memory_.messages = value, true);
  if (command.name == "+CIPRECONNINTV") return value >= 1 && value <= 36000 && (memory_.reconnect = value, true);
  if (command.name == "+CIPMODE") return (value == 0 || value == 1) && (memory_.passes = value == 1, true);
  // Data is not kept for the driver to fetch, and there is one connection.
  if (command.name == "+CIPRECVTYPE" || command.name == "+CIPRECVMODE" || command.name == "+CIPMUX") return value == 0;
  return std::ranges::find(kAccepted, command.name) != kAccepted.end();
}

bool EspModem::answer_query(const AtCommand& command) {
  if (command.name == "+CIPMODE") return say("+CIPMODE:" + std::to_string(memory_.passes ? 1 : 0)), true;
  if (command.name == "+CWMODE") return say("+CWMODE:" + std::to_string(memory_.mode)), true;
  if (command.name == "+SYSMSG") return say("+SYSMSG:" + std::to_string(memory_.messages)), true;
  if (command.name == "+CWSTATE") {
    const std::string name = memory_.joined ? network_.ssid : std::string();
    return say("+CWSTATE:" + std::string(memory_.joined ? "2" : "0") + ",\"" + name + "\""), true;
  }
  if (command.name != "+CIPSTATE") return false;
  if (memory_.socket == Socket::kOpen) {
    say("+CIPSTATE:0,\"TCP\",\"" + memory_.peer.host + "\"," + std::to_string(memory_.peer.port) + ",50000,0");
  }
  return true;
}

void EspModem::join(const AtCommand& command) {
  const std::string_view ssid = command.text(0);
  if (memory_.mode != 1 && memory_.mode != 3) return say("ERROR");
  if (ssid.empty() || ssid.size() > 32 || command.text(1).size() > 64) return say("ERROR");
  if (std::exchange(memory_.joined, false)) lose_connection(), report("WIFI DISCONNECT");
  const std::int64_t rejoin = command.arguments.size() > 4 ? command.number(4, 1) : 1;
  memory_.joining = Attempt{std::string(ssid), std::string(command.text(1)), rejoin};
  outside_.set_timer(Timer::kJoin, wifi_ == WifiState::kSilent ? kJoinTimeout : kScan);
}

void EspModem::finish_join() {
  if (!memory_.joining) return;
  const Attempt attempt = *std::exchange(memory_.joining, {});
  int error = 0;
  if (attempt.ssid != network_.ssid || wifi_ == WifiState::kDown) {
    error = kNotFound;
  } else if (wifi_ == WifiState::kSilent) {
    error = kTimedOut;
  } else if (wifi_ == WifiState::kRefuses) {
    error = kFailed;
  } else if (attempt.passphrase != network_.passphrase) {
    error = kWrongPassphrase;
  }
  if (error != 0) return outside_.to_uart("+CWJAP:" + std::to_string(error) + "\r\n"), say("ERROR");
  memory_.joined = true;
  memory_.rejoin_seconds = attempt.rejoin_seconds;
  outside_.to_uart("WIFI CONNECTED\r\nWIFI GOT IP\r\n");
  say("OK");
}

void EspModem::dial(const AtCommand& command) {
  const std::int64_t port = command.number(2, 0);
  if (command.text(0) != "TCP" || command.text(1).empty() || command.text(1).size() > 64 || port < 1 ||
      port > std::numeric_limits<std::uint16_t>::max() || !memory_.joined) {
    return say("ERROR");
  }
  if (memory_.socket != Socket::kClosed) return outside_.to_uart("ALREADY CONNECTED\r\n"), say("ERROR");
  memory_.peer = {std::string(command.text(1)), static_cast<std::uint16_t>(port)};
  memory_.dial_to_answer = true;
  call();
}

void EspModem::call() {
  memory_.socket = Socket::kConnecting;
  if (!carrier_) return connect_failed(ConnectError::kRefused);
  outside_.connect(memory_.peer.host, memory_.peer.port);
}

void EspModem::send(const AtCommand& command) {
  const bool in_pieces = command.kind == AtCommand::Kind::kWrite;
  const std::int64_t length = command.number(0, 0);
  if (memory_.socket != Socket::kOpen || in_pieces == memory_.passes ||
      (in_pieces && (length < 1 || length > static_cast<std::int64_t>(kMaxSend)))) {
    return say("ERROR");
  }
  say("OK");
  outside_.to_uart("\r\n>");
  memory_.input = in_pieces ? Input::kSendData : Input::kTransparent;
  memory_.send_length = static_cast<std::size_t>(length);
  memory_.may_escape = true;
}

void EspModem::connected() {
  if (memory_.socket != Socket::kConnecting) return outside_.disconnect();
  memory_.socket = Socket::kOpen;
  cut_off_ = false;
  report("CONNECT");
  if (std::exchange(memory_.dial_to_answer, false)) say("OK");
}

void EspModem::connect_failed(ConnectError error) {
  if (memory_.socket != Socket::kConnecting) return;
  memory_.socket = Socket::kClosed;
  if (std::exchange(memory_.dial_to_answer, false)) {
    if (error == ConnectError::kNoSuchHost) outside_.to_uart("DNS Fail\r\n");
    return say("ERROR");
  }
  outside_.set_timer(Timer::kReconnect, milliseconds(100 * memory_.reconnect));
}

void EspModem::from_network(std::span<const std::uint8_t> bytes) {
  if (memory_.socket != Socket::kOpen) return;
  if (memory_.passes && memory_.input != Input::kSendData) return outside_.to_uart(as_text(bytes));
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), kMaxPush));
    std::string text = "\r\n+IPD," + std::to_string(piece.size()) + ":";
    text.append(as_text(piece));
    if (memory_.input == Input::kSendData) {
      memory_.reports.push_back(text);
    } else {
      outside_.to_uart(text);
    }
    bytes = bytes.subspan(piece.size());
  }
}

void EspModem::closed_by_peer() {
  if (memory_.socket != Socket::kOpen) return;
  memory_.socket = Socket::kClosed;
  report("CLOSED");
  // In transparent mode it dials anew by itself.
  if (memory_.input == Input::kTransparent) {
    outside_.set_timer(Timer::kReconnect, milliseconds(100 * memory_.reconnect));
  }
}

// The module has no way to notice. When the way is there again, the cloud has forgotten the connection.
void EspModem::set_carrier(bool there) {
  if (carrier_ == there) return;
  carrier_ = there;
  if (there) {
    if (std::exchange(cut_off_, false)) closed_by_peer();
    return;
  }
  if (memory_.socket == Socket::kConnecting) return outside_.disconnect(), connect_failed(ConnectError::kRefused);
  cut_off_ = memory_.socket == Socket::kOpen;
  if (cut_off_) outside_.disconnect();
}

bool EspModem::set_wifi(WifiState state) {
  if (wifi_ == state) return true;
  wifi_ = state;
  if (state != WifiState::kUp && std::exchange(memory_.joined, false)) {
    lose_connection();
    report("WIFI DISCONNECT");
  } else if (state == WifiState::kUp && memory_.rejoin_seconds > 0) {
    memory_.joined = true;
    report("WIFI CONNECTED");
    report("WIFI GOT IP");
    if (memory_.input == Input::kTransparent && memory_.socket == Socket::kClosed) expired(Timer::kReconnect);
  }
  return true;
}

void EspModem::lose_connection() {
  if (memory_.socket == Socket::kClosed) return;
  const bool was_open = memory_.socket == Socket::kOpen;
  close_socket();
  if (std::exchange(memory_.dial_to_answer, false)) say("ERROR");
  if (was_open) report("CLOSED");
}

void EspModem::close_socket() {
  if (memory_.socket == Socket::kClosed) return;
  memory_.socket = Socket::kClosed;
  memory_.unsent.clear();
  if (!std::exchange(cut_off_, false)) outside_.disconnect();
}

bool EspModem::says_changes() const {
  return memory_.input != Input::kTransparent || (memory_.messages & kSayChanges) != 0;
}

void EspModem::say(std::string_view line) { outside_.to_uart("\r\n" + std::string(line) + "\r\n"); }

void EspModem::refuse(std::string_view code) {
  if (memory_.errors_in_detail) say("ERR CODE:" + std::string(code));
  say("ERROR");
}

void EspModem::report(std::string_view line) {
  if (!says_changes()) return;
  const std::string text = std::string(line) + "\r\n";
  if (memory_.input == Input::kSendData) {
    memory_.reports.push_back(text);
  } else {
    outside_.to_uart(text);
  }
}

}  // namespace mv::emulator
