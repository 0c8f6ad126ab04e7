// Driver of a cellular modem that speaks AT commands: one TCP connection as a stream of bytes.
//
// Quectel BG95 dialect in direct push mode; docs/modem-dialect.md is the contract, with every time-out. Never blocks:
// the owner calls `poll` until it says that nothing happened, then waits until `next_deadline_us` or for bytes from the
// port. What `poll` does next follows from what is known of the modem (`next_command`), so there is no script to get
// lost in: after a time-out, noise or a restart the knowledge is dropped and the driver begins with `AT` again.
//
// No heap; about 1.9 KiB. Secure thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/link/at_line.h"
#include "core/platform/ports.h"
#include "core/tls/byte_stream.h"

namespace mv::link {

class Modem final : public ByteStream {
 public:
  static constexpr std::size_t kMaxPush = 1460;  // bytes of data in one announcement or one send
  static constexpr std::size_t kMaxHost = 64;
  static constexpr std::uint8_t kNoSignal = 99;

  enum class State : std::uint8_t {
    kIdle,        // not asked to connect
    kConnecting,  // starting the modem, registering, dialling
    kOpen,        // bytes move
    kEnded,       // the connection was open and is gone; see `error`
    kFailed,      // it did not come about; see `error`
  };

  // `port` and `clock` must outlive the driver.
  Modem(LinkPort& port, Clock& clock) : port_(port), clock_(clock) {}

  // Begins to connect, from any state, and goes on until it is open, fails or is given up: a modem that answers some
  // commands and is silent on others is tried without end, so the owner limits the attempt. kFailed at once if `host`
  // is longer than kMaxHost or holds anything but printable ASCII without quotes.
  void connect(std::string_view host, std::uint16_t tcp_port);

  // Gives the connection up; the modem is told in time.
  void disconnect();

  // While set, bytes written are gathered and not sent yet, unless the buffer is full: more are on their way, and each
  // send costs the modem two answers.
  void hold(bool more_to_come) { hold_ = more_to_come; }

  // Does one bounded step; true if anything happened.
  bool poll();

  // When `poll` has to be called again even if no byte comes; kNever: not before.
  std::uint64_t next_deadline_us() const;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  // At most kMaxPush bytes are accepted before the modem has taken the ones before.
  std::size_t read(std::span<std::uint8_t> out) override;
  std::size_t write(std::span<const std::uint8_t> bytes) override;
  bool ended() const override { return state_ != State::kOpen; }

  State state() const { return state_; }
  std::string_view error() const { return error_; }  // a sentence; empty unless kEnded or kFailed
  std::uint8_t signal() const { return signal_; }    // 0 to 31 as in +CSQ, or kNoSignal
  std::size_t unsent() const { return send_size_; }  // bytes accepted that the modem has not taken yet

 private:
  enum class Command : std::uint8_t {
    kNone,
    kProbe,
    kEchoOff,
    kSignal,
    kRegistration,
    kContext,
    kActivate,
    kOpen,
    kSend,
    kClose,
  };
  enum class Answer : std::uint8_t { kOk, kError, kSendOk, kSendFail };

  Command next_command() const;
  void begin(Command command);
  std::string_view command_text(Command command);
  bool push_out();
  bool push_filler();
  bool take_in();
  bool expire();

  void on_byte(std::uint8_t byte);
  void on_line(std::string_view line);
  bool on_event(std::string_view line);
  void on_received(std::string_view line);
  void on_opened(std::uint32_t error);
  void on_answer(Answer answer);
  void on_timeout();
  void on_probe_timeout();
  void on_registration();
  void on_sent(Answer answer);

  void lose(std::string_view why);
  void lose_network(std::string_view why);
  void lose_modem(std::string_view why);
  std::size_t take_raw(std::span<std::uint8_t> out);
  bool await_raw();
  bool drop_raw();
  bool fill_input();

  LinkPort& port_;
  Clock& clock_;
  State state_ = State::kIdle;
  std::string_view error_;

  // What is known of the modem.
  bool answers_ = false;
  bool echo_off_ = false;
  bool registered_ = false;
  bool context_set_ = false;
  bool active_ = false;
  bool hold_ = false;
  bool must_close_ = true;  // it may still hold a connection of before
  bool dialling_ = false;   // AT+QIOPEN was accepted; +QIOPEN is to come
  std::uint8_t signal_ = kNoSignal;
  std::uint8_t probes_failed_ = 0;

  Command command_ = Command::kNone;
  bool prompted_ = false;  // of kSend: the modem waits for the raw bytes
  std::uint64_t command_deadline_us_ = 0;
  std::uint64_t not_before_us_ = 0;  // no command before this
  std::uint64_t dial_deadline_us_ = 0;
  std::uint64_t registration_deadline_us_ = 0;
  std::uint64_t signal_due_us_ = 0;
  std::uint64_t raw_deadline_us_ = 0;

  std::array<char, kMaxHost> host_{};
  std::size_t host_size_ = 0;
  std::uint16_t tcp_port_ = 0;

  LineReader line_;
  std::array<std::uint8_t, 64> input_{};  // taken from the port, not yet looked at
  std::size_t input_at_ = 0;
  std::size_t input_end_ = 0;
  std::size_t raw_left_ = 0;  // announced bytes that have not been read

  // To go out before the text: what a modem that is in the middle of a send takes for the rest of it. It may be so
  // after a reset of ours that was none of the modem's, and would swallow each `AT` otherwise.
  std::size_t filler_left_ = 0;
  std::array<char, kMaxLine + 1> text_{};  // of the open command
  std::size_t text_size_ = 0;
  std::size_t text_sent_ = 0;
  std::array<std::uint8_t, kMaxPush> send_{};
  std::size_t send_size_ = 0;  // accepted
  std::size_t sending_ = 0;    // of them announced in the open kSend
  std::size_t raw_sent_ = 0;   // of them given to the port
};

}  // namespace mv::link
