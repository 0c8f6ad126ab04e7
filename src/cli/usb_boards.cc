#include "cli/usb_boards.h"

#include <filesystem>

#include "cli/output.h"
#include "usb/acm_line.h"
#include "usb/libusb_bus.h"
#include "usb/tty_line.h"

namespace mv::cli {
namespace {

ExitCode code_of(usb::Problem problem) {
  switch (problem) {
    case usb::Problem::kStall:
    case usb::Problem::kBadReply:
    case usb::Problem::kRefused:
    case usb::Problem::kMismatch:
      return ExitCode::kRefusedByDevice;
    case usb::Problem::kTimeout:
    case usb::Problem::kGone:
      return ExitCode::kDeviceOffline;
    case usb::Problem::kNoPermission:
      return ExitCode::kNotAuthorised;
    case usb::Problem::kNotFound:
      return ExitCode::kNotFound;
    default:
      return ExitCode::kFailed;
  }
}

std::string hint_for(usb::Problem problem) {
  switch (problem) {
    case usb::Problem::kNoPermission:
      return permission_hint();
    case usb::Problem::kBusy:
      return "end the other program (a terminal, mvctl usb bridge, another debugger) and try again";
    case usb::Problem::kTimeout:
      return "unplug the board and plug it in again";
    case usb::Problem::kGone:
      return "see what is there: mvctl usb list";
    default:
      return {};
  }
}

}  // namespace

tl::expected<std::unique_ptr<usb::Bus>, Failure> open_usb() {
  auto bus = usb::open_bus();
  if (!bus) return tl::make_unexpected(usb_failure(bus.error(), "this machine's USB cannot be used"));
  return *std::move(bus);
}

tl::expected<std::vector<usb::Board>, Failure> list_boards(usb::Bus& bus) {
  auto devices = bus.devices();
  if (!devices) return tl::make_unexpected(usb_failure(devices.error(), "cannot list what is on USB"));
  return usb::find_boards(*std::move(devices));
}

tl::expected<usb::Board, Failure> choose_board(const std::vector<usb::Board>& boards, const std::string& serial,
                                               bool (usb::Board::*can)() const, const std::string& what,
                                               const std::string& hint) {
  std::vector<const usb::Board*> fitting;
  const usb::Board* locked = nullptr;
  for (const usb::Board& board : boards) {
    if (!serial.empty() && !board.usb.serial.starts_with(serial) && board.usb.path != serial) continue;
    if (!board.usb.may_open) locked = &board;
    if (board.usb.may_open && (board.*can)()) fitting.push_back(&board);
  }
  if (fitting.size() == 1) return *fitting.front();
  if (fitting.empty() && locked != nullptr) {
    return fail(ExitCode::kNotAuthorised,
                "no permission to open " + board_label(*locked) + " (" + locked->usb.node + ")", permission_hint());
  }
  const std::string named = serial.empty() ? "" : " with the serial number " + printable(serial);
  if (fitting.empty()) return fail(ExitCode::kNotFound, "there is no " + what + named, hint);
  std::string choice = "choose one with --serial:";
  for (const usb::Board* board : fitting) choice += "\n  " + board_label(*board) + "  (" + board->usb.path + ")";
  return fail(ExitCode::kUsage, "there is more than one " + what + named, choice);
}

tl::expected<BoardLine, Failure> open_board_line(boost::asio::io_context& context, const LineChoice& choice,
                                                 const std::string& hint) {
  if (!choice.tty.empty()) {
    auto line = usb::open_tty(context, choice.tty, choice.baud);
    if (!line) return tl::make_unexpected(tty_failure(line.error(), choice.tty));
    return BoardLine{nullptr, *std::move(line), printable(choice.tty)};
  }
  auto bus = open_usb();
  if (!bus) return tl::make_unexpected(bus.error());
  const auto boards = list_boards(**bus);
  if (!boards) return tl::make_unexpected(boards.error());
  const auto board = choose_board(*boards, choice.serial, &usb::Board::can_bridge, "board with a serial port", hint);
  if (!board) return tl::make_unexpected(board.error());
  const std::string label = board_label(*board);
  auto device = (*bus)->open(board->usb);
  if (!device) return tl::make_unexpected(usb_failure(device.error(), "cannot open " + label));
  auto line = usb::open_acm(context, *std::move(device), board->serial.front(), choice.baud);
  if (!line) return tl::make_unexpected(usb_failure(line.error(), "cannot use " + label));
  return BoardLine{*std::move(bus), *std::move(line), label};
}

Failure usb_failure(const usb::Error& error, const std::string& what) {
  return {code_of(error.problem), what + ": " + printable(error.text), hint_for(error.problem)};
}

Failure tty_failure(const usb::Error& error, const std::string& path) {
  Failure failure = usb_failure(error, "cannot use " + printable(path));
  if (error.problem == usb::Problem::kNoPermission) {
    failure.hint = "the device's group may: sudo usermod -aG dialout $USER, then log in again\nor " + permission_hint();
  }
  return failure;
}

std::string permission_hint() {
  std::error_code ignored;
  const std::string rules =
      std::filesystem::exists(MV_UDEV_RULES_INSTALLED, ignored) ? MV_UDEV_RULES_INSTALLED : MV_UDEV_RULES_SOURCE;
  return "once, as an administrator:  sudo cp " + rules +
         " /etc/udev/rules.d/\nthen:  sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=usb";
}

std::string board_label(const usb::Board& board) {
  return board.usb.serial.empty() ? board.usb.path : printable(board.usb.serial);
}

}  // namespace mv::cli
