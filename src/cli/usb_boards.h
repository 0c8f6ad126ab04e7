// What the commands for boards on USB share: finding and choosing them, and what goes wrong, said to a person.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/failure.h"
#include "usb/board.h"
#include "usb/serial_line.h"

namespace mv::cli {

// The machine's USB bus. kFailed: there is none.
tl::expected<std::unique_ptr<usb::Bus>, Failure> open_usb();

// All boards. kFailed: the bus cannot be listed.
tl::expected<std::vector<usb::Board>, Failure> list_boards(usb::Bus& bus);

// The one board among `boards` for which `can` holds. `serial` chooses: a serial number, the beginning of one, or a
// path ("1-1.4"); empty if there is only one. `what` says what is looked for: "board in its boot loader".
//
// kNotFound: none; kUsage: several; kNotAuthorised: there is one that may not be opened.
tl::expected<usb::Board, Failure> choose_board(const std::vector<usb::Board>& boards, const std::string& serial,
                                               bool (usb::Board::*can)() const, const std::string& what,
                                               const std::string& hint);

// A serial line to a board, as the person named it: a terminal device, or a board by its serial number.
struct LineChoice {
  std::string tty;
  std::string serial;  // empty: the only board
  std::uint32_t baud = usb::kDefaultBaud;
};

struct BoardLine {
  std::unique_ptr<usb::Bus> bus;  // under the line; nothing for a terminal device
  std::unique_ptr<usb::SerialLine> line;
  std::string label;  // of the board, for a person
};

// `hint` says what to do if there is no board. Errors: those of `choose_board`, and what keeps the line from being used
// (kFailed: another program has it).
tl::expected<BoardLine, Failure> open_board_line(boost::asio::io_context& context, const LineChoice& choice,
                                                 const std::string& hint);

// `what` says what was being done: "cannot open the board 2071".
Failure usb_failure(const usb::Error& error, const std::string& what);

// The same for a terminal device of the kernel.
Failure tty_failure(const usb::Error& error, const std::string& path);

// How a user gets permission: which file goes where.
std::string permission_hint();

// "207136863530", or its path if it has no serial number.
std::string board_label(const usb::Board& board);

}  // namespace mv::cli
