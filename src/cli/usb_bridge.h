// Carries the device link of a board without a network: the host plays the modem on its serial line.
//
// One `Bridge` is one board. It opens the line, is its modem, and when the board is unplugged waits until it is back.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "emulator/modem_line.h"
#include "usb/serial_line.h"

namespace mv::cli {

class Bridge {
 public:
  enum class Event : std::uint8_t {
    kAttached,    // the serial line is open, the modem has power
    kDetached,    // unplugged, or the line is broken: `text` says so
    kConnecting,  // the device dials `text`, "host:port"
    kConnected,
    kConnectFailed,
    kClosed,
  };
  using OnEvent = std::function<void(const Bridge& bridge, Event event, const std::string& text)>;

  // Opens the line to the board, wherever it is now.
  using Open = std::function<usb::Expected<std::unique_ptr<usb::SerialLine>>()>;

  Bridge(boost::asio::io_context& context, std::string label, Open open, OnEvent on_event);
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // The first time; later losses are waited out. Errors: those of `open`.
  usb::Expected<void> start();

  const std::string& label() const { return label_; }
  bool attached() const { return line_ != nullptr; }
  bool connected() const { return connected_; }
  const emulator::AirCounters& counters() const { return modem_.counters(); }

 private:
  void attach(std::unique_ptr<usb::SerialLine> line);
  void detach(const usb::Error& error);
  void try_again();
  void tell_link(const emulator::ModemLine::Link& link);

  boost::asio::steady_timer timer_;
  std::string label_;
  Open open_;
  OnEvent on_event_;
  std::unique_ptr<usb::SerialLine> line_;
  emulator::ModemLine modem_;
  bool connected_ = false;
};

// "connected"
std::string_view event_word(Bridge::Event event);

}  // namespace mv::cli
