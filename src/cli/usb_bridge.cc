#include "cli/usb_bridge.h"

#include <utility>

namespace mv::cli {
namespace {

constexpr std::chrono::milliseconds kLookAgain{300};

}  // namespace

Bridge::Bridge(boost::asio::io_context& context, std::string label, Open open, OnEvent on_event)
    : timer_(context),
      label_(std::move(label)),
      open_(std::move(open)),
      on_event_(std::move(on_event)),
      modem_(context, {}, [this](std::string_view bytes) {
        if (!line_) return;
        line_->send(bytes);
        modem_.uart_backlog(line_->unsent());
      }) {
  modem_.on_link([this](const emulator::ModemLine::Link& link) { tell_link(link); });
}

usb::Expected<void> Bridge::start() {
  auto line = open_();
  if (!line) return tl::make_unexpected(line.error());
  attach(*std::move(line));
  return {};
}

void Bridge::attach(std::unique_ptr<usb::SerialLine> line) {
  line_ = std::move(line);
  on_event_(*this, Event::kAttached, {});
  line_->start({[this](std::span<const std::uint8_t> bytes) { modem_.from_uart(bytes); },
                [this] { modem_.uart_backlog(line_->unsent()); }, [this](const usb::Error& error) { detach(error); }});
  modem_.power_on();
}

void Bridge::detach(const usb::Error& error) {
  const auto line = std::exchange(line_, nullptr);
  modem_.power_off();
  on_event_(*this, Event::kDetached, error.problem == usb::Problem::kGone ? "it was unplugged" : error.text);
  try_again();
}

void Bridge::try_again() {
  timer_.expires_after(kLookAgain);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    auto line = open_();
    if (!line) return try_again();
    attach(*std::move(line));
  });
}

void Bridge::tell_link(const emulator::ModemLine::Link& link) {
  using State = emulator::ModemLine::Link::State;
  const bool was_connected = std::exchange(connected_, link.state == State::kConnected);
  const std::string text = link.host + ":" + std::to_string(link.port);
  switch (link.state) {
    case State::kConnecting:
      return on_event_(*this, Event::kConnecting, text);
    case State::kConnected:
      return on_event_(*this, Event::kConnected, text);
    case State::kFailed:
      return on_event_(*this, Event::kConnectFailed, text);
    case State::kClosed:
      if (was_connected) on_event_(*this, Event::kClosed, text);
  }
}

std::string_view event_word(Bridge::Event event) {
  switch (event) {
    case Bridge::Event::kAttached:
      return "attached";
    case Bridge::Event::kDetached:
      return "detached";
    case Bridge::Event::kConnecting:
      return "connecting";
    case Bridge::Event::kConnected:
      return "connected";
    case Bridge::Event::kConnectFailed:
      return "connect-failed";
    case Bridge::Event::kClosed:
      return "closed";
  }
  return "";
}

}  // namespace mv::cli
