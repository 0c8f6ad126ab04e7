// A serial line that the kernel offers as a terminal device: /dev/ttyACM0, a pseudo-terminal.
#pragma once

#include <memory>
#include <string>

#include "usb/serial_line.h"

namespace mv::usb {

// Opens it raw, for this process alone (TIOCEXCL).
//
// Errors: kNotFound (no such file), kNoPermission, kBusy, kOther (no terminal device, or a rate it does not have).
Expected<std::unique_ptr<SerialLine>> open_tty(boost::asio::io_context& context, const std::string& path,
                                               std::uint32_t baud);

// The same over a unix socket that somebody listens at: what an emulated board's UART is. Its end reads as unplugged.
//
// Errors: kNotFound (nobody listens), kNoPermission, kOther.
Expected<std::unique_ptr<SerialLine>> open_socket(boost::asio::io_context& context, const std::string& path);

}  // namespace mv::usb
