// A USB serial port (CDC-ACM) without a driver of the kernel: an ST-LINK's virtual COM port by its bulk endpoints.
#pragma once

#include <memory>

#include "usb/board.h"
#include "usb/serial_line.h"

namespace mv::usb {

// Takes the port, sets the line (SET_LINE_CODING) and raises DTR and RTS. `device` belongs to the line from then on.
//
// Errors: kBusy, kBadReply (the port refuses the rate), and those of transfers.
Expected<std::unique_ptr<SerialLine>> open_acm(boost::asio::io_context& context, std::unique_ptr<Device> device,
                                               const SerialFunction& port, std::uint32_t baud);

}  // namespace mv::usb
