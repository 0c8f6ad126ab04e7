#include "core/link/modem.h"

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

bool printable_host(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '"'; });
}

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

// Appends to a text of bounded size; what does not fit is left out, which no caller's text reaches.
class TextWriter {
 public:
  explicit TextWriter(std::span<char> out) : out_(out) {}
  TextWriter& add(std::string_view text) {
    const std::size_t count = std::min(text.size(), out_.size() - size_);
    std::copy_n(text.begin(), count, out_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += count;
    return *this;
  }
  TextWriter& add(std::uint32_t number) {
    std::array<char, 10> digits{};
    std::size_t at = digits.size();
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return add({digits.data() + at, digits.size() - at});
  }
  std::string_view text() const { return {out_.data(), size_}; }

 private:
  std::span<char> out_;
  std::size_t size_ = 0;
};

}  // namespace

void Modem::connect(std::string_view host, std::uint16_t tcp_port) {
  disconnect();
  if (host.empty() || host.size() > kMaxHost || !printable_host(host)) {
    state_ = State::kFailed;
    error_ = "the cloud's host name cannot be given to the modem: provision the device with a shorter one";
    return;
  }
  std::copy(host.begin(), host.end(), host_.begin());
  host_size_ = host.size();
  tcp_port_ = tcp_port;
  state_ = State::kConnecting;
  registration_deadline_us_ = clock_.uptime_us() + kRegistrationTimeout;
  probes_failed_ = 0;
  not_before_us_ = 0;
}

void Modem::disconnect() {
  if (state_ == State::kOpen || state_ == State::kConnecting) must_close_ = true;
  state_ = State::kIdle;
  error_ = {};
  dialling_ = false;
  if (command_ != Command::kSend) send_size_ = 0;
}

// Knowledge decides: whatever is missing for what is wanted comes next.
Modem::Command Modem::next_command() const {
  // A modem that nobody wants to use is left alone.
  if (!answers_) return state_ == State::kIdle ? Command::kNone : Command::kProbe;
  if (!echo_off_) return Command::kEchoOff;
  if (must_close_) return Command::kClose;
  const bool signal_due = clock_.uptime_us() >= signal_due_us_;
  if (state_ == State::kConnecting) {
    if (signal_due && !dialling_) return Command::kSignal;
    if (!registered_) return Command::kRegistration;
    if (!context_set_) return Command::kContext;
    if (!active_) return Command::kActivate;
    return dialling_ ? Command::kNone : Command::kOpen;
  }
  const bool may_send = send_size_ == kMaxPush || (send_size_ > 0 && !hold_);
  if (state_ == State::kOpen && may_send) return Command::kSend;
  if (state_ == State::kOpen && signal_due) return Command::kSignal;
  return Command::kNone;
}

std::string_view Modem::command_text(Command command) {
  TextWriter out(text_);
  switch (command) {
    case Command::kNone:
      break;
    case Command::kProbe:
      return "AT\r";
    case Command::kEchoOff:
      return "ATE0\r";
    case Command::kSignal:
      return "AT+CSQ\r";
    case Command::kRegistration:
      return "AT+CEREG?\r";
    case Command::kContext:
      return "AT+QICSGP=1,1,\"\",\"\",\"\",0\r";
    case Command::kActivate:
      return "AT+QIACT=1\r";
    case Command::kClose:
      return "AT+QICLOSE=0\r";
    case Command::kOpen:
      out.add("AT+QIOPEN=1,0,\"TCP\",\"").add({host_.data(), host_size_}).add("\",").add(tcp_port_).add(",0,1\r");
      break;
    case Command::kSend:
      out.add("AT+QISEND=0,").add(static_cast<std::uint32_t>(send_size_)).add("\r");
      break;
  }
  return out.text();
}

namespace {

template <typename Command>
std::uint64_t timeout_of(Command command) {
  switch (command) {
    case Command::kActivate:
      return kActivateTimeout;
    case Command::kOpen:
      return kOpenTimeout;
    case Command::kSend:
      return kPromptTimeout;
    case Command::kClose:
      return kCloseTimeout;
    default:
      return kShortTimeout;
  }
}

}  // namespace

void Modem::begin(Command command) {
  const std::string_view text = command_text(command);
  if (text.data() != text_.data()) std::copy(text.begin(), text.end(), text_.begin());
  text_size_ = text.size();
  text_sent_ = 0;
  command_ = command;
  command_deadline_us_ = clock_.uptime_us() + timeout_of(command);
  if (command == Command::kProbe && probes_failed_ > 0) filler_left_ = kMaxPush;
  if (command == Command::kSignal) signal_due_us_ = clock_.uptime_us() + kSignalEvery;
  if (command != Command::kSend) return;
  sending_ = send_size_;
  raw_sent_ = 0;
  prompted_ = false;
}

bool Modem::poll() {
  bool progress = take_in();
  progress |= expire();
  if (command_ == Command::kNone && clock_.uptime_us() >= not_before_us_) {
    const Command next = next_command();
    if (next != Command::kNone) {
      begin(next);
      progress = true;
    }
  }
  progress |= push_out();
  return progress;
}

