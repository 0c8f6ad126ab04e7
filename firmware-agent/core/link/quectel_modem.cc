#include "core/link/quectel_modem.h"

#include <algorithm>

namespace mv::link {
namespace {

constexpr std::uint64_t kMillisecond = 1000;
constexpr std::uint64_t kSecond = 1000 * kMillisecond;

// docs/modem-dialect.md gives each of them.
constexpr std::uint64_t kShortTimeout = 1 * kSecond;
constexpr std::uint64_t kActivateTimeout = 150 * kSecond;
constexpr std::uint64_t kOpenTimeout = 5 * kSecond;
constexpr std::uint64_t kDialTimeout = 150 * kSecond;
constexpr std::uint64_t kCloseTimeout = 10 * kSecond;
constexpr std::uint64_t kPromptTimeout = 5 * kSecond;
constexpr std::uint64_t kSendTimeout = 15 * kSecond;
constexpr std::uint64_t kRawTimeout = 5 * kSecond;
constexpr std::uint64_t kSendAgain = 200 * kMillisecond;
constexpr std::uint64_t kRegistrationAgain = 1 * kSecond;
constexpr std::uint64_t kRegistrationTimeout = 60 * kSecond;
constexpr std::uint64_t kProbeAbsent = 5 * kSecond;
constexpr std::uint64_t kSignalEvery = 60 * kSecond;
constexpr std::uint8_t kProbes = 3;

std::string_view describe_open_error(std::uint32_t error) {
  switch (error) {
    case 561:
    case 562:
      return "the modem cannot open its data context: check SIM, APN and coverage";
    case 563:
      return "the modem says that its connection is in use already";
    case 565:
      return "the modem cannot resolve the cloud's host name: check it, and the network's DNS";
    case 566:
      return "the modem cannot connect to the cloud: is mvcloud running, and its port reachable?";
    case 567:
      return "the cloud closed the connection at once";
    case 569:
      return "the connection to the cloud timed out";
    default:
      return "the modem cannot open the connection";
  }
}

}  // namespace

void QuectelModem::on_connect() {
  registration_deadline_us_ = now_us() + kRegistrationTimeout;
  probes_failed_ = 0;
}

void QuectelModem::on_given_up() {
  dialling_ = false;
  if (command_ != kSend) send_size_ = 0;
}

Modem::Command QuectelModem::next_command() const {
  // A modem that nobody wants to use is left alone.
  if (!answers_ && state_ == State::kIdle) return kNone;
  if (!answers_) return probes_failed_ > 0 && !flushed_ ? kFlush : kProbe;
  if (!echo_off_) return kEchoOff;
  if (must_close_) return kClose;
  const bool signal_due = now_us() >= signal_due_us_;
  if (state_ == State::kConnecting) {
    if (signal_due && !dialling_) return kSignal;
    if (!registered_) return kRegistration;
    if (!context_set_) return kContext;
    if (!active_) return kActivate;
    if (!dialling_) return kOpen;
    return kNone;
  }
  const bool may_send = send_size_ == kMaxPush || (send_size_ > 0 && !hold_);
  if (state_ == State::kOpen && may_send) return kSend;
  if (state_ == State::kOpen && signal_due) return kSignal;
  return kNone;
}

void QuectelModem::write_command(Command command, TextWriter& out) const {
  switch (command) {
    case kProbe:
      out.add("AT\r");
      break;
    case kEchoOff:
      out.add("ATE0\r");
      break;
    case kSignal:
      out.add("AT+CSQ\r");
      break;
    case kRegistration:
      out.add("AT+CEREG?\r");
      break;
    case kContext:
      out.add("AT+QICSGP=1,1,\"\",\"\",\"\",0\r");
      break;
    case kActivate:
      out.add("AT+QIACT=1\r");
      break;
    case kClose:
      out.add("AT+QICLOSE=0\r");
      break;
    case kOpen:
      out.add("AT+QIOPEN=1,0,\"TCP\",\"").add(host()).add("\",").add(tcp_port_).add(",0,1\r");
      break;
    case kSend:
      out.add("AT+QISEND=0,").add(static_cast<std::uint32_t>(send_size_)).add("\r");
      break;
    default:
      break;
  }
}

std::uint64_t QuectelModem::timeout_us(Command command) const {
  switch (command) {
    case kActivate:
      return kActivateTimeout;
    case kOpen:
      return kOpenTimeout;
    case kSend:
      return kPromptTimeout;
    case kClose:
      return kCloseTimeout;
    default:
      return kShortTimeout;
  }
}

void QuectelModem::on_begin(Command command) {
  if (command == kFlush) filler_left_ = kMaxPush;
  if (command == kSignal) signal_due_us_ = now_us() + kSignalEvery;
  if (command != kSend) return;
  sending_ = send_size_;
  raw_sent_ = 0;
  prompted_ = false;
}

bool QuectelModem::push_data() {
  if (command_ == kFlush) return push_filler();
  if (command_ != kSend || !prompted_ || raw_sent_ == sending_) return false;
  const std::size_t sent = port_.write(std::span(send_).subspan(raw_sent_, sending_ - raw_sent_));
  raw_sent_ += sent;
  return sent > 0;
}

// Ends of lines: empty commands, or the bytes that a send of before still owes.
bool QuectelModem::push_filler() {
  std::array<std::uint8_t, 64> ends;
  ends.fill('\r');
  const std::size_t sent = port_.write(std::span(ends).first(std::min(ends.size(), filler_left_)));
  filler_left_ -= sent;
  flushed_ = filler_left_ == 0;
  if (flushed_) command_ = kNone;
  return sent > 0;
}

// Up to the next raw bytes: those are the reader's.
bool QuectelModem::take_in() {
  if (raw_left_ > 0) return state_ == State::kOpen ? await_raw() : drop_raw();
  return take_lines(raw_left_);
}

// The prompt has no end of line, so it is known by its two bytes at the beginning of one.
void QuectelModem::on_partial(std::string_view line) {
  if (command_ != kSend || prompted_ || line != "> ") return;
  line_.clear();
  prompted_ = true;
  command_deadline_us_ = now_us() + kSendTimeout;
}

void QuectelModem::on_line(std::string_view line) {
  if (line.starts_with("AT") || on_event(line)) return;
  if (line == "OK") return on_answer(Answer::kOk);
  if (line == "ERROR" || line.starts_with("+CME ERROR:")) return on_answer(Answer::kError);
  if (line == "SEND OK") return on_answer(Answer::kSendOk);
  if (line == "SEND FAIL") return on_answer(Answer::kSendFail);
  LineParser parser(line);
  if (command_ == kRegistration && parser.take("+CEREG: ") && parser.number() && parser.take(",")) {
    const auto status = parser.number();
    registered_ = status == 1U || status == 5U;  // home network or roaming (3GPP TS 27.007 section 10.1.22)
  } else if (command_ == kSignal && parser.take("+CSQ: ")) {
    signal_ = static_cast<std::uint8_t>(std::min<std::uint32_t>(parser.number().value_or(kNoSignal), kNoSignal));
  }
}

// What the modem says of itself. True if the line was that.
bool QuectelModem::on_event(std::string_view line) {
  if (line == "RDY") {
    lose_modem("the modem has restarted");
    return true;
  }
  if (line == "NO CARRIER" || line == "+QIURC: \"closed\",0") {
    must_close_ = true;
    ringing_ = false;
    lose("the connection was closed");
    return true;
  }
  if (line.starts_with("+QIURC: \"incoming\",0,")) {
    on_incoming();
    return true;
  }
  if (line.starts_with("+QIURC: \"pdpdeact\",")) {
    lose_network("the network took the modem's data context away");
    return true;
  }
  if (line.starts_with("+QIURC: \"recv\",")) {
    on_received(line);
    return true;
  }
  LineParser parser(line);
  if (!parser.take("+QIOPEN: 0,")) return false;
  if (const auto error = parser.number(); error && dialling_) on_opened(*error);
  return true;
}

void QuectelModem::on_received(std::string_view line) {
  LineParser parser(line);
  if (!parser.take("+QIURC: \"recv\",0,")) return;
  const auto size = parser.number();
  if (!size || !parser.done() || *size > kMaxPush) return lose_modem("the modem announced data that cannot be");
  raw_left_ = *size;
  raw_deadline_us_ = now_us() + kRawTimeout;
}

// Connection 0 is the caller's from here on. A close or a send that is under way was meant for another one, and may
// yet reach the caller's: such a call is left alone, and the caller tries again.
void QuectelModem::on_incoming() {
  if (command_ == kClose || command_ == kSend) return;
  if (state_ == State::kOpen) lose("somebody else called");
  must_close_ = false;
  ringing_ = true;
}

void QuectelModem::on_opened(std::uint32_t error) {
  dialling_ = false;
  if (error != 0) return lose_network(describe_open_error(error));
  state_ = State::kOpen;
  send_size_ = 0;
  signal_due_us_ = now_us() + kSignalEvery;
}

void QuectelModem::on_answer(Answer answer) {
  const bool of_send = answer == Answer::kSendOk || answer == Answer::kSendFail;
  // One that the open command cannot have is a late one, of a command that timed out.
  if (of_send && (command_ != kSend || !prompted_)) return;
  if (command_ == kNone || command_ == kFlush || (command_ == kSend && answer == Answer::kOk)) return;
  const Command command = command_;
  command_ = kNone;
  const bool ok = answer == Answer::kOk;
  switch (command) {
    case kProbe:
      answers_ = true;
      probes_failed_ = 0;
      break;
    case kEchoOff:
      echo_off_ = true;
      break;
    case kRegistration:
      return on_registration();
    case kContext:
      context_set_ = true;
      break;
    case kActivate:
      active_ = true;  // an error may mean that it was active already: the dialling will tell
      break;
    case kClose:
      must_close_ = false;
      break;
    case kOpen:
      if (!ok) return lose_network("the modem refuses to dial");
      if (state_ != State::kConnecting) break;  // given up meanwhile: `must_close_` is set
      dialling_ = true;
      dial_deadline_us_ = now_us() + kDialTimeout;
      break;
    case kSend:
      return on_sent(answer);
    default:
      break;
  }
}

void QuectelModem::on_registration() {
  if (registered_) return;
  const std::uint64_t now = now_us();
  not_before_us_ = now + kRegistrationAgain;
  if (state_ == State::kConnecting && now >= registration_deadline_us_) {
    lose("the modem finds no network: check antenna, SIM and coverage");
  }
}

void QuectelModem::on_sent(Answer answer) {
  if (answer == Answer::kError) {
    must_close_ = true;
    return lose("the modem says that the connection is gone");
  }
  if (answer == Answer::kSendFail) {
    not_before_us_ = now_us() + kSendAgain;
    return;
  }
  send_size_ = 0;
}

bool QuectelModem::expire_others() {
  if (!dialling_ || now_us() < dial_deadline_us_) return false;
  lose_network("the connection to the cloud timed out");
  return true;
}

void QuectelModem::on_timeout(Command command) {
  if (command == kProbe || command == kFlush) return on_probe_timeout();
  lose_modem("the modem stopped answering");
}

void QuectelModem::on_probe_timeout() {
  command_ = kNone;
  flushed_ = false;
  if (probes_failed_ < kProbes) ++probes_failed_;
  if (probes_failed_ < kProbes) return;
  not_before_us_ = now_us() + kProbeAbsent;
  lose("the modem does not answer: check its power and its wires");
}

void QuectelModem::lose_network(std::string_view why) {
  registered_ = false;
  active_ = false;
  must_close_ = true;
  lose(why);
}

void QuectelModem::forget() {
  registered_ = context_set_ = active_ = dialling_ = false;
  flushed_ = false;
  filler_left_ = 0;
  raw_left_ = 0;
}

std::size_t QuectelModem::take_raw(std::span<std::uint8_t> out) {
  const std::size_t want = std::min(out.size(), raw_left_);
  std::size_t taken = std::min(want, input_end_ - input_at_);
  std::copy_n(input_.begin() + static_cast<std::ptrdiff_t>(input_at_), taken, out.begin());
  input_at_ += taken;
  if (taken < want) taken += port_.read(out.subspan(taken, want - taken));
  raw_left_ -= taken;
  if (taken > 0) raw_deadline_us_ = now_us() + kRawTimeout;
  return taken;
}

std::size_t QuectelModem::read(std::span<std::uint8_t> out) {
  return state_ == State::kOpen && raw_left_ > 0 ? take_raw(out) : 0;
}

// A reader that takes its time is no reason to give up: only a port with nothing in it is.
bool QuectelModem::await_raw() {
  if (input_at_ < input_end_) return false;
  if (fill_input()) return true;
  if (now_us() < raw_deadline_us_) return false;
  lose_modem("the modem announced data that never came");
  return true;
}

// Nobody wants these any more.
bool QuectelModem::drop_raw() {
  std::array<std::uint8_t, 64> unwanted;
  if (take_raw(unwanted) > 0) return true;
  if (now_us() < raw_deadline_us_) return false;
  lose_modem("the modem announced data that never came");
  return true;
}

std::size_t QuectelModem::write(std::span<const std::uint8_t> bytes) {
  if (state_ != State::kOpen || command_ == kSend) return 0;
  const std::size_t count = std::min(bytes.size(), send_.size() - send_size_);
  std::copy_n(bytes.begin(), count, send_.begin() + static_cast<std::ptrdiff_t>(send_size_));
  send_size_ += count;
  return count;
}

std::uint64_t QuectelModem::other_deadline_us() const {
  std::uint64_t deadline = dialling_ ? dial_deadline_us_ : kNever;
  if (raw_left_ > 0 && input_at_ == input_end_) deadline = std::min(deadline, raw_deadline_us_);
  if (state_ == State::kOpen && next_command() == kNone) deadline = std::min(deadline, signal_due_us_);
  return deadline;
}

}  // namespace mv::link
