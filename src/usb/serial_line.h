// A serial line to a board: bytes both ways, and the moment when it is gone.
//
// Two kinds: a terminal device of the kernel, or a socket (tty_line.h); a CDC-ACM port by libusb (acm_line.h). Events
// come on the io_context's thread, and calls must be made there.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "usb/usb_device.h"

namespace mv::usb {

class SerialLine {
 public:
  struct Events {
    std::function<void(std::span<const std::uint8_t> bytes)> received;
    std::function<void()> sent;                    // some of what was queued has left
    std::function<void(const Error& error)> lost;  // once, the last event: kGone if it was unplugged
  };

  // No event comes after this. May be destroyed from within `lost`.
  virtual ~SerialLine() = default;

  // Begins to deliver; called once.
  virtual void start(Events events) = 0;

  // Queues a copy; ignored once the line is lost.
  virtual void send(std::string_view bytes) = 0;

  // Bytes that were queued and have not left.
  virtual std::size_t unsent() const = 0;
};

// The settings of a line: 8 bits, no parity, one stop bit, no flow control.
inline constexpr std::uint32_t kDefaultBaud = 115200;

}  // namespace mv::usb