bool Modem::push_out() {
  if (filler_left_ > 0) return push_filler();
  if (text_sent_ < text_size_) {
    const std::span all(reinterpret_cast<const std::uint8_t*>(text_.data()), text_size_);
    const std::size_t sent = port_.write(all.subspan(text_sent_));
    text_sent_ += sent;
    return sent > 0;
  }
  if (command_ != Command::kSend || !prompted_ || raw_sent_ == sending_) return false;
  const std::size_t sent = port_.write(std::span(send_).subspan(raw_sent_, sending_ - raw_sent_));
  raw_sent_ += sent;
  return sent > 0;
}

// Ends of lines: empty commands, or the bytes that a send of before still owes.
bool Modem::push_filler() {
  std::array<std::uint8_t, 64> ends;
  ends.fill('\r');
  const std::size_t sent = port_.write(std::span(ends).first(std::min(ends.size(), filler_left_)));
  filler_left_ -= sent;
  return sent > 0;
}

bool Modem::fill_input() {
  if (input_at_ < input_end_) return true;
  input_at_ = 0;
  input_end_ = port_.read(input_);
  return input_end_ > 0;
}

// Looks at what was taken from the port, up to the next raw bytes: those are the reader's.
bool Modem::take_in() {
  if (raw_left_ > 0) return state_ == State::kOpen ? await_raw() : drop_raw();
  if (!fill_input()) return false;
  while (input_at_ < input_end_ && raw_left_ == 0) on_byte(input_[input_at_++]);
  return true;
}

void Modem::on_byte(std::uint8_t byte) {
  if (const auto line = line_.push(byte)) return on_line(*line);
  // The prompt has no end of line, so it is known by its two bytes at the beginning of one.
  if (command_ != Command::kSend || prompted_ || line_.partial() != "> ") return;
  line_.clear();
  prompted_ = true;
  command_deadline_us_ = clock_.uptime_us() + kSendTimeout;
}

void Modem::on_line(std::string_view line) {
  if (line.starts_with("AT") || on_event(line)) return;
  if (line == "OK") return on_answer(Answer::kOk);
  if (line == "ERROR" || line.starts_with("+CME ERROR:")) return on_answer(Answer::kError);
  if (line == "SEND OK") return on_answer(Answer::kSendOk);
  if (line == "SEND FAIL") return on_answer(Answer::kSendFail);
  LineParser parser(line);
  if (command_ == Command::kRegistration && parser.take("+CEREG: ") && parser.number() && parser.take(",")) {
    const auto status = parser.number();
    registered_ = status == 1U || status == 5U;  // home network or roaming (3GPP TS 27.007 section 10.1.22)
  } else if (command_ == Command::kSignal && parser.take("+CSQ: ")) {
    signal_ = static_cast<std::uint8_t>(std::min<std::uint32_t>(parser.number().value_or(kNoSignal), kNoSignal));
  }
}

