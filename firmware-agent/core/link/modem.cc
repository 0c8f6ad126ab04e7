#include "core/link/modem.h"

#include <algorithm>

namespace mv::link {
namespace {

bool fits_a_command(std::string_view host) {
  return std::all_of(host.begin(), host.end(),
                     [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != ',' && c != '\\'; });
}

}  // namespace

void Modem::connect(std::string_view host, std::uint16_t tcp_port) {
  disconnect();
  if (host.empty() || host.size() > kMaxHost || !fits_a_command(host)) {
    state_ = State::kFailed;
    error_ = "the cloud's host name cannot be given to the modem: provision the device with a shorter one";
    return;
  }
  std::copy(host.begin(), host.end(), host_.begin());
  host_size_ = host.size();
  tcp_port_ = tcp_port;
  state_ = State::kConnecting;
  not_before_us_ = 0;
  on_connect();
}

void Modem::disconnect() {
  const bool any = state_ == State::kOpen || state_ == State::kConnecting;
  state_ = State::kIdle;
  error_ = {};
  if (!any) return;
  must_close_ = true;
  on_given_up();
}

void Modem::take_call() {
  disconnect();
  must_close_ = false;  // what it holds is the caller's
  ringing_ = false;
  state_ = State::kOpen;
}

void Modem::begin(Command command) {
  TextWriter out(text_);
  write_command(command, out);
  text_size_ = out.size();
  text_sent_ = 0;
  command_ = command;
  command_deadline_us_ = now_us() + timeout_us(command);
  on_begin(command);
}

bool Modem::poll() {
  bool progress = take_in();
  progress |= expire();
  if (command_ == kNone && now_us() >= not_before_us_) {
    const Command next = next_command();
    if (next != kNone) {
      begin(next);
      progress = true;
    }
  }
  if (text_sent_ < text_size_) return push_text() || progress;
  return push_data() || progress;
}

bool Modem::push_text() {
  const std::span all(reinterpret_cast<const std::uint8_t*>(text_.data()), text_size_);
  const std::size_t sent = port_.write(all.subspan(text_sent_));
  text_sent_ += sent;
  // A command may have held a secret.
  if (text_sent_ == text_size_) text_.fill(0);
  return sent > 0;
}

bool Modem::fill_input() {
  if (input_at_ < input_end_) return true;
  input_at_ = 0;
  input_end_ = port_.read(input_);
  return input_end_ > 0;
}

bool Modem::take_lines(const std::size_t& raw_left) {
  if (!fill_input()) return false;
  const bool was_open = state_ == State::kOpen;
  while (input_at_ < input_end_ && raw_left == 0 && (state_ == State::kOpen) == was_open) on_byte(input_[input_at_++]);
  return true;
}

void Modem::on_byte(std::uint8_t byte) {
  if (const auto line = line_.push(byte)) return on_line(*line);
  on_partial(line_.partial());
}

bool Modem::expire() {
  if (command_ != kNone && now_us() >= command_deadline_us_) {
    on_timeout(command_);
    return true;
  }
  return expire_others();
}

void Modem::lose(std::string_view why) {
  if (state_ != State::kOpen && state_ != State::kConnecting) return;
  state_ = state_ == State::kOpen ? State::kEnded : State::kFailed;
  error_ = why;
  must_close_ = true;
  on_given_up();
}

void Modem::lose_modem(std::string_view why) {
  // One that has just been lost while connecting is tried again within the same attempt.
  if (state_ == State::kOpen) lose(why);
  answers_ = false;
  echo_off_ = false;
  must_close_ = true;
  ringing_ = false;
  signal_ = kNoSignal;
  command_ = kNone;
  text_size_ = text_sent_ = 0;
  send_size_ = send_done_ = 0;
  line_.clear();
  forget();
}

std::uint64_t Modem::next_deadline_us() const {
  const std::uint64_t deadline = other_deadline_us();
  if (command_ != kNone) return std::min(deadline, command_deadline_us_);
  return next_command() != kNone ? std::min(deadline, not_before_us_) : deadline;
}

}  // namespace mv::link
