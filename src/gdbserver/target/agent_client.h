// One debug session with a device's agent, over a link that may come and go.
//
// Requests are numbered and sent one at a time; the answer to one that was open when the link broke is fetched after
// the next connection, so a caller only sees that it took longer. Knows the messages' envelope, not their meaning.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gdbserver/target/agent_link.h"
#include "gdbserver/target/error.h"
#include "gdbserver/target/message_stream.h"
#include "gdbserver/target/scheduler.h"
#include "wire/proto/agent.pb.h"

namespace mv::gdb {

using SessionId = std::array<std::uint8_t, 16>;

class AgentClient {
 public:
  struct Settings {
    std::chrono::milliseconds answer_limit{10'000};  // a device that says nothing for so long is taken for lost
    std::chrono::milliseconds first_retry{250};
    std::chrono::milliseconds longest_retry{5'000};
  };

  // How many messages were sent that wait for an answer, and how many bytes went each way.
  struct Counters {
    std::uint64_t requests = 0;
    std::uint64_t bytes_up = 0;
    std::uint64_t bytes_down = 0;
    std::chrono::microseconds round_trip{0};  // of the last request that was no resume
  };

  // `make_session` gives 16 random bytes. Everything must outlive the client.
  AgentClient(AgentLink& link, Scheduler& scheduler, std::function<SessionId()> make_session, Settings settings);
  ~AgentClient();
  AgentClient(const AgentClient&) = delete;
  AgentClient& operator=(const AgentClient&) = delete;

  // Connects if there is no connection, and begins a session or makes sure that the application is halted.
  // Not while a request is open.
  void attach(bool halt, Handler<wire::Attached> handler);

  // Queues a request; `sequence` is filled in here. Errors that the device reports come as Error. Without a link, and
  // none that is waited for, it fails with the error that ended the last one.
  void call(wire::AgentRequest request, Handler<wire::AgentReply> handler);

  // Reads up to kMostPeeked bytes beside the numbered requests, so also while a resume is open. Fails if the link is
  // down or goes down before the answer.
  static constexpr std::uint32_t kMostPeeked = 1024;
  void peek(std::uint32_t address, std::uint32_t length, Handler<wire::MemoryBytes> handler);

  // Interrupts the open resume or trace, now or as soon as there is a link again.
  void interrupt();

  // The session ended in good order (Detach was answered): the next attach begins a new one.
  void forget_session();

  // Ends the connection for good; no handler is called any more.
  void close();

  bool resume_open() const;  // or a trace
  bool connected() const { return state_ == State::kReady; }
  const Counters& counters() const { return counters_; }

  // The link was lost or is back: a sentence for a person.
  std::function<void(const std::string&)> on_notice;

  // The application printed something, while a resume is open.
  std::function<void(const wire::ConsoleText&)> on_console;

  // A trace has begun, or something was hit.
  std::function<void(const wire::TraceRecords&)> on_trace;

 private:
  enum class State : std::uint8_t { kIdle, kConnecting, kAttaching, kReady, kWaiting };

  struct Pending {
    wire::AgentRequest request;
    Handler<wire::AgentReply> handler;
    bool sent = false;
  };

  void open_link();
  void link_open();
  void link_data(std::span<const std::uint8_t> bytes);
  void link_lost(const AgentLink::Lost& lost);
  void reconnect_later();
  void send_attach(bool halt);
  void take_message(const std::vector<std::uint8_t>& message);
  void take_attached(const wire::AgentReply& reply);
  void take_reply(wire::AgentReply reply);
  void take_peeked(const wire::AgentReply& reply);
  void fail_peeks(const Error& error);
  void resume_session(const wire::Attached& attached);
  void send_front();
  void send(const wire::AgentRequest& request);
  void watch_answer();
  void answer_is_late();
  void protocol_error(const std::string& text);
  void fail_all(const Error& error);
  void fail_later(Handler<wire::AgentReply> handler);
  void note(const std::string& text) const;

  AgentLink& link_;
  Scheduler& scheduler_;
  std::function<SessionId()> make_session_;
  Settings settings_;
  State state_ = State::kIdle;
  MessageStream incoming_;
  std::optional<SessionId> session_;
  bool was_attached_ = false;  // the session was accepted once: a lost link is worth reconnecting
  bool attach_halt_ = false;
  bool reused_ = false;  // the attach went out over a link that stood already, and that may be dead
  bool drives_ = false;  // an attach of this session asked for a halt: after a lost link it is asked for again
  Handler<wire::Attached> attach_handler_;
  std::deque<Pending> queue_;                     // the front one is open
  std::deque<Handler<wire::MemoryBytes>> peeks_;  // sent, in order
  std::uint32_t next_sequence_ = 1;
  bool interrupt_wanted_ = false;
  std::chrono::milliseconds retry_{0};
  std::unique_ptr<Scheduler::Timer> retry_timer_;
  std::unique_ptr<Scheduler::Timer> answer_timer_;
  std::unique_ptr<Scheduler::Timer> peek_timer_;
  std::chrono::steady_clock::time_point sent_at_;
  Counters counters_;
  Error why_idle_{ErrorCode::kOffline, "there is no connection to the device"};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // false: closed, nothing that was posted counts
};

// The error in a device's reply, with the device's own sentence if it gave one.
Error describe_agent_error(wire::AgentError code, const std::string& detail);

}  // namespace mv::gdb
