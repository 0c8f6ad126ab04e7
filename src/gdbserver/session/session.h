// One client's debug session: packets in, packets out, between a GDB and a Target.
//
// A state machine on one thread, without I/O: bytes come by `receive`, leave by the `send` it was given. The server
// (server.h) owns the socket.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "gdbserver/rsp/command.h"
#include "gdbserver/rsp/packet.h"
#include "gdbserver/rtos/thread_reader.h"
#include "gdbserver/session/flash_writer.h"
#include "gdbserver/session/host_file.h"
#include "gdbserver/target/scheduler.h"
#include "gdbserver/target/target.h"

namespace mv::gdb {

class Session {
 public:
  using Send = std::function<void(std::string)>;

  // A driver halts and runs the application; an observer reads its memory, also while it runs, and changes nothing.
  enum class Role : std::uint8_t { kDriver, kObserver };

  // A driver halts the target at once. `finished` is called once, when nothing more will be sent and the target was let
  // go; the session may be destroyed from there. Target and scheduler outlive the session.
  Session(Target& target, Scheduler& scheduler, Role role, Send send, std::function<void()> finished);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Says how many bytes given to `send` have not left yet. Console text is left out while they are many, as a client
  // that stands at a pager's prompt reads nothing for as long as it likes.
  void watch_backlog(std::function<std::size_t()> backlog) { backlog_ = std::move(backlog); }

  void receive(std::string_view bytes);

  // The client is gone, or mvctl ends: the application is let run, then `finished` is called.
  void end();

  // It ends: the target is being let go.
  bool ending() const { return state_ == State::kEnding; }

 private:
  enum class State : std::uint8_t {
    kBusy,     // an answer is under way; further packets wait
    kHalted,   // ready for a packet
    kRunning,  // the application runs; the stop reply is owed
    kFailed,   // there is no target: everything but small talk is answered with why
    kEnding,
    kEnded,
  };

  // Commands by family; each answers at once or leaves the session busy.
  void handle(const rsp::Unknown& command);
  void handle(const rsp::Malformed& command);
  void handle(const rsp::QuerySupported& command);
  void handle(const rsp::StartNoAckMode& command);
  void handle(const rsp::LldbClient& command);
  void handle(const rsp::HostInfo& command);
  void handle(const rsp::WatchSupportInfo& command);
  void handle(const rsp::ExtendedMode& command);
  void handle(const rsp::HaltReason& command);
  void handle(const rsp::ReadRegisters& command);
  void handle(const rsp::WriteRegisters& command);
  void handle(const rsp::ReadRegister& command);
  void handle(const rsp::WriteRegister& command);
  void handle(const rsp::ReadMemory& command);
  void handle(const rsp::WriteMemory& command);
  void handle(const rsp::FlashErase& command);
  void handle(const rsp::FlashWrite& command);
  void handle(const rsp::FlashDone& command);
  void handle(const rsp::Checksum& command);
  void handle(const rsp::Search& command);
  void handle(const rsp::ResumeQuery& command);
  void handle(const rsp::Resume& command);
  void handle(const rsp::Interrupt& command);
  void handle(const rsp::Breakpoint& command);
  void handle(const rsp::SetThread& command);
  void handle(const rsp::ThreadAlive& command);
  void handle(const rsp::CurrentThread& command);
  void handle(const rsp::ThreadListFirst& command);
  void handle(const rsp::ThreadListNext& command);
  void handle(const rsp::ThreadExtraInfo& command);
  void handle(const rsp::QueryAttached& command);
  void handle(const rsp::QuerySymbol& command);
  void handle(const rsp::Transfer& command);
  void handle(const rsp::Monitor& command);
  void handle(const rsp::HostFileRequest& command);
  void handle(const rsp::Detach& command);
  void handle(const rsp::Kill& command);
  void handle(const rsp::Restart& command);

  void read(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler);
  void observe();
  void take(rsp::Input input);
  void pump();
  void dispatch(const rsp::Input& input);
  void reply(const std::string& payload);
  void answer(const std::string& payload);
  void interrupted();
  void attach();
  void attached(State state);
  void notice(const std::string& text);
  void print(const std::string& text);

  // Seconds that an answer may take before the client is told that there is none.
  static constexpr int kPatience = 20;

  // Marks the session busy and hands out a ticket; an answer whose ticket is out of date is dropped.
  std::uint64_t begin(int patience);
  bool current(std::uint64_t ticket) const { return ticket == ticket_ && state_ == State::kBusy; }
  void keep_alive(std::uint64_t ticket, int seconds, int patience);

  // Wraps an action so that it does nothing once the session is gone or has given up waiting for it.
  template <class T>
  Handler<T> guarded(std::function<void(Result<T>)> action, int patience = kPatience) {
    const auto ticket = begin(patience);
    return [this, alive = alive_, ticket, action = std::move(action)](Result<T> result) {
      if (*alive && current(ticket)) action(std::move(result));
    };
  }

  // Threads: which one runs, and what is asked of one of them or of all.
  void identify(std::function<void()> then);
  void with_threads(std::function<std::string(const std::vector<rtos::Thread>&)> action);
  void with_registers(std::function<std::string(const arm::RegisterFile&)> action);
  std::string thread_document(const std::vector<rtos::Thread>& threads) const;
  std::string extra_info(const rtos::Thread& thread) const;
  bool runs(const rsp::ThreadId& thread) const;
  bool another_selected() const { return selected_ != running_; }

  void write_file(const arm::RegisterFile& file);
  void search(rsp::Search rest, Bytes tail);
  void change_watchpoint(const rsp::Breakpoint& command);

  void go(const ResumePlan& plan);
  void stopped(const Result<Stop>& stop);
  std::string stop_reply(const Stop& stop) const;
  void explain(const Stop& stop);
  std::string stop_reason(const Stop& stop) const;
  void restarted(const Result<Stop>& stop, bool replies);
  void loaded(const Result<Loaded>& loaded);
  void monitor_reset();
  void set_step_interrupts(bool on);
  void set_reflect_faults(bool on);
  void release(bool replies);
  void finish();
  std::string error_reply(const Error& error) const;
  std::string monitor_error(std::string_view text) const;
  std::string memory_error(const Error& error) const;

  Target& target_;
  Scheduler& scheduler_;
  const Role role_;
  Send send_;
  std::function<std::size_t()> backlog_;
  std::size_t left_out_ = 0;  // pieces of console text
  std::function<void()> finished_;
  State state_ = State::kBusy;
  rsp::PacketDecoder decoder_;
  std::deque<rsp::Input> waiting_;
  std::string last_packet_;  // for a client that asks for it again, until no-ack mode
  bool acks_ = true;
  bool no_ack_next_ = false;
  bool error_texts_ = false;  // the client takes E.text for memory reads too
  bool tells_breakpoints_ = false;
  bool is_lldb_ = false;
  HostFile host_file_;
  bool step_interrupts_ = false;
  bool interrupt_waits_ = false;  // for the next resume
  bool reflect_faults_ = false;
  Error failure_;
  Stop stop_;
  std::set<std::uint32_t> hardware_breakpoints_;
  std::optional<FlashWriter> flash_;  // while the client writes a program
  rtos::ThreadReader threads_;
  std::uint32_t running_ = rtos::kApplication;   // of the last stop
  std::uint32_t selected_ = rtos::kApplication;  // whose registers the client means
  std::string pending_notice_;                   // for the console, when it may be written to next
  std::uint64_t ticket_ = 0;
  std::unique_ptr<Scheduler::Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace mv::gdb
