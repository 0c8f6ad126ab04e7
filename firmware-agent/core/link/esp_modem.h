// Driver of a Wi-Fi module: Espressif's ESP-AT, one TCP connection in transparent mode (docs/modem-dialect-esp-at.md,
// with every time-out; docs/decisions/0016-esp-at.md says why).
//
// Joins the network, dials and lets the module pass every byte through; commands are possible again after `+++` between
// two pauses. The module's own words then stand among the peer's bytes: what reads as such and is followed by silence
// is taken for them (module_notice.h), is kept from the reader, and ends the connection.
#pragma once

#include "core/link/modem.h"
#include "core/link/wifi_credentials.h"

namespace mv::link {

class EspModem final : public Modem {
 public:
  // All three must outlive the driver.
  EspModem(LinkPort& port, Clock& clock, const WifiNetworks& networks) : Modem(port, clock), networks_(networks) {}

  std::size_t read(std::span<std::uint8_t> out) override;
  std::size_t write(std::span<const std::uint8_t> bytes) override;

 private:
  enum : Command {
    kProbe = 1,
    kEchoOff,
    kHush,    // the pause before the escape
    kEscape,  // `+++`, and the pause after it
    kLeave,
    kClose,
    kSetUp,
    kJoin,
    kDial,
    kPassThrough,
    kTransmit,
  };

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
  void on_busy();
  void on_answer(bool ok);
  void on_refused(Command command);
  void on_probe_timeout();
  void on_announced(std::string_view line);
  bool drop_announced();

  bool take_through();
  void look_for_notices();
  std::size_t readable() const { return input_end_ - input_at_ - suspects_; }
  bool judge_silence();

  const WifiNetworks& networks_;

  // What is known of the module.
  bool hushed_ = false;       // it has heard nothing for long enough to know the escape
  bool transparent_ = false;  // it may be passing everything through
  bool left_ = false;         // AT+CIPMODE=0 was accepted
  bool joined_ = false;
  bool dialled_ = false;
  bool passes_ = false;      // AT+CIPMODE=1 was accepted
  std::uint8_t set_up_ = 0;  // so many of the settings are made
  std::uint8_t probes_failed_ = 0;
  std::uint8_t join_error_ = 0;  // of +CWJAP
  bool name_unknown_ = false;    // DNS has failed

  std::size_t announced_left_ = 0;  // bytes of +IPD that nobody wants
  std::size_t suspects_ = 0;        // bytes at the end of the input that read as the module's words
  std::string_view notice_;         // the first whole one of them
  std::uint64_t heard_us_ = 0;      // when the last byte came
  std::uint64_t stalled_us_ = 0;    // since when the module takes none of the bytes that wait; 0: it does
};

}  // namespace mv::link
