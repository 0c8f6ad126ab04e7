#include "core/link/link_agent.h"

#include <algorithm>

#include "core/link/text_writer.h"
#include "core/link/timing.h"

namespace mv::link {

using TlsState = tls::TlsSession::State;

LinkAgent::LinkAgent(Modem& modem, Clock& clock, Entropy& entropy, const CloudAddress& address, const DeviceInfo& info,
                     const Peers& peers)
    : clock_(clock),
      address_(address),
      sessions_(peers.sessions),
      modem_(modem),
      session_(info, peers, clock),
      debug_(peers.debug),
      info_(info),
      call_(modem),
      back_off_(entropy) {}

// The modem is told to send only when the layers above have nothing more to add, so that what belongs together leaves
// together.
bool LinkAgent::poll() {
  const bool worked = step();
  modem_.hold(worked);
  return modem_.poll() || worked;
}

bool LinkAgent::step() {
  if (modem_.ringing()) return take_call();
  switch (state_) {
    case State::kWaiting:
      return step_waiting();
    case State::kDialling:
      return step_dialling();
    case State::kHandshake:
      return step_handshake();
    case State::kOnline:
      return step_online();
    case State::kClosing:
      return step_closing();
    case State::kCalled:
      return step_called();
  }
  return false;
}

bool LinkAgent::step_waiting() {
  const std::uint64_t now = clock_.uptime_us();
  if (now < deadline_us_) return false;
  ++counters_.attempts;
  modem_.connect(address_.host, address_.port);
  state_ = State::kDialling;
  deadline_us_ = now + timing::kAttempt;
  return true;
}

bool LinkAgent::step_dialling() {
  if (modem_.state() == Modem::State::kOpen) {
    start_tls();
    return true;
  }
  const bool late = clock_.uptime_us() >= deadline_us_;
  if (modem_.state() == Modem::State::kConnecting && !late) return false;
  lose(late ? std::string_view("the modem did not get as far as a connection in time") : modem_.error());
  return true;
}

void LinkAgent::start_tls() {
  if (!session_loaded_) saved_size_ = sessions_.load(saved_);
  session_loaded_ = true;
  tickets_seen_ = 0;
  state_ = State::kHandshake;
  deadline_us_ = clock_.uptime_us() + timing::kGreeting;
  tls_.start_client({address_.certificate, address_.key, address_.ca_certificate, address_.server_name, "mv-link/1",
                     std::span(saved_).first(saved_size_)},
                    modem_);
}

bool LinkAgent::step_handshake() {
  switch (tls_.step()) {
    case TlsState::kOpen:
      if (tls_.resumed()) ++counters_.resumed;
      session_.begin(tls_);
      welcome_noted_ = false;
      state_ = State::kOnline;
      return true;
    case TlsState::kFailed:
      // If it was not the network, it may have been the saved session: the next handshake is a full one.
      if (!modem_.ended()) saved_size_ = 0;
      lose(modem_.ended() ? modem_.error() : tls_.error());
      return true;
    default:
      break;
  }
  if (tls_.blocked() && clock_.uptime_us() >= deadline_us_) {
    lose("the cloud did not finish the TLS handshake in time");
    return true;
  }
  return !tls_.blocked();
}

bool LinkAgent::step_online() {
  const bool worked = session_.poll();
  keep_session();
  if (session_.failed()) {
    last_error_ = session_.error();
    tls_.close();
    state_ = State::kClosing;
    deadline_us_ = clock_.uptime_us() + timing::kFarewell;
    return true;
  }
  if (tls_.state() != TlsState::kOpen) {
    if (tls_.state() == TlsState::kFailed) {
      lose(tls_.error());
    } else {
      lose(modem_.ended() ? modem_.error() : std::string_view("the cloud closed the connection"));
    }
    return true;
  }
  if (session_.welcomed()) {
    note_welcome();
  } else if (clock_.uptime_us() >= deadline_us_) {
    lose("the cloud did not say Welcome in time");
    return true;
  }
  return worked;
}

void LinkAgent::note_welcome() {
  const std::uint64_t now = clock_.uptime_us();
  if (!welcome_noted_) {
    welcome_noted_ = true;
    ++counters_.connections;
    stable_at_us_ = now + timing::kStable;
  }
  if (stable_at_us_ == 0 || now < stable_at_us_) return;
  stable_at_us_ = 0;
  back_off_.reset();
}

// The newest ticket is the one to resume with; it is worth a write to flash because each spares a full handshake.
void LinkAgent::keep_session() {
  if (tls_.tickets() == tickets_seen_) return;
  tickets_seen_ = tls_.tickets();
  const auto session = tls_.saved_session();
  std::copy(session.begin(), session.end(), saved_.begin());
  saved_size_ = session.size();
  sessions_.save(session);
}

bool LinkAgent::step_closing() {
  if (!modem_.ended() && modem_.unsent() > 0 && clock_.uptime_us() < deadline_us_) return false;
  lose(last_error_);
  return true;
}

// Who is at the modem's line could cut the cloud off anyway. They get as far as the debug agent's handshake.
bool LinkAgent::take_call() {
  lose("a debugger called on the modem's line");
  back_off_.reset();
  modem_.take_call();
  state_ = State::kCalled;
  deadline_us_ = Modem::kNever;
  call_.begin();
  const bool accepted = debug_.opened(call_);
  if (!accepted) call_.close();
  greet(accepted);
  return true;
}

// One line (docs/protocol.md): the caller knows neither who answers nor which key to show.
void LinkAgent::greet(bool accepted) {
  std::array<char, 256> text;
  TextWriter out(text);
  out.add("mv-debug/1 ").add(info_.device_id);
  if (accepted) {
    out.add(" open ");
    debug_.introduce(out);
  } else {
    out.add(" refused ").add(debug_.refusal());
  }
  out.add("\n");
  modem_.write(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), out.size()));
}

bool LinkAgent::step_called() {
  const std::uint64_t now = clock_.uptime_us();
  if (modem_.ended()) {
    lose(modem_.error());
    return true;
  }
  if (call_.open()) return false;
  if (deadline_us_ == Modem::kNever) deadline_us_ = now + timing::kFarewell;
  if (modem_.unsent() > 0 && now < deadline_us_) return false;
  lose("the debug session on the modem's line is over");
  return true;
}

void LinkAgent::lose(std::string_view why) {
  last_error_ = why;
  if (state_ == State::kOnline || state_ == State::kClosing) session_.end();
  if (state_ == State::kCalled && call_.open()) debug_.closed();
  call_.close();
  tls_.stop();
  modem_.disconnect();
  stable_at_us_ = 0;
  wait_before_retry();
}

void LinkAgent::wait_before_retry() {
  const std::uint64_t asked = state_ == State::kClosing ? session_.retry_after_us() : 0;
  state_ = State::kWaiting;
  deadline_us_ = clock_.uptime_us() + std::max(back_off_.next_us(), asked);
}

std::uint64_t LinkAgent::next_deadline_us() const {
  std::uint64_t deadline = modem_.next_deadline_us();
  const bool welcomed = state_ == State::kOnline && session_.welcomed();
  if (!welcomed) deadline = std::min(deadline, deadline_us_);
  if (state_ == State::kOnline) deadline = std::min(deadline, session_.next_deadline_us());
  if (stable_at_us_ != 0) deadline = std::min(deadline, stable_at_us_);
  return deadline;
}

}  // namespace mv::link
