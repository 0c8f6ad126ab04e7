#include "gdbserver/target/agent_client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace mv::gdb {
namespace {

struct Meaning {
  wire::AgentError code;
  ErrorCode error;
  const char* text;
};

constexpr Meaning kMeanings[] = {
    {wire::AGENT_BAD_REQUEST, ErrorCode::kBadRequest, "the device did not understand a request"},
    {wire::AGENT_BAD_ADDRESS, ErrorCode::kBadAddress, "not memory of the application"},
    {wire::AGENT_NOT_HALTED, ErrorCode::kNotHalted, "the application runs: interrupt it first"},
    {wire::AGENT_NO_BREAKPOINT_FREE, ErrorCode::kNoBreakpointFree, "the device has no breakpoint left: delete one"},
    {wire::AGENT_BUSY, ErrorCode::kBusy, "another debugger is attached to this device: end it first"},
    {wire::AGENT_NO_APPLICATION, ErrorCode::kNoApplication, "no application is installed: deploy one"},
    {wire::AGENT_UNSUPPORTED, ErrorCode::kUnsupported, "the device's firmware cannot do this"},
    {wire::AGENT_NOT_RUNNING, ErrorCode::kNotRunning, "the application does not run: try again"},
};

// Until the application stops, which may be never.
bool runs_long(const wire::AgentRequest& request) { return request.has_resume() || request.has_trace(); }

}  // namespace

Error describe_agent_error(wire::AgentError code, const std::string& detail) {
  for (const Meaning& meaning : kMeanings)
    if (meaning.code == code) return {meaning.error, detail.empty() ? meaning.text : detail};
  return {ErrorCode::kProtocol,
          fmt::format("the device reported error {}, which this version does not know", int{code})};
}

AgentClient::AgentClient(AgentLink& link, Scheduler& scheduler, std::function<SessionId()> make_session,
                         Settings settings)
    : link_(link), scheduler_(scheduler), make_session_(std::move(make_session)), settings_(settings) {}

AgentClient::~AgentClient() { close(); }

void AgentClient::attach(bool halt, Handler<wire::Attached> handler) {
  attach_handler_ = std::move(handler);
  attach_halt_ = halt;
  reused_ = state_ == State::kReady;
  drives_ = drives_ || halt;
  if (!session_) {
    session_ = make_session_();
    next_sequence_ = 1;
  }
  if (state_ == State::kReady) return send_attach(halt);
  if (state_ == State::kIdle) open_link();
}

void AgentClient::call(wire::AgentRequest request, Handler<wire::AgentReply> handler) {
  if (state_ == State::kIdle) return fail_later(std::move(handler));
  request.set_sequence(next_sequence_++);
  queue_.push_back({std::move(request), std::move(handler)});
  if (queue_.size() == 1 && state_ == State::kReady) send_front();
}

void AgentClient::peek(std::uint32_t address, std::uint32_t length, Handler<wire::MemoryBytes> handler) {
  if (state_ != State::kReady) return handler(failure(ErrorCode::kOffline, "the device is not connected right now"));
  wire::AgentRequest request;
  auto* range = request.mutable_read()->add_ranges();
  range->set_address(address);
  range->set_length(std::min(length, kMostPeeked));
  peeks_.push_back(std::move(handler));
  if (peeks_.size() == 1) peek_timer_ = scheduler_.after(settings_.answer_limit, [this] { answer_is_late(); });
  ++counters_.requests;
  send(request);
}

void AgentClient::interrupt() {
  if (!resume_open()) return;
  interrupt_wanted_ = true;
  if (state_ != State::kReady || !queue_.front().sent) return;
  wire::AgentRequest request;
  request.mutable_interrupt();
  ++counters_.requests;
  send(request);
  watch_answer();
}

void AgentClient::forget_session() {
  drives_ = false;
  session_.reset();
  was_attached_ = false;
}

