// mvctl usb bridge: boards without a network reach the cloud through this machine.
#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <ostream>

#include <fmt/format.h>
#include <boost/asio/signal_set.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "cli/usb_boards.h"
#include "cli/usb_bridge.h"
#include "usb/acm_line.h"
#include "usb/tty_line.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;
using usb::Board;

struct BridgeOptions {
  std::vector<std::string> ttys;
  std::vector<std::string> serials;
  bool all = false;
  std::uint32_t baud = usb::kDefaultBaud;
};

std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm fields{};
  std::array<char, 16> text{};
  ::localtime_r(&now, &fields);
  return {text.data(), std::strftime(text.data(), text.size(), "%H:%M:%S", &fields)};
}

std::string sentence(Bridge::Event event, const std::string& text) {
  switch (event) {
    case Bridge::Event::kAttached:
      return "attached; its modem has power";
    case Bridge::Event::kDetached:
      return text + "; waiting until it is back";
    case Bridge::Event::kConnecting:
      return "calls " + text;
    case Bridge::Event::kConnected:
      return "is connected to " + text;
    case Bridge::Event::kConnectFailed:
      return "cannot reach " + text;
    case Bridge::Event::kClosed:
      return "is disconnected from " + text;
  }
  return {};
}

// All bridges of one run, and what a person sees of them.
class Bridges {
 public:
  Bridges(Program& program, const BridgeOptions& options)
      : output_(program.output()), options_(options), signals_(context_, SIGINT, SIGTERM), status_timer_(context_) {}

  Result run();

 private:
  Result choose();
  void add_tty(const std::string& path);
  void add_board(const Board& board);
  usb::Expected<std::unique_ptr<usb::SerialLine>> open_board(const std::string& serial, const std::string& path);
  void print(const Bridge& bridge, Bridge::Event event, const std::string& text);
  bool shows_status() const;
  void draw_status();

  Output& output_;
  const BridgeOptions& options_;
  boost::asio::io_context context_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer status_timer_;
  std::unique_ptr<usb::Bus> bus_;
  std::vector<std::unique_ptr<Bridge>> bridges_;
};

void Bridges::add_tty(const std::string& path) {
  bridges_.push_back(std::make_unique<Bridge>(
      context_, path, [this, path] { return usb::open_tty(context_, path, options_.baud); },
      [this](const Bridge& bridge, Bridge::Event event, const std::string& text) { print(bridge, event, text); }));
}

// By its serial number wherever it is plugged in; without one by its place.
usb::Expected<std::unique_ptr<usb::SerialLine>> Bridges::open_board(const std::string& serial,
                                                                    const std::string& path) {
  auto devices = bus_->devices();
  if (!devices) return tl::make_unexpected(devices.error());
  for (const Board& board : usb::find_boards(*std::move(devices))) {
    if (serial.empty() ? board.usb.path != path : board.usb.serial != serial) continue;
    if (!board.can_bridge()) continue;
    auto device = bus_->open(board.usb);
    if (!device) return tl::make_unexpected(device.error());
    return usb::open_acm(context_, *std::move(device), board.serial.front(), options_.baud);
  }
  return usb::failed(usb::Problem::kGone, "the device is gone");
}

void Bridges::add_board(const Board& board) {
  bridges_.push_back(std::make_unique<Bridge>(
      context_, board_label(board),
      [this, serial = board.usb.serial, path = board.usb.path] { return open_board(serial, path); },
      [this](const Bridge& bridge, Bridge::Event event, const std::string& text) { print(bridge, event, text); }));
}

Result Bridges::choose() {
  for (const std::string& path : options_.ttys) add_tty(path);
  if (!options_.ttys.empty() && options_.serials.empty() && !options_.all) return {};
  auto bus = open_usb();
  if (!bus) return tl::make_unexpected(bus.error());
  bus_ = *std::move(bus);
  const auto boards = list_boards(*bus_);
  if (!boards) return tl::make_unexpected(boards.error());
  if (options_.all) {
    for (const Board& board : *boards) {
      if (board.can_bridge() && board.usb.may_open) add_board(board);
    }
    if (!bridges_.empty()) return {};
  }
  const std::vector<std::string> wanted = options_.serials.empty() ? std::vector<std::string>{""} : options_.serials;
  for (const std::string& serial : wanted) {
    const auto board = choose_board(*boards, serial, &Board::can_bridge, "board with a serial port",
                                    "see mvctl usb list; several at once: --serial for each, or --all");
    if (!board) return tl::make_unexpected(board.error());
    add_board(*board);
  }
  return {};
}