// What the modem says of itself. True if the line was that.
bool Modem::on_event(std::string_view line) {
  if (line == "RDY") {
    lose_modem("the modem has restarted");
    return true;
  }
  if (line == "NO CARRIER" || line == "+QIURC: \"closed\",0") {
    lose("the connection was closed");
    must_close_ = true;
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

void Modem::on_received(std::string_view line) {
  LineParser parser(line);
  if (!parser.take("+QIURC: \"recv\",0,")) return;
  const auto size = parser.number();
  if (!size || !parser.done() || *size > kMaxPush) return lose_modem("the modem announced data that cannot be");
  raw_left_ = *size;
  raw_deadline_us_ = clock_.uptime_us() + kRawTimeout;
}

void Modem::on_opened(std::uint32_t error) {
  dialling_ = false;
  if (error != 0) return lose_network(describe_open_error(error));
  state_ = State::kOpen;
  send_size_ = 0;
  signal_due_us_ = clock_.uptime_us() + kSignalEvery;
}

void Modem::on_answer(Answer answer) {
  const bool of_send = answer == Answer::kSendOk || answer == Answer::kSendFail;
  // One that the open command cannot have is a late one, of a command that timed out.
  if (of_send && (command_ != Command::kSend || !prompted_)) return;
  if (command_ == Command::kNone || (command_ == Command::kSend && answer == Answer::kOk)) return;
  const Command command = command_;
  command_ = Command::kNone;
  const bool ok = answer == Answer::kOk;
  switch (command) {
    case Command::kNone:
      break;
    case Command::kProbe:
      answers_ = true;
      probes_failed_ = 0;
      break;
    case Command::kEchoOff:
      echo_off_ = true;
      break;
    case Command::kSignal:
      break;
    case Command::kRegistration:
      return on_registration();
    case Command::kContext:
      context_set_ = true;
      break;
    case Command::kActivate:
      active_ = true;  // an error may mean that it was active already: the dialling will tell
      break;
    case Command::kClose:
      must_close_ = false;
      break;
    case Command::kOpen:
      if (!ok) return lose_network("the modem refuses to dial");
      if (state_ != State::kConnecting) break;  // given up meanwhile: `must_close_` is set
      dialling_ = true;
      dial_deadline_us_ = clock_.uptime_us() + kDialTimeout;
      break;
    case Command::kSend:
      return on_sent(answer);
  }
}

void Modem::on_registration() {
  if (registered_) return;
  const std::uint64_t now = clock_.uptime_us();
  not_before_us_ = now + kRegistrationAgain;
  if (state_ == State::kConnecting && now >= registration_deadline_us_) {
    lose("the modem finds no network: check antenna, SIM and coverage");
  }
}

void Modem::on_sent(Answer answer) {
  if (answer == Answer::kError) {
    must_close_ = true;
    return lose("the modem says that the connection is gone");
  }
  if (answer == Answer::kSendFail) {
    not_before_us_ = clock_.uptime_us() + kSendAgain;
    return;
  }
  send_size_ = 0;
}

bool Modem::expire() {
  const std::uint64_t now = clock_.uptime_us();
  if (command_ != Command::kNone && now >= command_deadline_us_) {
    on_timeout();
    return true;
  }
  if (dialling_ && now >= dial_deadline_us_) {
    lose_network("the connection to the cloud timed out");
    return true;
  }
  return false;
}

void Modem::on_timeout() {
  if (command_ == Command::kProbe) return on_probe_timeout();
  lose_modem("the modem stopped answering");
}

void Modem::on_probe_timeout() {
  command_ = Command::kNone;
  if (probes_failed_ < kProbes) ++probes_failed_;
  if (probes_failed_ < kProbes) return;
  not_before_us_ = clock_.uptime_us() + kProbeAbsent;
  lose("the modem does not answer: check its power and its wires");
}

void Modem::lose(std::string_view why) {
  if (state_ != State::kOpen && state_ != State::kConnecting) return;
  state_ = state_ == State::kOpen ? State::kEnded : State::kFailed;
  error_ = why;
  dialling_ = false;
  if (command_ != Command::kSend) send_size_ = 0;
}

void Modem::lose_network(std::string_view why) {
  registered_ = false;
  active_ = false;
  must_close_ = true;
  lose(why);
}

// Nothing is known of the modem any more: begins with `AT` again.
void Modem::lose_modem(std::string_view why) {
  answers_ = false;
  echo_off_ = false;
  context_set_ = false;
  signal_ = kNoSignal;
  command_ = Command::kNone;
  text_size_ = text_sent_ = 0;
  filler_left_ = 0;
  raw_left_ = 0;
  line_.clear();
  // A modem that has just been lost while connecting is tried again within the same attempt; `RDY` is how one begins.
  const bool dialled = dialling_;
  registered_ = active_ = dialling_ = false;
  must_close_ = true;
  if (state_ == State::kOpen || dialled) lose(why);
  send_size_ = 0;
}

std::size_t Modem::take_raw(std::span<std::uint8_t> out) {
  const std::size_t want = std::min(out.size(), raw_left_);
  std::size_t taken = std::min(want, input_end_ - input_at_);
  std::copy_n(input_.begin() + static_cast<std::ptrdiff_t>(input_at_), taken, out.begin());
  input_at_ += taken;
  if (taken < want) taken += port_.read(out.subspan(taken, want - taken));
  raw_left_ -= taken;
  if (taken > 0) raw_deadline_us_ = clock_.uptime_us() + kRawTimeout;
  return taken;
}

std::size_t Modem::read(std::span<std::uint8_t> out) {
  return state_ == State::kOpen && raw_left_ > 0 ? take_raw(out) : 0;
}

// A reader that takes its time is no reason to give up: only a port with nothing in it is.
bool Modem::await_raw() {
  if (input_at_ < input_end_) return false;
  if (fill_input()) return true;
  if (clock_.uptime_us() < raw_deadline_us_) return false;
  lose_modem("the modem announced data that never came");
  return true;
}

// Nobody wants these any more.
bool Modem::drop_raw() {
  std::array<std::uint8_t, 64> unwanted;
  if (take_raw(unwanted) > 0) return true;
  if (clock_.uptime_us() < raw_deadline_us_) return false;
  lose_modem("the modem announced data that never came");
  return true;
}

std::size_t Modem::write(std::span<const std::uint8_t> bytes) {
  if (state_ != State::kOpen || command_ == Command::kSend) return 0;
  const std::size_t count = std::min(bytes.size(), send_.size() - send_size_);
  std::copy_n(bytes.begin(), count, send_.begin() + static_cast<std::ptrdiff_t>(send_size_));
  send_size_ += count;
  return count;
}

std::uint64_t Modem::next_deadline_us() const {
  std::uint64_t deadline = kNever;
  if (command_ != Command::kNone) deadline = command_deadline_us_;
  if (dialling_) deadline = std::min(deadline, dial_deadline_us_);
  if (raw_left_ > 0 && input_at_ == input_end_) deadline = std::min(deadline, raw_deadline_us_);
  if (command_ != Command::kNone) return deadline;
  if (next_command() != Command::kNone) return std::min(deadline, not_before_us_);
  if (state_ == State::kOpen) deadline = std::min(deadline, signal_due_us_);
  return deadline;
}

}  // namespace mv::link
