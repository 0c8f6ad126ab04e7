#include "core/debug/channel.h"

#include <algorithm>

namespace mv::debug {

bool Channel::opened(link::DebugStream& stream) {
  if (stream_ != nullptr) return refuse("another debugger is connected to this device: end it first");
  RunningBundle bundle;
  if (!supervisor_.running_bundle(bundle))
    return refuse("no application is installed on this device: deploy one first");
  if (!bundle.has_debug_key) {
    return refuse("the running bundle carries no debug key: deploy one that was built with --debug-auth-pubkey");
  }
  key_ = bundle.debug_key;
  const tls::ServerConfig config = {
      .certificate = identity_.certificate, .key = identity_.private_key, .client_key = key_, .alpn = kAlpn};
  // A session that failed to start holds no memory, only its sentence.
  if (tls_.start_server(config, stream) == tls::TlsSession::State::kFailed) return refuse(tls_.error());
  stream_ = &stream;
  trusted_ = false;
  check_key_ = false;
  pending_ = {};
  handshake_end_us_ = clock_.uptime_us() + kHandshakeLimitUs;
  return true;
}

void Channel::closed() {
  if (stream_ == nullptr) return;
  stream_ = nullptr;
  tls_.stop();
  if (trusted_) agent_.disconnected();
  trusted_ = false;
}

bool Channel::poll() {
  bool progress = agent_.poll();
  if (stream_ == nullptr) return progress;
  if (check_key_) check_key();
  if (stream_ == nullptr) return true;
  switch (tls_.state()) {
    case tls::TlsSession::State::kHandshake:
      return step_handshake() || progress;
    case tls::TlsSession::State::kOpen:
      return move_bytes() || progress;
    case tls::TlsSession::State::kIdle:
    case tls::TlsSession::State::kClosed:
    case tls::TlsSession::State::kFailed:
      break;
  }
  end();
  return true;
}

std::optional<std::uint64_t> Channel::deadline_us() const {
  const std::optional<std::uint64_t> agents = agent_.deadline_us();
  if (stream_ == nullptr || trusted_) return agents;
  return agents ? std::min(*agents, handshake_end_us_) : handshake_end_us_;
}

void Channel::application_stopped() {
  agent_.application_stopped();
  check_key_ = true;
}

bool Channel::refuse(std::string_view sentence) {
  refusal_ = sentence;
  return false;
}

bool Channel::step_handshake() {
  if (clock_.uptime_us() >= handshake_end_us_) {
    end();
    return true;
  }
  if (tls_.step() == tls::TlsSession::State::kOpen) {
    trusted_ = true;
    agent_.connected();
  }
  return !tls_.blocked();
}

bool Channel::move_bytes() {
  const bool received = receive();
  const bool sent = send();
  return received || sent;
}

bool Channel::receive() {
  bool progress = false;
  if (pending_.empty()) {
    const std::size_t size = tls_.read(input_);
    pending_ = std::span(input_).first(size);
    progress = size != 0 || tls_.state() != tls::TlsSession::State::kOpen;
  }
  const std::size_t taken = agent_.receive(pending_);
  pending_ = pending_.subspan(taken);
  return progress || taken != 0;
}

bool Channel::send() {
  if (tls_.state() != tls::TlsSession::State::kOpen) return true;
  if (tls_.unsent()) {
    tls_.step();
    return !tls_.blocked();
  }
  const std::span<const std::uint8_t> bytes = agent_.unsent();
  if (bytes.empty()) return false;
  const std::size_t taken = tls_.write(bytes);
  agent_.sent(taken);
  return taken != 0;
}

// Between stop and start no bundle runs; the check waits for the one that does.
void Channel::check_key() {
  RunningBundle bundle;
  if (!supervisor_.running_bundle(bundle)) return;
  check_key_ = false;
  if (!bundle.has_debug_key || bundle.debug_key != key_) end();
}

void Channel::end() {
  link::DebugStream& stream = *stream_;
  tls_.close();
  closed();
  stream.close();
}

}  // namespace mv::debug