void AgentClient::close() {
  *std::exchange(alive_, std::make_shared<bool>(true)) = false;
  attach_handler_ = nullptr;
  queue_.clear();
  peeks_.clear();
  peek_timer_.reset();
  retry_timer_.reset();
  answer_timer_.reset();
  if (state_ != State::kIdle) link_.close();
  state_ = State::kIdle;
}

bool AgentClient::resume_open() const { return !queue_.empty() && runs_long(queue_.front().request); }

void AgentClient::open_link() {
  state_ = State::kConnecting;
  incoming_.clear();
  link_.open({.on_open = [this] { link_open(); },
              .on_data = [this](std::span<const std::uint8_t> bytes) { link_data(bytes); },
              .on_lost = [this](const AgentLink::Lost& lost) { link_lost(lost); }});
}

// While a resume is open the application is meant to run; in every other state it is halted and stays so, unless the
// session only looks on.
void AgentClient::link_open() {
  const bool halt = attach_handler_ ? attach_halt_ : drives_ && !resume_open();
  send_attach(halt);
}

void AgentClient::send_attach(bool halt) {
  state_ = State::kAttaching;
  wire::AgentRequest request;
  request.mutable_attach()->set_session(session_->data(), session_->size());
  request.mutable_attach()->set_halt(halt);
  ++counters_.requests;
  send(request);
  watch_answer();
}

void AgentClient::send_front() {
  Pending& pending = queue_.front();
  pending.sent = true;
  ++counters_.requests;
  send(pending.request);
  if (!runs_long(pending.request)) return watch_answer();
  answer_timer_.reset();  // an application may run as long as it likes
  if (interrupt_wanted_) interrupt();
}

void AgentClient::send(const wire::AgentRequest& request) {
  const auto bytes = frame_message(request.SerializeAsString());
  counters_.bytes_up += bytes.size();
  sent_at_ = std::chrono::steady_clock::now();
  link_.send(bytes);
}

void AgentClient::watch_answer() {
  answer_timer_ = scheduler_.after(settings_.answer_limit, [this] { answer_is_late(); });
}

// The carrier may not notice for minutes that the device is gone; the person does.
void AgentClient::answer_is_late() {
  link_.close();
  link_lost({{ErrorCode::kTimeout, "the device does not answer"}, true});
}

void AgentClient::link_data(std::span<const std::uint8_t> bytes) {
  counters_.bytes_down += bytes.size();
  incoming_.push(bytes);
  // A handler may close the link, which clears what is left.
  while (state_ == State::kAttaching || state_ == State::kReady) {
    const auto message = incoming_.next();
    if (!message) return;
    take_message(*message);
  }
}

void AgentClient::take_message(const std::vector<std::uint8_t>& message) {
  wire::AgentReply reply;
  if (!reply.ParseFromArray(message.data(), static_cast<int>(message.size())))
    return protocol_error("the device sent a message that cannot be read");
  if (reply.sequence() == 0 && reply.has_read()) return take_peeked(reply);
  if (reply.has_console()) {
    if (on_console) on_console(reply.console());
    return;
  }
  if (reply.has_trace()) {
    if (on_trace) on_trace(reply.trace());
    return;
  }
  if (state_ == State::kAttaching && reply.sequence() == 0) return take_attached(reply);
  take_reply(std::move(reply));
}

void AgentClient::take_attached(const wire::AgentReply& reply) {
  answer_timer_.reset();
  if (reply.error() == wire::AGENT_OK && !reply.has_attached())
    return protocol_error("the device answered the attach with something else");
  if (reply.error() != wire::AGENT_OK) {
    state_ = State::kReady;
    const Error error = describe_agent_error(reply.error(), reply.detail());
    auto handler = std::exchange(attach_handler_, nullptr);
    forget_session();
    fail_all(error);
    if (handler) handler(tl::make_unexpected(error));
    return;
  }
  resume_session(reply.attached());
}

