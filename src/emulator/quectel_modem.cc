#include "emulator/quectel_modem.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace mv::emulator {
namespace {

constexpr std::int64_t kContext = 1;  // the PDP context that the firmware uses
constexpr std::int64_t kConnection = 0;
constexpr std::int64_t kDirectPush = 1;

// Error codes of +QIOPEN (BG95 TCP/IP application note, chapter 4).
constexpr int kErrorPdpNotActive = 561;
constexpr int kErrorSocketInUse = 563;
constexpr int kErrorNoSuchHost = 565;
constexpr int kErrorConnectFailed = 566;

// Commands whose only answer is OK: the emulated modem has nothing to set.
constexpr std::array kAccepted = {"",       "V1",       "+CMEE",  "+CEREG",  "+CGREG",  "+CREG", "+QICSGP",
                                  "+CFUN",  "+CGDCONT", "+IFC",   "+IPR",    "&W",      "+QCFG", "+QSCLK",
                                  "+QICFG", "+QIDEACT", "+CPSMS", "+CEDRXS", "+QSSLCFG"};

// Commands with a fixed answer.
struct Fixed {
  const char* name;
  const char* answer;
};
constexpr std::array kFixed = {Fixed{"I", "Quectel\r\nBG95-M3\r\nRevision: virtual"}, Fixed{"+CGMM", "BG95-M3"},
                               Fixed{"+CPIN", "+CPIN: READY"}, Fixed{"+CGSN", "866425030000000"},
                               Fixed{"+COPS", "+COPS: 0,0,\"virtual\",8"}};

}  // namespace

void QuectelModem::power_on() {
  if (memory_.socket != Socket::kClosed) outside_.disconnect();
  memory_ = {};
  say("RDY");
}

void QuectelModem::from_uart(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    if (memory_.input == Input::kSendData) {
      take_send_data(bytes);
    } else {
      take_line_byte(static_cast<char>(bytes.front()));
      bytes = bytes.subspan(1);
    }
  }
}

void QuectelModem::take_line_byte(char byte) {
  if (memory_.echo) outside_.to_uart({&byte, 1});
  if (byte == '\n') return;
  if (byte != '\r') {
    memory_.line_too_long = memory_.line_too_long || memory_.line.size() == kMaxCommandLine;
    if (!memory_.line_too_long) memory_.line.push_back(byte);
    return;
  }
  const std::string line = std::exchange(memory_.line, {});
  const bool too_long = std::exchange(memory_.line_too_long, false);
  if (too_long) {
    say("ERROR");
  } else if (!line.empty()) {
    execute(line);
  }
}

void QuectelModem::take_send_data(std::span<const std::uint8_t>& bytes) {
  const std::size_t take = std::min(bytes.size(), memory_.send_length - memory_.send_data.size());
  memory_.send_data.append(reinterpret_cast<const char*>(bytes.data()), take);
  bytes = bytes.subspan(take);
  if (memory_.send_data.size() == memory_.send_length) finish_send();
}

void QuectelModem::finish_send() {
  memory_.input = Input::kLine;
  const std::string data = std::exchange(memory_.send_data, {});
  if (memory_.socket != Socket::kOpen) {
    say("ERROR");
  } else {
    say(outside_.transmit({reinterpret_cast<const std::uint8_t*>(data.data()), data.size()}) ? "SEND OK" : "SEND FAIL");
  }
  flush_reports();
}

void QuectelModem::execute(std::string_view line) {
  // Noise in front of a command is what a modem sees after its driver was reset in the middle of one.
  const std::size_t at = line.find("AT");
  const auto command = AtCommand::parse(at == std::string_view::npos ? line : line.substr(at));
  if (command) {
    answer(*command);
  } else {
    say("ERROR");
  }
}

void QuectelModem::answer(const AtCommand& command) {
  using Kind = AtCommand::Kind;
  if (command.kind == Kind::kTest) return say("OK");
  if (command.name == "+QIOPEN") return open(command);
  if (command.name == "+QISEND") return send(command);
  if (command.name == "+QIACT") return activate(command);
  if (command.name == "+QICLOSE") return close_socket(), say("OK");
  if (command.name == "E0" || command.name == "E1" || command.name == "E")
    return memory_.echo = command.name == "E1", say("OK");
  if (command.name == "+CSQ") return say(carrier_ ? "+CSQ: 24,99" : "+CSQ: 99,99"), say("OK");
  if (command.kind == Kind::kRead &&
      (command.name == "+CEREG" || command.name == "+CREG" || command.name == "+CGREG")) {
    return say(command.name + (carrier_ ? ": 0,1" : ": 0,2")), say("OK");
  }
  if (const auto* fixed = std::ranges::find(kFixed, command.name, &Fixed::name); fixed != kFixed.end()) {
    return say(fixed->answer), say("OK");
  }
  if (command.name == "+QIDEACT") {
    close_socket();
    memory_.context_active = false;
  }
  if (command.name == "+CFUN" && command.number(1, 0) == 1) return say("OK"), power_on();
  say(std::ranges::find(kAccepted, command.name) != kAccepted.end() ? "OK" : "ERROR");
}

