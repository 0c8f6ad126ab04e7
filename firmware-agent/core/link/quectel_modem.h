// Driver of a cellular modem: Quectel BG95 dialect in direct push mode (docs/modem-dialect.md, with every time-out).
//
// Data comes and goes in announced pieces between commands, so nothing that the modem says can be taken for data.
#pragma once

#include "core/link/modem.h"

namespace mv::link {

class QuectelModem final : public Modem {
 public:
  // `port` and `clock` must outlive the driver.
  QuectelModem(LinkPort& port, Clock& clock) : Modem(port, clock) {}

  std::size_t read(std::span<std::uint8_t> out) override;
  std::size_t write(std::span<const std::uint8_t> bytes) override;

 private:
  enum : Command {
    kFlush = 1,
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

  Command next_command() const override;
  void write_command(Command command, TextWriter& out) const override;
  std::uint64_t timeout_us(Command command) const override;
  void on_begin(Command command) override;
  void on_timeout(Command command) override;
  void on_line(std::string_view line) override;
  void on_partial(std::string_view line) override;
  void on_connect() override;
  void on_given_up() override;
  void forget() override;
  bool take_in() override;
  bool push_data() override;
  bool expire_others() override;
  std::uint64_t other_deadline_us() const override;

  bool on_event(std::string_view line);
  void on_received(std::string_view line);
  void on_incoming();
  void on_opened(std::uint32_t error);
  void on_answer(Answer answer);
  void on_registration();
  void on_sent(Answer answer);
  void on_probe_timeout();

  void lose_network(std::string_view why);
  bool push_filler();
  std::size_t take_raw(std::span<std::uint8_t> out);
  bool await_raw();
  bool drop_raw();

  bool registered_ = false;
  bool context_set_ = false;
  bool active_ = false;
  bool dialling_ = false;  // AT+QIOPEN was accepted; +QIOPEN is to come
  bool flushed_ = false;
  std::uint8_t probes_failed_ = 0;

  std::uint64_t dial_deadline_us_ = 0;
  std::uint64_t registration_deadline_us_ = 0;
  std::uint64_t signal_due_us_ = 0;
  std::uint64_t raw_deadline_us_ = 0;

  std::size_t raw_left_ = 0;  // announced bytes that have not been read

  // To go out before the next probe: what a modem that is in the middle of a send takes for the rest of it. It may be
  // so after a reset of ours that was none of the modem's, and would swallow each `AT` otherwise.
  std::size_t filler_left_ = 0;

  bool prompted_ = false;     // of kSend: the modem waits for the raw bytes
  std::size_t sending_ = 0;   // bytes announced in the open kSend
  std::size_t raw_sent_ = 0;  // of them given to the port
};

}  // namespace mv::link
