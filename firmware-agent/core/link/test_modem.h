// For tests: a modem in memory that speaks docs/modem-dialect.md, with a network that the test plays, and faults.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/platform/ports.h"

namespace mv::test {

class TestModem final : public LinkPort {
 public:
  // The driver's end.
  std::size_t read(std::span<std::uint8_t> out) override {
    const std::size_t size = std::min({out.size(), to_driver_.size(), grain});
    std::copy_n(to_driver_.begin(), size, out.begin());
    to_driver_.erase(to_driver_.begin(), to_driver_.begin() + static_cast<std::ptrdiff_t>(size));
    return size;
  }
  std::size_t write(std::span<const std::uint8_t> bytes) override {
    const std::size_t size = std::min(bytes.size(), grain);
    for (const std::uint8_t byte : bytes.first(size)) take(byte);
    return size;
  }

  // The network's end. Called when the driver dials: returns the ERR of +QIOPEN.
  std::function<int(const std::string& host, int port)> on_dial = [](const std::string&, int) { return 0; };
  std::function<void(std::span<const std::uint8_t>)> on_data = [](std::span<const std::uint8_t>) {};
  std::function<void()> on_hang_up = [] {};

  // Bytes from the network to the device, in announcements of at most `push_size`.
  void push(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const std::size_t size = std::min(bytes.size(), push_size);
      say("+QIURC: \"recv\",0," + std::to_string(size));
      emit(bytes.first(size));
      bytes = bytes.subspan(size);
    }
  }
  // Somebody calls; said again for as long as nobody answers.
  void call() {
    open = true;
    say("+QIURC: \"incoming\",0,1,\"192.0.2.1\",5000");
  }
  void drop_carrier() {
    open = false;
    say("+QIURC: \"closed\",0");
  }
  void deactivate() {
    open = false;
    say("+QIURC: \"pdpdeact\",1");
  }
  void restart() {
    open = false;
    echo = true;
    raw_wanted_ = 0;
    raw_.clear();
    held_.clear();
    line_.clear();
    say("RDY");
  }
  void say(std::string_view line) { inject("\r\n" + std::string(line) + "\r\n"); }
  // As if the modem had sent it, at once, or after the raw bytes that it is receiving.
  void inject(std::string_view text) {
    if (raw_wanted_ > 0) {
      held_ += text;
    } else {
      emit({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    }
  }

  // How it behaves.
  std::size_t grain = 4096;  // most bytes that one call of the driver moves
  std::size_t push_size = 1460;
  bool mute = false;  // swallows everything
  bool echo = true;
  std::string registration = "0,1";
  int send_fails = 0;        // so many sends are answered with SEND FAIL
  bool send_lost = false;    // sends are never answered
  bool dial_answers = true;  // +QIOPEN comes
  std::string mute_command;  // this one is never answered

  // What it saw.
  std::vector<std::string> commands;
  bool open = false;

  std::size_t raw_wanted() const { return raw_wanted_; }  // bytes that the send under way still owes

  long count(std::string_view command) const { return std::count(commands.begin(), commands.end(), command); }

 private:
  void emit(std::span<const std::uint8_t> bytes) { to_driver_.insert(to_driver_.end(), bytes.begin(), bytes.end()); }

  void take(std::uint8_t byte) {
    if (mute) return;
    if (raw_wanted_ > 0) return take_raw(byte);
    if (byte != '\r') {
      line_ += static_cast<char>(byte);
      return;
    }
    std::string line;
    line.swap(line_);
    if (line.empty()) return;
    if (echo) inject(line + "\r");
    commands.push_back(line);
    if (line != mute_command) run(line);
  }

  void take_raw(std::uint8_t byte) {
    raw_.push_back(byte);
    if (--raw_wanted_ > 0) return;
    if (send_lost) {
      raw_.clear();
      return;
    }
    const bool failed = send_fails > 0;
    if (failed) --send_fails;
    say(failed ? "SEND FAIL" : "SEND OK");
    inject(held_);
    held_.clear();
    const std::vector<std::uint8_t> data = std::move(raw_);
    raw_.clear();
    if (!failed) on_data(data);
  }

  void run(const std::string& line) {
    if (line == "AT") return say("OK");
    if (line == "ATE0") {
      echo = false;
      return say("OK");
    }
    if (line == "AT+CSQ") return say("+CSQ: 23,99"), say("OK");
    if (line == "AT+CEREG?") return say("+CEREG: " + registration), say("OK");
    if (line == "AT+QICSGP=1,1,\"\",\"\",\"\",0" || line == "AT+QIACT=1") return say("OK");
    if (line == "AT+QICLOSE=0") {
      if (open) on_hang_up();
      open = false;
      return say("OK");
    }
    if (line.starts_with("AT+QIOPEN=")) return dial(line);
    if (line.starts_with("AT+QISEND=0,")) return send(line);
    say("ERROR");
  }

  void dial(const std::string& line) {
    constexpr std::string_view kStart = "AT+QIOPEN=1,0,\"TCP\",\"";
    const std::size_t quote = line.find('"', kStart.size());
    if (!line.starts_with(kStart) || quote == std::string::npos || !line.ends_with(",0,1")) return say("ERROR");
    say("OK");
    if (!dial_answers) return;
    const int error = on_dial(line.substr(kStart.size(), quote - kStart.size()), std::stoi(line.substr(quote + 2)));
    open = error == 0;
    say("+QIOPEN: 0," + std::to_string(error));
  }

  void send(const std::string& line) {
    const int size = std::stoi(line.substr(line.find(',') + 1));
    if (!open || size < 1 || size > 1460) return say("ERROR");
    inject("\r\n> ");
    raw_wanted_ = static_cast<std::size_t>(size);
  }

  std::deque<std::uint8_t> to_driver_;
  std::string line_;
  std::string held_;
  std::vector<std::uint8_t> raw_;
  std::size_t raw_wanted_ = 0;
};

}  // namespace mv::test