void Bridges::print(const Bridge& bridge, Bridge::Event event, const std::string& text) {
  if (shows_status()) *output_.terminal().err << "\r\033[K" << std::flush;
  const bool is_address = event != Bridge::Event::kAttached && event != Bridge::Event::kDetached;
  ordered_json document = {{"event", event_word(event)}, {"board", bridge.label()}};
  if (is_address) document["address"] = text;
  if (event == Bridge::Event::kDetached) document["reason"] = text;
  document["bytes_up"] = bridge.counters().bytes_up;
  document["bytes_down"] = bridge.counters().bytes_down;
  output_.record(document, time_of_day() + "  " + printable(bridge.label()) + " " + printable(sentence(event, text)));
  draw_status();
}

bool Bridges::shows_status() const { return output_.terminal().err_is_terminal && !output_.quiet() && !output_.json(); }

void Bridges::draw_status() {
  if (!shows_status()) return;
  std::uint64_t up = 0, down = 0;
  for (const auto& bridge : bridges_) {
    up += bridge->counters().bytes_up;
    down += bridge->counters().bytes_down;
  }
  const auto attached = std::ranges::count_if(bridges_, [](const auto& bridge) { return bridge->attached(); });
  const auto connected = std::ranges::count_if(bridges_, [](const auto& bridge) { return bridge->connected(); });
  *output_.terminal().err << fmt::format("\r{} of {} attached, {} connected   up {}   down {}   Ctrl-C ends\033[K",
                                         attached, bridges_.size(), connected, human_size(up), human_size(down))
                          << std::flush;
  status_timer_.expires_after(std::chrono::seconds(1));
  status_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) draw_status();
  });
}

Result Bridges::run() {
  if (const auto chosen = choose(); !chosen) return chosen;
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) context_.stop();
  });
  for (const auto& bridge : bridges_) {
    const auto started = bridge->start();
    if (started) continue;
    const bool is_tty = std::ranges::find(options_.ttys, bridge->label()) != options_.ttys.end();
    if (is_tty) return tl::make_unexpected(tty_failure(started.error(), bridge->label()));
    return tl::make_unexpected(usb_failure(started.error(), "cannot use " + printable(bridge->label())));
  }
  context_.run();
  if (shows_status()) *output_.terminal().err << "\r\033[K" << std::flush;
  output_.note("the bridge is down");
  return {};
}

}  // namespace

void add_usb_bridge(Command& usb, Program& program) {
  Command& command = usb.add("bridge", "be the modem of boards without a network: carry their link to the cloud");
  auto options = std::make_shared<BridgeOptions>();
  command.option("--tty", "DEVICE", &options->ttys, "a serial port of the kernel, as /dev/ttyACM0")
      .complete(Completion::kFile);
  command
      .option("--serial", "SERIAL", &options->serials, "a board by its serial number, a beginning of it, or its path")
      .shows_default("the only one");
  command.flag("--all", options->all, "every board that has a serial port");
  command.option("--baud", "RATE", &options->baud, "bits a second of the line").shows_default("115200");
  command.describe(
      "The microvisor speaks to a cellular modem on its UART. Where an ST-LINK's virtual COM port ends on that UART, "
      "this "
      "command takes the modem's place and opens the connection that the device asks for, from this machine: what goes "
      "through it is the device's own TLS, which only the cloud can read. mvcloud needs no context here; the address "
      "is "
      "the device's.\n\n"
      "A board that is unplugged is waited for, and goes on when it is back with the same serial number. Runs until "
      "Ctrl-C. A board is used by libusb unless --tty names the kernel's port.");
  command.example("mvctl usb bridge", "the one board that is plugged in");
  command.example("mvctl usb bridge --tty /dev/ttyACM0 --output json", "a port of the kernel; one event a line");
  command.run([options, &program] { return Bridges(program, *options).run(); });
}

}  // namespace mv::cli
