#include "core/link/esp_modem.h"

#include <algorithm>

#include "core/link/module_notice.h"

namespace mv::link {
namespace {

constexpr std::uint64_t kMillisecond = 1000;
constexpr std::uint64_t kSecond = 1000 * kMillisecond;

// docs/modem-dialect-esp-at.md gives each of them.
constexpr std::uint64_t kShortTimeout = 1 * kSecond;
constexpr std::uint64_t kJoinTimeout = 40 * kSecond;  // 15 s of its own, and an address
constexpr std::uint64_t kDialTimeout = 80 * kSecond;
constexpr std::uint64_t kCloseTimeout = 10 * kSecond;
constexpr std::uint64_t kPromptTimeout = 5 * kSecond;
constexpr std::uint64_t kAnnouncedTimeout = 5 * kSecond;
constexpr std::uint64_t kHushPause = 100 * kMillisecond;  // 20 ms are asked for, after the last byte has left the port
constexpr std::uint64_t kEscapePause = 1100 * kMillisecond;  // 1 s is asked for
constexpr std::uint64_t kAgain = 200 * kMillisecond;
constexpr std::uint64_t kGap = 20 * kMillisecond;       // within one of the module's words there is none as long
constexpr std::uint64_t kSilence = 500 * kMillisecond;  // after them there is one as long
constexpr std::uint64_t kStallTimeout = 60 * kSecond;
constexpr std::uint64_t kProbeAbsent = 5 * kSecond;
constexpr std::uint8_t kProbes = 3;
constexpr std::uint32_t kMaxAnnounced = 0xFFFF;

struct Setting {
  std::string_view command;
  bool required;  // else a module that does not know it is used as it is
};

constexpr std::array kSettings = {
    Setting{"AT+SYSSTORE=0\r\n", false},  // nothing of ours stays in its flash, the passphrase least of all
    Setting{"AT+CWMODE=1\r\n", true},
    Setting{"AT+CIPMUX=0\r\n", true},
    Setting{"AT+SYSMSG=4\r\n", false},      // in transparent mode it says that the connection or the Wi-Fi is lost
    Setting{"AT+TRANSINTVL=5\r\n", false},  // ms until it sends what has come
    Setting{"AT+CIPRECONNINTV=36000\r\n", false},  // 0.1 s: no connection anew behind our back for an hour
};

std::string_view describe_join_error(std::uint8_t error) {
  switch (error) {
    case 1:
      return "the Wi-Fi module could not join the network in time: check its coverage";
    case 2:
      return "the Wi-Fi network refuses the passphrase: provision the device with the right one";
    case 3:
      return "the Wi-Fi module does not find the network: check its name, and its coverage";
    default:
      return "the Wi-Fi module cannot join the network";
  }
}

std::string_view describe_notice(std::string_view notice) {
  if (notice == "CLOSED") return "the connection was closed";
  if (notice == "ready") return "the Wi-Fi module has restarted";
  if (notice.starts_with("WIFI")) return "the Wi-Fi network was lost";
  return "the Wi-Fi module left transparent mode";
}

// As the argument of a command (ESP-AT User Guide, "AT Command Types").
void add_escaped(TextWriter& out, std::string_view text, std::size_t most) {
  for (const char& byte : std::span(text).first(std::min(text.size(), most))) {
    if (byte == '"' || byte == ',' || byte == '\\') out.add("\\");
    out.add({&byte, 1});
  }
}

}  // namespace

void EspModem::on_connect() {
  probes_failed_ = 0;
  if (networks_.credentials().ssid.empty()) {
    lose("no Wi-Fi network is set: provision the device with --wifi-ssid");
  }
}

void EspModem::on_given_up() {
  hushed_ = left_ = dialled_ = passes_ = false;
  suspects_ = 0;
  notice_ = {};
  stalled_us_ = 0;
  send_size_ = send_done_ = 0;
}

void EspModem::forget() {
  hushed_ = transparent_ = left_ = joined_ = dialled_ = passes_ = false;
  set_up_ = 0;
  announced_left_ = 0;
}

Modem::Command EspModem::next_command() const {
  if (state_ == State::kOpen) return kNone;
  if (transparent_) return hushed_ ? kEscape : kHush;
  // A module that nobody wants to use is left alone.
  if (!answers_ && state_ != State::kConnecting) return kNone;
  if (!answers_) return kProbe;
  if (!echo_off_) return kEchoOff;
  if (must_close_) return left_ ? kClose : kLeave;
  if (state_ != State::kConnecting) return kNone;
  if (set_up_ < kSettings.size()) return kSetUp;
  if (!joined_) return kJoin;
  if (!dialled_) return kDial;
  return passes_ ? kTransmit : kPassThrough;
}

void EspModem::write_command(Command command, TextWriter& out) const {
  switch (command) {
    case kProbe:
      out.add("AT\r\n");
      break;
    case kEchoOff:
      out.add("ATE0\r\n");
      break;
    case kEscape:
      out.add("+++");
      break;
    case kLeave:
      out.add("AT+CIPMODE=0\r\n");
      break;
    case kClose:
      out.add("AT+CIPCLOSE\r\n");
      break;
    case kSetUp:
      out.add(kSettings[set_up_].command);
      break;
    case kJoin: {
      const WifiCredentials network = networks_.credentials();
      out.add("AT+CWJAP=\"");
      add_escaped(out, network.ssid, kMaxSsid);
      out.add("\",\"");
      add_escaped(out, network.passphrase, kMaxPassphrase);
      out.add("\",,,0\r\n");  // once: when it is lost, it is for us to join again
      break;
    }
    case kDial:
      out.add("AT+CIPSTART=\"TCP\",\"").add(host()).add("\",").add(tcp_port_).add("\r\n");
      break;
    case kPassThrough:
      out.add("AT+CIPMODE=1\r\n");
      break;
    case kTransmit:
      out.add("AT+CIPSEND\r\n");
      break;
    default:
      break;
  }
}

std::uint64_t EspModem::timeout_us(Command command) const {
  switch (command) {
    case kHush:
      return kHushPause;
    case kEscape:
      return kEscapePause;
    case kJoin:
      return kJoinTimeout;
    case kDial:
      return kDialTimeout;
    case kClose:
      return kCloseTimeout;
    case kTransmit:
      return kPromptTimeout;
    default:
      return kShortTimeout;
  }
}

void EspModem::on_begin(Command command) {
  if (command == kTransmit) transparent_ = true;
  if (command == kJoin) join_error_ = 0;
  if (command == kDial) name_unknown_ = false;
}

void EspModem::on_timeout(Command command) {
  if (command == kProbe) return on_probe_timeout();
  if (command != kHush && command != kEscape) return lose_modem("the Wi-Fi module stopped answering");
  command_ = kNone;
  hushed_ = command == kHush;
  if (command == kEscape) transparent_ = false;
}

// It may be passing on what we say, to whom it was told before we were reset: the escape comes next.
void EspModem::on_probe_timeout() {
  command_ = kNone;
  transparent_ = true;
  if (probes_failed_ < kProbes) ++probes_failed_;
  if (probes_failed_ < kProbes) return;
  not_before_us_ = now_us() + kProbeAbsent;
  lose("the Wi-Fi module does not answer: check its power and its wires");
}

bool EspModem::take_in() {
  if (state_ == State::kOpen) return take_through();
  return announced_left_ > 0 ? drop_announced() : take_lines(announced_left_);
}

// Neither the prompt nor the announcement of data has an end of line.
void EspModem::on_partial(std::string_view line) {
  if (line.starts_with("+IPD,") && line.ends_with(':')) return on_announced(line);
  if (command_ != kTransmit || line != ">") return;
  line_.clear();
  command_ = kNone;
  if (state_ != State::kConnecting) return;
  state_ = State::kOpen;
  send_size_ = send_done_ = 0;
  heard_us_ = now_us();
  look_for_notices();
}

// Data between two modes, of a connection that is being closed.
void EspModem::on_announced(std::string_view line) {
  LineParser parser(line);
  parser.take("+IPD,");
  const auto size = parser.number();
  line_.clear();
  if (!size || *size > kMaxAnnounced) return lose_modem("the Wi-Fi module announced data that cannot be");
  announced_left_ = *size;
  heard_us_ = now_us();
}

bool EspModem::drop_announced() {
  if (fill_input()) {
    const std::size_t size = std::min(input_end_ - input_at_, announced_left_);
    input_at_ += size;
    announced_left_ -= size;
    heard_us_ = now_us();
    return true;
  }
  if (now_us() < heard_us_ + kAnnouncedTimeout) return false;
  lose_modem("the Wi-Fi module announced data that never came");
  return true;
}

void EspModem::on_line(std::string_view line) {
  if (line.starts_with("AT") || on_event(line)) return;
  if (line == "OK") return on_answer(true);
  if (line == "ERROR" || line == "FAIL") return on_answer(false);
  if (line == "DNS Fail") name_unknown_ = true;
  LineParser parser(line);
  if (parser.take("+CWJAP:"))
    join_error_ = static_cast<std::uint8_t>(std::min<std::uint32_t>(parser.number().value_or(0), 0xFF));
}

// What the module says of itself. True if the line was that.
bool EspModem::on_event(std::string_view line) {
  if (line == "ready") {
    lose_modem("the Wi-Fi module has restarted");
    return true;
  }
  if (line == "WIFI DISCONNECT") {
    joined_ = false;
    // While it joins it may leave another network first.
    if (command_ != kJoin) lose("the Wi-Fi network was lost");
    return true;
  }
  if (line == "CLOSED") {
    if (dialled_) lose("the connection was closed");
    return true;
  }
  if (!line.starts_with("busy ")) return false;
  on_busy();
  return true;
}

// The command was thrown away, because one of before is not done yet.
void EspModem::on_busy() {
  if (command_ == kNone || command_ == kHush || command_ == kEscape) return;
  if (command_ == kTransmit) transparent_ = false;
  command_ = kNone;
  not_before_us_ = now_us() + kAgain;
}

void EspModem::on_answer(bool ok) {
  const Command command = command_;
  if (command == kHush || command == kEscape) return;
  // The prompt is still to come.
  if (command == kTransmit && ok) return;
  command_ = kNone;
  if (!ok) return on_refused(command);
  switch (command) {
    case kProbe:
      answers_ = true;
      probes_failed_ = 0;
      break;
    case kEchoOff:
      echo_off_ = true;
      break;
    case kLeave:
      left_ = true;
      break;
    case kClose:
      must_close_ = false;
      break;
    case kSetUp:
      ++set_up_;
      break;
    case kJoin:
      joined_ = true;
      break;
    case kDial:
      dialled_ = state_ == State::kConnecting;  // given up meanwhile: `must_close_` is set
      break;
    case kPassThrough:
      passes_ = true;
      break;
    default:
      break;
  }
}

void EspModem::on_refused(Command command) {
  switch (command) {
    case kProbe:
      not_before_us_ = now_us() + kAgain;  // it stood behind noise
      break;
    case kEchoOff:
      echo_off_ = true;
      break;
    case kLeave:
      left_ = true;
      break;
    case kClose:
      must_close_ = false;  // nothing was open
      break;
    case kSetUp:
      if (kSettings[set_up_].required) return lose("the Wi-Fi module refuses its settings: is its firmware ESP-AT?");
      ++set_up_;
      break;
    case kJoin:
      return lose(describe_join_error(join_error_));
    case kDial:
      return lose(name_unknown_
                      ? "the Wi-Fi module cannot resolve the cloud's host name: check it, and the network's DNS"
                      : "the Wi-Fi module cannot connect to the cloud: is mvcloud running, and its port reachable?");
    case kPassThrough:
    case kTransmit:
      transparent_ = false;
      return lose("the Wi-Fi module refuses transparent mode");
    default:
      break;
  }
}

// Transparent mode.

bool EspModem::take_through() {
  if (input_at_ > 0) {
    std::copy(input_.begin() + static_cast<std::ptrdiff_t>(input_at_),
              input_.begin() + static_cast<std::ptrdiff_t>(input_end_), input_.begin());
    input_end_ -= input_at_;
    input_at_ = 0;
  }
  const std::size_t size = port_.read(std::span(input_).subspan(input_end_));
  if (size == 0) return false;
  input_end_ += size;
  heard_us_ = now_us();
  look_for_notices();
  return true;
}

void EspModem::look_for_notices() {
  const NoticeSuffix found = find_notices(std::span(input_).subspan(input_at_, input_end_ - input_at_));
  suspects_ = found.size;
  notice_ = found.first;
}

std::size_t EspModem::read(std::span<std::uint8_t> out) {
  std::size_t total = 0;
  while (state_ == State::kOpen && total < out.size()) {
    if (readable() == 0 && !take_through()) break;
    const std::size_t size = std::min(readable(), out.size() - total);
    std::copy_n(input_.begin() + static_cast<std::ptrdiff_t>(input_at_), size,
                out.begin() + static_cast<std::ptrdiff_t>(total));
    input_at_ += size;
    total += size;
  }
  return total;
}

std::size_t EspModem::write(std::span<const std::uint8_t> bytes) {
  if (state_ != State::kOpen) return 0;
  const std::size_t count = std::min(bytes.size(), send_.size() - send_size_);
  std::copy_n(bytes.begin(), count, send_.begin() + static_cast<std::ptrdiff_t>(send_size_));
  send_size_ += count;
  return count;
}

bool EspModem::push_data() {
  const bool waits = hold_ && send_done_ == 0 && send_size_ < kMaxPush;
  if (state_ != State::kOpen || unsent() == 0 || waits) return false;
  const std::size_t sent = port_.write(std::span(send_).subspan(send_done_, unsent()));
  send_done_ += sent;
  if (send_done_ == send_size_) send_size_ = send_done_ = 0;
  if (sent > 0) {
    stalled_us_ = 0;
  } else if (stalled_us_ == 0) {
    stalled_us_ = now_us();
  }
  return sent > 0;
}

bool EspModem::expire_others() {
  if (state_ != State::kOpen) return false;
  if (stalled_us_ != 0 && now_us() >= stalled_us_ + kStallTimeout) {
    lose_modem("the Wi-Fi module takes no more data");
    return true;
  }
  return suspects_ > 0 && judge_silence();
}

// What came before the module's words is read first. They are left in the input, to be understood as lines.
bool EspModem::judge_silence() {
  if (notice_.empty()) {
    if (now_us() < heard_us_ + kGap) return false;
    suspects_ = 0;  // no more of it came: data
    return true;
  }
  const bool no_more_fits = suspects_ == input_.size();
  if (readable() > 0 || (now_us() < heard_us_ + kSilence && !no_more_fits)) return false;
  lose(describe_notice(notice_));
  return true;
}

std::uint64_t EspModem::other_deadline_us() const {
  if (state_ != State::kOpen) return announced_left_ > 0 ? heard_us_ + kAnnouncedTimeout : kNever;
  std::uint64_t deadline = stalled_us_ != 0 ? stalled_us_ + kStallTimeout : kNever;
  if (suspects_ > 0 && notice_.empty()) deadline = std::min(deadline, heard_us_ + kGap);
  if (suspects_ > 0 && !notice_.empty() && readable() == 0) deadline = std::min(deadline, heard_us_ + kSilence);
  return deadline;
}

}  // namespace mv::link
