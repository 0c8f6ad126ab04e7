// The way to a device's debug agent without a cloud: this machine is the modem on the board's serial line, and calls.
//
// The device answers with one line of greeting (docs/protocol.md) and then serves the debug channel's TLS. When it
// dials, as it does for its cloud, nobody is there. Everything happens on the thread of the io_context.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "cli/failure.h"
#include "emulator/quectel_modem.h"
#include "gdbserver/target/agent_link.h"
#include "transport/memory_pipe.h"
#include "usb/serial_line.h"

namespace mv::cli {

// What the device says of itself when it takes a call. Nothing of it is proved before the channel's TLS.
struct Greeting {
  std::string device_id;  // "UV" + 32 hex digits
  std::string key_id;     // of the debug key that it would let in, 16 hex digits
  std::vector<std::uint8_t> build_id;
  std::string refusal;  // why it debugs with nobody; the other two are then empty
};

// One line without its end. Nothing: no greeting of a device.
std::optional<Greeting> parse_greeting(std::string_view line);

class DebugLine final : private emulator::ModemOutside {
 public:
  // A device that runs answers within milliseconds; one that boots, or makes a handshake, within seconds.
  static constexpr std::chrono::seconds kAnswerLimit{15};

  struct Call {
    Greeting greeting;
    std::unique_ptr<transport::BytePipe> pipe;  // its end hangs up
  };
  using Called = std::function<void(tl::expected<Call, gdb::AgentLink::Lost>)>;

  // `on_lost`: the line is gone (it was unplugged), once.
  DebugLine(boost::asio::io_context& context, std::unique_ptr<usb::SerialLine> line,
            std::function<void(const usb::Error&)> on_lost, std::chrono::milliseconds answer_limit = kAnswerLimit);
  ~DebugLine();
  DebugLine(const DebugLine&) = delete;
  DebugLine& operator=(const DebugLine&) = delete;

  // Calls the device; a call of before is over. `called` is called once, from the event loop, but not if another call
  // follows first. Errors: kRefused (the device's own sentence), kTimeout (it says nothing), kUnsupported (its modem is
  // one that cannot be called), kProtocol, kOffline (the line is gone).
  void call(Called called);

  // `done` once the device has been told that the call is over, at once if there is none.
  void hang_up(std::function<void()> done);

  // What a person may do about a device that does not answer.
  std::string hint() const;

 private:
  void to_uart(std::string_view bytes) override;
  void connect(const std::string& host, std::uint16_t port) override;
  bool transmit(std::span<const std::uint8_t> bytes) override;
  void disconnect() override;
  void set_timer(Timer, std::chrono::milliseconds) override {}

  void received(std::span<const std::uint8_t> bytes);
  void lost(const usb::Error& error);
  void ring();
  void hear_greeting(std::span<const std::uint8_t> bytes);
  void greeted();
  void not_a_device();
  void give_up();
  void answer(tl::expected<Call, gdb::AgentLink::Lost> result);
  void fail(gdb::ErrorCode code, std::string text, bool retry);
  void drop_pipe();
  void later(std::function<void()> action);
  void check_done();
  bool speaks_esp() const;

  boost::asio::io_context& context_;
  std::unique_ptr<usb::SerialLine> line_;  // nothing once it is lost
  std::function<void(const usb::Error&)> on_lost_;
  std::chrono::milliseconds answer_limit_;
  emulator::QuectelModem modem_{*this};
  boost::asio::steady_timer ring_timer_;
  std::chrono::steady_clock::time_point give_up_at_;
  std::chrono::seconds ring_wait_{0};
  Called called_;                                // while the device has not answered
  std::string heard_;                            // of its greeting
  std::string commands_;                         // the beginning of what it has said to its modem since it was called
  std::unique_ptr<transport::MemoryPipe> pipe_;  // our end of the call's
  std::function<void()> done_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace mv::cli
