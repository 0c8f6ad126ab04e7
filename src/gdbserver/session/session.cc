#include "gdbserver/session/session.h"

#include <array>
#include <limits>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "gdbserver/rsp/reply.h"

namespace mv::gdb {
namespace {

// What would change the application or its course.
template <class Command>
constexpr bool kChanges = std::is_same_v<Command, rsp::WriteRegisters> || std::is_same_v<Command, rsp::WriteRegister> ||
                          std::is_same_v<Command, rsp::WriteMemory> || std::is_same_v<Command, rsp::Resume> ||
                          std::is_same_v<Command, rsp::Breakpoint> || std::is_same_v<Command, rsp::Restart> ||
                          std::is_same_v<Command, rsp::FlashErase> || std::is_same_v<Command, rsp::FlashWrite> ||
                          std::is_same_v<Command, rsp::FlashDone>;

constexpr std::string_view kOnlyReads =
    "this GDB may only read: another one drives the session, or mvctl debug runs with --read-only";

// A client that sends ahead of its answers is let, up to this many packets; beyond, it is broken or hostile.
constexpr std::size_t kMaxWaiting = 64;

// Bytes that wait for a client before text for its console is left out.
constexpr std::size_t kMaxConsoleBacklog = 1U << 16;

// GDB waits 2 s for a reply and three times so; an unknown notification starts its clock anew (GDB 13, remote.c).
constexpr std::chrono::seconds kKeepAlive{1};

}  // namespace

Session::Session(Target& target, Scheduler& scheduler, Role role, Send send, std::function<void()> finished)
    : target_(target),
      scheduler_(scheduler),
      role_(role),
      send_(std::move(send)),
      finished_(std::move(finished)),
      host_file_(target.elf_path()),
      threads_(target) {
  if (role_ == Role::kObserver) {
    observe();
  } else {
    target_.on_notice([this](const std::string& text) { notice(text); });
    target_.on_console([this](const std::string& text) { print(text); });
    attach();
  }
}

Session::~Session() {
  *alive_ = false;
  if (role_ != Role::kDriver) return;
  target_.on_notice(nullptr);
  target_.on_console(nullptr);
}

// To the client it looks halted where the application stopped last; its memory is what it is now.
void Session::observe() {
  stop_ = target_.last_stop();
  stop_.reason = StopReason::kAttached;
  state_ = State::kHalted;
}

std::uint64_t Session::begin(int patience) {
  state_ = State::kBusy;
  const auto ticket = ++ticket_;
  timer_ = scheduler_.after(kKeepAlive, [this, ticket, patience] { keep_alive(ticket, 1, patience); });
  return ticket;
}

void Session::keep_alive(std::uint64_t ticket, int seconds, int patience) {
  if (!current(ticket)) return;
  if (seconds >= patience)
    return answer(rsp::error_text(fmt::format("the device did not answer within {} s: try again", patience)));
  if (!is_lldb_) send_(rsp::encode_notification("mv-alive:0"));
  timer_ =
      scheduler_.after(kKeepAlive, [this, ticket, seconds, patience] { keep_alive(ticket, seconds + 1, patience); });
}

// The client has asked nothing yet, so it cannot be told that it takes long. The target answers in any case.
void Session::attach() {
  constexpr int kAsLongAsItTakes = std::numeric_limits<int>::max();
  target_.attach(guarded<Stop>(
      [this](Result<Stop> stop) {
        if (stop) {
          stop_ = *stop;
          return identify([this] { attached(State::kHalted); });
        }
        failure_ = stop.error();
        attached(State::kFailed);
      },
      kAsLongAsItTakes));
}

void Session::attached(State state) {
  state_ = state;
  timer_.reset();
  pump();
}

void Session::receive(std::string_view bytes) {
  while (auto input = decoder_.next(bytes)) {
    if (state_ == State::kEnding || state_ == State::kEnded) return;
    take(std::move(*input));
  }
  pump();
}

void Session::take(rsp::Input input) {
  using Kind = rsp::Input::Kind;
  switch (input.kind) {
    case Kind::kAck:
      return;
    case Kind::kNack:
      // In no-ack mode GDB writes '-' when it lost patience; answering it would put every later reply one behind.
      if (acks_) send_(last_packet_);
      return;
    case Kind::kBadChecksum:
    case Kind::kTooLong:
      if (acks_) send_("-");
      return;
    case Kind::kInterrupt:
      if (state_ == State::kRunning) return interrupted();
      break;
    case Kind::kPacket:
      if (acks_) send_("+");
      break;
  }
  if (waiting_.size() == kMaxWaiting) return end();
  waiting_.push_back(std::move(input));
}

void Session::pump() {
  while (!waiting_.empty() && (state_ == State::kHalted || state_ == State::kFailed || state_ == State::kRunning)) {
    // While the application runs only these are meant for us; the rest waits for the stop.
    if (state_ == State::kRunning) {
      const auto command = rsp::parse_command(waiting_.front().payload);
      const bool now = std::holds_alternative<rsp::Interrupt>(command) ||
                       std::holds_alternative<rsp::Detach>(command) || std::holds_alternative<rsp::Kill>(command);
      if (waiting_.front().kind == rsp::Input::Kind::kPacket && !now) return;
    }
    const rsp::Input input = std::move(waiting_.front());
    waiting_.pop_front();
    dispatch(input);
  }
}

void Session::dispatch(const rsp::Input& input) {
  if (input.kind == rsp::Input::Kind::kInterrupt) return interrupted();
  std::visit(
      [this](const auto& command) {
        if (kChanges<std::decay_t<decltype(command)>> && role_ == Role::kObserver)
          return reply(rsp::error_text(kOnlyReads));
        handle(command);
      },
      rsp::parse_command(input.payload));
}

void Session::reply(const std::string& payload) {
  last_packet_ = rsp::encode_packet(payload);
  send_(last_packet_);
}

// Ends the busy state with a reply, and goes on with what waits.
void Session::answer(const std::string& payload) {
  timer_.reset();
  ++ticket_;
  state_ = State::kHalted;
  reply(payload);
  pump();
}

// One that comes between two of the client's own resumes (`next` over calls) is for the next of them, as the protocol
// has it. LLDB sends none but to what runs: its stop was on the way.
void Session::interrupted() {
  if (state_ == State::kRunning) return target_.interrupt();
  interrupt_waits_ = !is_lldb_;
}

void Session::notice(const std::string& text) { print("[mvctl] " + text + "\n"); }

// Text may go to the client's console only while it waits for the application to stop.
void Session::print(const std::string& text) {
  if (state_ != State::kRunning) return;
  if (backlog_ && backlog_() > kMaxConsoleBacklog) {
    ++left_out_;
    return;
  }
  if (const std::size_t missing = std::exchange(left_out_, 0)) {
    send_(rsp::encode_packet(
        rsp::console(fmt::format("[mvctl] {} pieces of output are missing here: they were not read\n", missing))));
  }
  send_(rsp::encode_packet(rsp::console(text)));
}

void Session::end() {
  if (state_ == State::kEnding || state_ == State::kEnded) return;
  if (state_ == State::kFailed || role_ == Role::kObserver) return finish();
  release(false);
}

// Lets the application run and ends the session.
void Session::release(bool replies) {
  state_ = State::kEnding;
  timer_.reset();
  waiting_.clear();
  target_.detach([this, alive = alive_, replies](Result<void> result) {
    if (!*alive) return;
    if (replies) reply(result ? std::string(rsp::kOk) : error_reply(result.error()));
    finish();
  });
}

void Session::finish() {
  state_ = State::kEnded;
  timer_.reset();
  if (auto finished = std::exchange(finished_, nullptr)) finished();
}

std::string Session::error_reply(const Error& error) const { return rsp::error_text(error.text); }

// GDB before 16 takes a text for an error of `m` as data, unless it announced error-message+.
std::string Session::memory_error(const Error& error) const {
  return error_texts_ ? rsp::error_text(error.text) : rsp::error(rsp::kErrorAddress);
}

}  // namespace mv::gdb