void QuectelModem::activate(const AtCommand& command) {
  if (command.kind == AtCommand::Kind::kRead) {
    if (memory_.context_active) say("+QIACT: 1,1,1,\"10.0.0.2\"");
    return say("OK");
  }
  if (!carrier_ || memory_.context_active || command.number(0, 0) != kContext) return say("ERROR");
  memory_.context_active = true;
  say("OK");
}

void QuectelModem::open(const AtCommand& command) {
  const std::int64_t port = command.number(4, 0);
  if (command.number(0, 0) != kContext || command.number(1, -1) != kConnection || command.text(2) != "TCP" ||
      command.text(3).empty() || port < 1 || port > std::numeric_limits<std::uint16_t>::max() ||
      command.number(6, -1) != kDirectPush) {
    return say("ERROR");
  }
  say("OK");
  if (!memory_.context_active) return report("+QIOPEN: 0," + std::to_string(kErrorPdpNotActive));
  if (memory_.socket != Socket::kClosed) return report("+QIOPEN: 0," + std::to_string(kErrorSocketInUse));
  memory_.socket = Socket::kConnecting;
  outside_.connect(std::string(command.text(3)), static_cast<std::uint16_t>(port));
}

void QuectelModem::send(const AtCommand& command) {
  const std::int64_t length = command.number(1, 0);
  if (memory_.socket != Socket::kOpen || command.number(0, -1) != kConnection || length < 1 ||
      length > static_cast<std::int64_t>(kMaxSend)) {
    return say("ERROR");
  }
  memory_.input = Input::kSendData;
  memory_.send_length = static_cast<std::size_t>(length);
  outside_.to_uart("\r\n> ");
}

void QuectelModem::connected() {
  if (memory_.socket != Socket::kConnecting) return outside_.disconnect();
  memory_.socket = Socket::kOpen;
  report("+QIOPEN: 0,0");
}

void QuectelModem::call() {
  if (!memory_.called) close_socket();
  memory_.socket = Socket::kOpen;
  memory_.called = true;
  report("+QIURC: \"incoming\",0,1,\"192.0.2.1\",5000");
}

void QuectelModem::connect_failed(ConnectError error) {
  if (memory_.socket != Socket::kConnecting) return;
  memory_.socket = Socket::kClosed;
  const int code = error == ConnectError::kNoSuchHost ? kErrorNoSuchHost : kErrorConnectFailed;
  report("+QIOPEN: 0," + std::to_string(code));
}

void QuectelModem::from_network(std::span<const std::uint8_t> bytes) {
  if (memory_.socket != Socket::kOpen) return;
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), kMaxReceive));
    std::string text = "+QIURC: \"recv\",0," + std::to_string(piece.size()) + "\r\n";
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    report(text);
    bytes = bytes.subspan(piece.size());
  }
}

void QuectelModem::closed_by_peer() {
  if (memory_.socket != Socket::kOpen) return;
  memory_.socket = Socket::kClosed;
  memory_.called = false;
  report("+QIURC: \"closed\",0");
}

void QuectelModem::set_carrier(bool there) {
  if (carrier_ == there) return;
  carrier_ = there;
  if (there || !memory_.context_active) return;
  memory_.context_active = false;
  if (memory_.socket == Socket::kConnecting) report("+QIOPEN: 0," + std::to_string(kErrorConnectFailed));
  close_socket();
  report("+QIURC: \"pdpdeact\",1");
}

void QuectelModem::close_socket() {
  if (memory_.socket == Socket::kClosed) return;
  memory_.socket = Socket::kClosed;
  memory_.called = false;
  outside_.disconnect();
}

void QuectelModem::say(std::string_view line) { outside_.to_uart("\r\n" + std::string(line) + "\r\n"); }

void QuectelModem::report(std::string_view report) {
  memory_.reports.emplace_back(report);
  if (memory_.input == Input::kLine) flush_reports();
}

void QuectelModem::flush_reports() {
  while (!memory_.reports.empty()) {
    // The bytes of "recv" are counted: the line end of `say` after them would be taken for more.
    const bool has_data = memory_.reports.front().starts_with("+QIURC: \"recv\"");
    outside_.to_uart("\r\n" + memory_.reports.front() + (has_data ? "" : "\r\n"));
    memory_.reports.pop_front();
  }
}

}  // namespace mv::emulator
