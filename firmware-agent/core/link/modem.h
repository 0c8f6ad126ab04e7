// A modem that speaks AT commands, as the device link sees it: one TCP connection as a stream of bytes.
//
// What every dialect shares is here: the lines, one command at a time with its time-out, the buffers. What is said is a
// dialect's (quectel_modem.h, esp_modem.h; docs/modem-dialect.md is the contract). Never blocks: the owner calls `poll`
// until it says that nothing happened, then waits until `next_deadline_us` or for bytes from the port. What `poll` does
// next follows from what is known of the modem (`next_command`), so there is no script to get lost in: after a
// time-out, noise or a restart the knowledge is dropped and the driver begins with `AT` again.
//
// No heap; about 2 KiB. Secure thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/link/at_line.h"
#include "core/link/text_writer.h"
#include "core/platform/ports.h"
#include "core/tls/byte_stream.h"

namespace mv::link {

class Modem : public ByteStream {
 public:
  static constexpr std::size_t kMaxPush = 1460;  // bytes written that wait to be sent, at most
  static constexpr std::size_t kMaxHost = 64;
  static constexpr std::uint8_t kNoSignal = 99;

  enum class State : std::uint8_t {
    kIdle,        // not asked to connect
    kConnecting,  // starting the modem, finding the network, dialling
    kOpen,        // bytes move
    kEnded,       // the connection was open and is gone; see `error`
    kFailed,      // it did not come about; see `error`
  };

  Modem(const Modem&) = delete;
  Modem& operator=(const Modem&) = delete;

  // Begins to connect, from any state, and goes on until it is open, fails or is given up: a modem that answers some
  // commands and is silent on others is tried without end, so the owner limits the attempt. kFailed at once if `host`
  // is longer than kMaxHost or holds anything but printable ASCII without quotes, commas and backslashes.
  void connect(std::string_view host, std::uint16_t tcp_port);

  // Gives the connection up; the modem is told in time.
  void disconnect();

  // Somebody calls this device and waits for `take_call`. Only where the dialect can (docs/modem-dialect.md).
  bool ringing() const { return ringing_; }

  // Opens the caller's connection, at once. What was open or wanted before is given up.
  void take_call();

  // While set, bytes written are gathered and not sent yet, unless the buffer is full: more are on their way, and what
  // is sent together costs less.
  void hold(bool more_to_come) { hold_ = more_to_come; }

  // Does one bounded step; true if anything happened.
  bool poll();

  // When `poll` has to be called again even if no byte comes; kNever: not before.
  std::uint64_t next_deadline_us() const;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  bool ended() const override { return state_ != State::kOpen; }

  State state() const { return state_; }
  std::string_view error() const { return error_; }               // a sentence; empty unless kEnded or kFailed
  std::uint8_t signal() const { return signal_; }                 // 0 to 31 as in +CSQ, or kNoSignal
  std::size_t unsent() const { return send_size_ - send_done_; }  // bytes accepted that the modem has not taken yet

 protected:
  // A dialect counts its commands from 1.
  using Command = std::uint8_t;
  static constexpr Command kNone = 0;

  // `port` and `clock` must outlive the driver.
  Modem(LinkPort& port, Clock& clock) : port_(port), clock_(clock) {}
  ~Modem() = default;

  // A dialect.

  // Knowledge decides: whatever is missing for what is wanted comes next.
  virtual Command next_command() const = 0;
  virtual void write_command(Command command, TextWriter& out) const = 0;
  virtual std::uint64_t timeout_us(Command command) const = 0;
  virtual void on_begin(Command command) = 0;
  virtual void on_timeout(Command command) = 0;
  virtual void on_line(std::string_view line) = 0;
  virtual void on_partial(std::string_view line) = 0;  // a line without its end: a prompt, perhaps
  virtual void on_connect() = 0;
  virtual void on_given_up() = 0;  // the connection, or the attempt, is of no interest any more
  virtual void forget() = 0;       // of the modem, all that the dialect knows
  virtual bool take_in() = 0;      // looks at what the modem says; true if there was anything
  virtual bool push_data() = 0;    // gives the port what is to be sent; true if it took any
  virtual bool expire_others() = 0;
  virtual std::uint64_t other_deadline_us() const = 0;

  // For dialects.

  std::uint64_t now_us() const { return clock_.uptime_us(); }
  bool take_lines(const std::size_t& raw_left);  // until there are none, or raw bytes begin
  bool fill_input();                             // true: there is input
  void lose(std::string_view why);
  void lose_modem(std::string_view why);  // nothing is known of it any more: begins with `AT` again
  std::string_view host() const { return {host_.data(), host_size_}; }

  LinkPort& port_;
  Clock& clock_;
  State state_ = State::kIdle;
  std::string_view error_;
  std::uint8_t signal_ = kNoSignal;
  bool hold_ = false;

  // What is known of any modem.
  bool answers_ = false;
  bool echo_off_ = false;
  bool must_close_ = true;  // it may still hold a connection of before
  bool ringing_ = false;

  Command command_ = kNone;  // the open one
  std::uint64_t command_deadline_us_ = 0;
  std::uint64_t not_before_us_ = 0;  // no command before this

  std::array<char, kMaxHost> host_{};
  std::size_t host_size_ = 0;
  std::uint16_t tcp_port_ = 0;

  LineReader line_;
  std::array<std::uint8_t, 64> input_{};  // taken from the port, not yet looked at
  std::size_t input_at_ = 0;
  std::size_t input_end_ = 0;

  std::array<std::uint8_t, kMaxPush> send_{};
  std::size_t send_size_ = 0;  // accepted
  std::size_t send_done_ = 0;  // of them taken by the modem

 private:
  static constexpr std::size_t kMaxCommand = 224;  // the longest joins a Wi-Fi network, each byte of its name escaped

  void begin(Command command);
  bool expire();
  bool push_text();
  void on_byte(std::uint8_t byte);

  std::array<char, kMaxCommand> text_{};  // of the open command
  std::size_t text_size_ = 0;
  std::size_t text_sent_ = 0;
};

}  // namespace mv::link
