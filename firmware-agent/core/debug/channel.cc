#include "core/debug/channel.h"

#include <algorithm>

#include "core/update/signature.h"

namespace mv::debug {
namespace {

constexpr std::string_view kAttached = "debugger attached";
constexpr std::string_view kDetached = "debugger detached";
constexpr std::string_view kRefused = "debug access refused";

using KeyId = std::array<char, 16>;

KeyId hex_id(std::uint64_t id) {
  KeyId digits;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, id >>= 4) *digit = "0123456789abcdef"[id & 15];
  return digits;
}

}  // namespace

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

void Channel::closed() { gone(Agent::Loss::kDebugger); }

void Channel::link_lost() { gone(Agent::Loss::kLink); }

void Channel::gone(Agent::Loss loss) {
  if (stream_ == nullptr) return;
  if (trusted_) events_.post(kDetached, "the connection is gone");
  forget(loss);
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
    case tls::TlsSession::State::kFailed:
      end(tls_.error());
      return true;
    case tls::TlsSession::State::kIdle:
    case tls::TlsSession::State::kClosed:
      break;
  }
  end("the debugger ended it");
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

void Channel::introduce(link::TextWriter& out) const {
  const KeyId key = hex_id(update::key_id(key_));
  out.add({key.data(), key.size()}).add(" ");
  RunningBundle bundle;
  if (!supervisor_.running_bundle(bundle)) return;
  for (const std::uint8_t byte : std::span(bundle.build_id).first(bundle.build_id_size)) {
    const KeyId digits = hex_id(byte);
    out.add({digits.end() - 2, 2});
  }
}

bool Channel::refuse(std::string_view sentence) {
  refusal_ = sentence;
  return false;
}

bool Channel::step_handshake() {
  if (clock_.uptime_us() >= handshake_end_us_) {
    end("nobody proved to hold the debug key within 30 seconds");
    return true;
  }
  if (tls_.step() == tls::TlsSession::State::kOpen) let_in();
  return !tls_.blocked();
}

void Channel::let_in() {
  trusted_ = true;
  constexpr std::string_view kText = "with the debug key ";
  std::array<char, kText.size() + std::tuple_size_v<KeyId>> detail;
  std::ranges::copy(hex_id(update::key_id(key_)), std::ranges::copy(kText, detail.begin()).out);
  events_.post(kAttached, {detail.data(), detail.size()});
  agent_.connected();
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
  if (!bundle.has_debug_key || bundle.debug_key != key_) end("another bundle runs, which names another debug key");
}

void Channel::forget(Agent::Loss loss) {
  stream_ = nullptr;
  tls_.stop();
  if (trusted_) agent_.disconnected(loss);
  trusted_ = false;
}

// From this side. Who was not let in yet is refused.
void Channel::end(std::string_view why) {
  events_.post(trusted_ ? kDetached : kRefused, why);
  link::DebugStream& stream = *stream_;
  tls_.close();
  forget(Agent::Loss::kDebugger);
  stream.close();
}

}  // namespace mv::debug
