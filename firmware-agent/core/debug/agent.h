// The debug agent: answers a debugger's requests (wire/proto/agent.proto) with what the engine, the application's
// memory and the supervisor say.
//
// Bytes of messages in, bytes of messages out; the channel carries them. One debugger at a time. A session outlives its
// connection: the last reply is kept and repeated, a halt stands, and an open resume goes on. If nobody comes back
// within the bundle's limit, or a new session is begun meanwhile, the old one is over and its breakpoints go. Secure
// thread only; no heap; about 14 KiB.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/debug/digest.h"
#include "core/debug/engine.h"
#include "core/debug/memory_parts.h"
#include "core/debug/message.h"
#include "core/debug/peers.h"
#include "core/debug/program_changes.h"
#include "core/debug/reply.h"
#include "core/debug/stop_report.h"
#include "core/platform/ports.h"

namespace mv::debug {

class Agent {
 public:
  // How long a session without a connection is kept: longer than a modem takes to register anew, shorter than a person
  // waits for a device that seems dead.
  static constexpr std::uint32_t kHaltLimitS = 600;  // unless the bundle names another

  // How long a trace goes on whose debugger left though the link is there: it costs the application time and nobody
  // sees it. A debugger that only lost its own way to the cloud is back sooner.
  static constexpr std::uint32_t kTraceLimitS = 60;

  // How long an attach waits for the application to halt: more than the longest system call.
  static constexpr std::uint64_t kHaltLimitUs = 3'000'000;

  // A record waits for others so long, unless they fill half of their buffer before: a message costs more than a
  // record.
  static constexpr std::uint64_t kRecordsWaitUs = 100'000;

  Agent(Engine& engine, Supervisor& supervisor, const BoardInfo& board, Clock& clock);

  // The debugger's connection is there, or gone.
  enum class Loss : std::uint8_t { kDebugger, kLink };  // who left: the debugger, or the device's link with it
  void connected();
  void disconnected(Loss loss);

  // Takes bytes from the debugger; returns how many. None while a reply waits to be sent (console text is none), or a
  // trace is being begun.
  std::size_t receive(std::span<const std::uint8_t> bytes);

  // Bytes for the debugger, and how many of them the channel took.
  std::span<const std::uint8_t> unsent() const;
  void sent(std::size_t bytes);

  // Does one bounded step of what is to be done; true if there was something.
  bool poll();
  std::optional<std::uint64_t> deadline_us() const;

  // The supervisor stopped the application (update, restart): what was open is answered, breakpoints are gone.
  void application_stopped();

  bool session_open() const { return session_known_; }

 private:
  using SessionId = std::array<std::uint8_t, 16>;

  static constexpr std::size_t kMaxConsoleText = 512;                 // bytes in one message
  static constexpr std::size_t kMaxRecords = TraceRecords::kLongest;  // likewise

  // The request whose answer has to wait.
  enum class Open : std::uint8_t { kNothing, kResume, kReset, kDigest, kTrace };

  // What a trace waits for: both need a halt, which lasts no longer than they take.
  enum class TraceStep : std::uint8_t { kNone, kBegin, kEnd };

  void handle(std::span<const std::uint8_t> message);
  void handle_numbered(const mv_wire_AgentRequest& request);
  bool is_repeated(std::uint32_t sequence);
  void execute(const mv_wire_AgentRequest& request);

  void attach(const mv_wire_AttachRequest& request);
  void begin_session(const SessionId& id);
  void end_session();
  void poll_attach();
  void restart_to_halt();
  const char* why_not_running() const;
  void answer_attach();
  void poll_open();
  void poll_console();
  void send_console_text();
  void poll_trace();
  void send_records();
  bool records_due();
  void poll_grace();
  void poll_lost_context();

  void resume(const mv_wire_ResumeRequest& request);
  bool change_breakpoints(const mv_wire_ResumeRequest& request);
  using Added = std::array<bool, Watchpoints::kMax>;
  bool change_watchpoints(const mv_wire_ResumeRequest& request, Added& added);
  void take_back_watchpoints(const mv_wire_ResumeRequest& request, std::size_t count, const Added& added);
  bool change_programs();
  void take_back(const mv_wire_ResumeRequest& request, std::size_t count, const std::array<bool, 32>& added);
  void read(const mv_wire_ReadRequest& request);
  void peek(const mv_wire_ReadRequest& request);
  void fill_read(const mv_wire_ReadRequest& request, std::size_t limit);
  void write(const mv_wire_WriteRequest& request);
  void write_registers(const mv_wire_WriteRegistersRequest& request);
  void digest(const mv_wire_DigestRequest& request);
  void trace();
  void begin_trace();
  const char* put_tracepoints();
  void end_trace();
  void refuse_trace(mv_wire_AgentError error, const char* sentence);
  void reset(const mv_wire_ResetRequest& request);
  void detach(const mv_wire_DetachRequest& request);
  void answer_stopped();
  void answer_reset();
  void answer_exited();
  void answer_digest();

  bool need_halted();
  void done();
  void refuse(mv_wire_AgentError error, const char* sentence);
  void refuse_unnumbered(mv_wire_AgentError error, const char* sentence, std::uint32_t sequence = 0);
  mv_wire_AgentReply& begin_reply();
  void finish_reply();
  bool answer_unsent() const { return !reply_.unsent().empty() || !unnumbered_.unsent().empty(); }
  const OutgoingMessage& outgoing() const;

  Engine& engine_;
  Supervisor& supervisor_;
  const BoardInfo board_;
  Clock& clock_;

  MessageReader reader_;
  mv_wire_AgentRequest request_{};
  mv_wire_AgentReply message_{};                   // while it is encoded
  ReplyBuffer<kMaxReply> reply_;                   // the last numbered one, kept for repetition
  ReplyBuffer<1280> unnumbered_;                   // answers to attach and to what cannot be understood
  ReplyBuffer<kMaxRecords + 32> console_message_;  // or trace records
  ProgramChanges programs_;                        // of the request
  MemoryParts parts_;
  StopReport report_;
  DigestJob digest_;

  bool connected_ = false;
  bool attached_here_ = false;  // an attach was accepted on this connection
  bool session_known_ = false;
  SessionId session_{};
  std::uint32_t last_sequence_ = 0;     // the highest that was taken
  std::uint32_t current_sequence_ = 0;  // of the request being answered
  std::uint32_t reply_sequence_ = 0;    // of the reply that is kept; 0: none

  Open open_ = Open::kNothing;
  std::uint32_t open_sequence_ = 0;
  TraceStep trace_step_ = TraceStep::kNone;
  bool trace_told_ = false;  // that it has begun
  std::uint64_t trace_limit_us_ = 0;
  std::optional<std::uint64_t> records_due_us_;

  std::array<mv_wire_ReadRange, 8> push_{};
  std::size_t push_count_ = 0;

  bool attaching_ = false;
  bool attach_halt_ = false;
  bool attach_resumed_ = false;
  bool halt_asked_ = false;
  bool restarting_ = false;
  bool reset_halts_ = false;
  bool exited_ = false;    // the application is gone, and the open request has to be told
  bool replaced_ = false;  // the application that the debugger halted is gone; it has not attached or reset since
  std::uint64_t attach_limit_us_ = 0;
  std::uint64_t grace_us_ = 0;  // of the bundle that was attached to
  std::optional<std::uint64_t> grace_end_us_;
};

}  // namespace mv::debug