// After a lost link: ask again for what was open. The device answers from its store if it had answered already.
void AgentClient::resume_session(const wire::Attached& attached) {
  const bool back = std::exchange(was_attached_, true) && retry_.count() != 0;
  state_ = State::kReady;
  retry_ = std::chrono::milliseconds{0};
  if (auto handler = std::exchange(attach_handler_, nullptr)) {
    handler(attached);
    if (state_ == State::kReady && !queue_.empty() && !queue_.front().sent) send_front();
    return;
  }
  if (!attached.resumed()) {
    next_sequence_ = 1;
    return fail_all({ErrorCode::kSessionLost, "the device restarted meanwhile, or waited in vain for this debugger"});
  }
  if (back) note("the device is connected again");
  if (!queue_.empty()) send_front();
}

void AgentClient::take_reply(wire::AgentReply reply) {
  // A reply to nothing that is open is one that was asked for twice.
  if (queue_.empty() || reply.sequence() != queue_.front().request.sequence()) return;
  answer_timer_.reset();
  Pending pending = std::move(queue_.front());
  queue_.pop_front();
  if (runs_long(pending.request)) {
    interrupt_wanted_ = false;
  } else {
    counters_.round_trip =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - sent_at_);
  }
  if (!queue_.empty()) send_front();
  if (reply.error() != wire::AGENT_OK)
    return pending.handler(tl::make_unexpected(describe_agent_error(reply.error(), reply.detail())));
  pending.handler(std::move(reply));
}

void AgentClient::take_peeked(const wire::AgentReply& reply) {
  if (peeks_.empty()) return;
  auto handler = std::move(peeks_.front());
  peeks_.pop_front();
  peek_timer_.reset();
  if (!peeks_.empty()) peek_timer_ = scheduler_.after(settings_.answer_limit, [this] { answer_is_late(); });
  if (reply.read().ranges_size() != 1 || reply.read().ranges(0).error() != wire::AGENT_OK)
    return handler(failure(ErrorCode::kBadAddress, "not memory of the application"));
  handler(reply.read().ranges(0));
}

void AgentClient::fail_peeks(const Error& error) {
  peek_timer_.reset();
  for (auto& handler : std::exchange(peeks_, {})) handler(tl::make_unexpected(error));
}

void AgentClient::link_lost(const AgentLink::Lost& lost) {
  answer_timer_.reset();
  incoming_.clear();
  state_ = State::kIdle;
  fail_peeks({ErrorCode::kOffline, "the link to the device was lost"});
  if ((was_attached_ || std::exchange(reused_, false)) && lost.retry) return reconnect_later();
  why_idle_ = lost.error;
  auto handler = std::exchange(attach_handler_, nullptr);
  forget_session();
  fail_all(lost.error);
  if (handler) handler(tl::make_unexpected(lost.error));
}

void AgentClient::reconnect_later() {
  if (retry_.count() == 0) note("the link to the device was lost; connecting again");
  retry_ = retry_.count() == 0 ? settings_.first_retry : std::min(retry_ * 2, settings_.longest_retry);
  state_ = State::kWaiting;
  retry_timer_ = scheduler_.after(retry_, [this] { open_link(); });
}

void AgentClient::protocol_error(const std::string& text) {
  link_.close();
  link_lost({{ErrorCode::kProtocol, text + ": is its firmware older or newer than this mvctl?"}, false});
}

void AgentClient::fail_all(const Error& error) {
  interrupt_wanted_ = false;
  auto failed = std::exchange(queue_, {});
  for (Pending& pending : failed) pending.handler(tl::make_unexpected(error));
}

void AgentClient::fail_later(Handler<wire::AgentReply> handler) {
  scheduler_.post([handler = std::move(handler), error = why_idle_, alive = alive_] {
    if (*alive) handler(tl::make_unexpected(error));
  });
}

void AgentClient::note(const std::string& text) const {
  if (on_notice) on_notice(text);
}

}  // namespace mv::gdb
