// For tests: an ESP-AT module in memory that speaks docs/modem-dialect-esp-at.md, with a network that the test plays,
// and faults. It holds the driver to the pauses of the escape.
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

class TestEspModule final : public LinkPort {
 public:
  enum class Dial { kConnects, kRefused, kNoSuchName };

  explicit TestEspModule(Clock& clock) : clock_(clock) {}

  // The driver's end.
  std::size_t read(std::span<std::uint8_t> out) override {
    const std::size_t size = std::min({out.size(), to_driver_.size(), grain});
    std::copy_n(to_driver_.begin(), size, out.begin());
    to_driver_.erase(to_driver_.begin(), to_driver_.begin() + static_cast<std::ptrdiff_t>(size));
    return size;
  }
  std::size_t write(std::span<const std::uint8_t> bytes) override {
    const std::size_t size = blocked ? 0 : std::min(bytes.size(), grain);
    if (size > 0) end_burst();
    for (const std::uint8_t byte : bytes.first(size)) take(static_cast<char>(byte));
    return size;
  }

  // The network's end.
  std::function<Dial(const std::string& host, int port)> on_dial = [](const std::string&, int) {
    return Dial::kConnects;
  };

  void push(std::string_view bytes) {
    if (passes && !transparent) return inject(bytes);
    if (!transparent) inject("\r\n+IPD," + std::to_string(bytes.size()) + ":");
    inject(bytes);
  }
  void close() {
    open = false;
    inject("CLOSED\r\n");
  }
  void lose_wifi() {
    joined = false;
    inject("WIFI DISCONNECT\r\n");
    if (open) close();
  }
  void restart() {
    open = joined = transparent = passes = false;
    echo = true;
    line_.clear();
    plusses_ = burst_ = 0;
    inject("\xFF\x80rst:0x1 (POWERON_RESET)\r\n\r\nready\r\n");
  }
  void inject(std::string_view text) { to_driver_.insert(to_driver_.end(), text.begin(), text.end()); }

  // How it behaves.
  std::size_t grain = 4096;  // most bytes that one call of the driver moves
  std::string ssid = "home";
  std::string passphrase = "correct horse";
  int join_error = 0;  // with which each join fails
  bool mute = false;
  bool blocked = false;  // takes nothing: its flow control says so
  bool echo = true;
  int busy = 0;              // so many commands are answered with busy
  std::string mute_command;  // this one is never answered
  std::string unknown;       // commands that begin so are answered with ERROR

  // What it saw.
  std::vector<std::string> commands;
  std::string sent;  // data of the driver
  bool open = false;
  bool joined = false;
  bool passes = false;  // AT+CIPMODE=1
  bool transparent = false;
  bool hurried = false;  // a command came within a second after the escape

  long count(std::string_view begin) const {
    return std::count_if(commands.begin(), commands.end(), [&](const auto& c) { return c.starts_with(begin); });
  }

 private:
  static constexpr std::uint64_t kGuard = 20'000;
  static constexpr std::uint64_t kAfterEscape = 1'000'000;

  void say(std::string_view line) { inject("\r\n" + std::string(line) + "\r\n"); }

  // A burst is what comes without a pause.
  void end_burst() {
    const bool paused = clock_.uptime_us() >= last_us_ + kGuard;
    if (paused && transparent && plusses_ == 3 && burst_ == 3) {
      transparent = false;
      plusses_ = 0;
      line_.clear();
      hurried = hurried || clock_.uptime_us() < last_us_ + kAfterEscape;
    }
    if (paused) {
      pass_on(std::string(plusses_, '+'));
      plusses_ = burst_ = 0;
    }
    last_us_ = clock_.uptime_us();
  }

  void pass_on(const std::string& data) {
    if (open) sent += data;
  }

  void take(char byte) {
    if (mute) return;
    if (transparent) {
      if (byte == '+' && plusses_ == burst_ && burst_ < 3) {
        ++plusses_;
      } else {
        pass_on(std::string(plusses_, '+') + byte);
        plusses_ = 0;
      }
      ++burst_;
      return;
    }
    if (byte == '\r') return;
    if (byte != '\n') {
      line_ += byte;
      return;
    }
    std::string line;
    line.swap(line_);
    if (line.empty()) return;
    if (echo) inject(line + "\r\n");
    commands.push_back(line);
    if (busy > 0) return --busy, say("busy p...");
    if (line == mute_command) return;
    if (!unknown.empty() && line.starts_with(unknown)) return say("ERROR");
    run(line);
  }

  void run(const std::string& line) {
    if (line == "AT" || line == "AT+CWMODE=1" || line == "AT+CIPMUX=0" || line == "AT+SYSMSG=4" ||
        line == "AT+SYSSTORE=0" || line == "AT+TRANSINTVL=5" || line == "AT+CIPRECONNINTV=36000") {
      return say("OK");
    }
    if (line == "ATE0") return echo = false, say("OK");
    if (line == "AT+CIPMODE=0") return passes = false, say("OK");
    if (line == "AT+CIPMODE=1") return passes = open, say(open ? "OK" : "ERROR");
    if (line == "AT+CIPCLOSE") return hang_up();
    if (line.starts_with("AT+CWJAP=")) return join(line);
    if (line.starts_with("AT+CIPSTART=")) return dial(line);
    if (line != "AT+CIPSEND" || !passes) return say("ERROR");
    inject("\r\nOK\r\n\r\n>");
    transparent = true;
    plusses_ = burst_ = 0;
  }

  void hang_up() {
    if (!open) return say("ERROR");
    close();
    say("OK");
  }

  void join(const std::string& line) {
    if (joined) inject("WIFI DISCONNECT\r\n");
    joined = false;
    int error = join_error;
    if (!line.starts_with("AT+CWJAP=\"" + ssid + "\",")) {
      error = 3;
    } else if (line != "AT+CWJAP=\"" + ssid + "\",\"" + passphrase + "\",,,0") {
      error = 2;
    }
    if (error != 0) return inject("+CWJAP:" + std::to_string(error) + "\r\n"), say("ERROR");
    joined = true;
    inject("WIFI CONNECTED\r\nWIFI GOT IP\r\n");
    say("OK");
  }

  void dial(const std::string& line) {
    constexpr std::string_view kStart = "AT+CIPSTART=\"TCP\",\"";
    const std::size_t quote = line.find('"', kStart.size());
    if (!joined || !line.starts_with(kStart) || quote == std::string::npos) return say("ERROR");
    const Dial result = on_dial(line.substr(kStart.size(), quote - kStart.size()), std::stoi(line.substr(quote + 2)));
    open = result == Dial::kConnects;
    if (open) return inject("CONNECT\r\n"), say("OK");
    if (result == Dial::kNoSuchName) inject("DNS Fail\r\n");
    say("ERROR");
  }

  Clock& clock_;
  std::deque<std::uint8_t> to_driver_;
  std::string line_;
  std::uint64_t last_us_ = 0;
  std::size_t burst_ = 0;    // bytes since the last pause
  std::size_t plusses_ = 0;  // held back: they may be the escape
};

}  // namespace mv::test
