#include "emulator/modem_line.h"

#include <utility>

#include "emulator/quectel_modem.h"

namespace mv::emulator {
namespace {

using boost::system::error_code;

// Bytes that wait for the UART before the network is slowed down.
constexpr std::size_t kUartHigh = 8 * 1024;
constexpr std::size_t kUartLow = 2 * 1024;

}  // namespace

ModemLine::ModemLine(boost::asio::io_context& context, const ModemKind& kind,
                     std::function<void(std::string_view)> to_uart)
    : context_(context),
      to_uart_(std::move(to_uart)),
      carrier_timer_(context),
      wifi_timer_(context),
      timers_{boost::asio::steady_timer(context), boost::asio::steady_timer(context),
              boost::asio::steady_timer(context), boost::asio::steady_timer(context)} {
  ModemOutside& outside = *this;
  if (kind.wifi) {
    modem_ = std::make_unique<EspModem>(outside, *kind.wifi);
    wifi_ = WifiState::kUp;
  } else {
    modem_ = std::make_unique<QuectelModem>(outside);
  }
}

ModemLine::~ModemLine() {
  observer_ = nullptr;
  power_off();
}

void ModemLine::power_on() { modem_->power_on(); }

void ModemLine::power_off() {
  ++power_cycle_;
  for (auto& timer : timers_) timer.cancel();
  if (!carrier_) return;
  carrier_->drop();
  carrier_.reset();
  tell(Link::State::kClosed);
}

void ModemLine::uart_backlog(std::size_t bytes) {
  const bool slow = bytes > kUartHigh || (slow_ && bytes >= kUartLow);
  // Going on delivers at once: only upon a change, or it would never end.
  if (std::exchange(slow_, slow) != slow && carrier_) carrier_->pause(slow);
}

void ModemLine::tell(Link::State state) {
  if (observer_) observer_({state, host_, port_});
}

void ModemLine::connect(const std::string& host, std::uint16_t port) {
  host_ = host;
  port_ = port;
  tell(Link::State::kConnecting);
  carrier_ = std::make_shared<Carrier>(
      context_, counters_, shape_,
      Carrier::Events{[this] {
                        tell(Link::State::kConnected);
                        modem_->connected();
                      },
                      [this](ConnectError error) {
                        tell(Link::State::kFailed);
                        modem_->connect_failed(error);
                      },
                      [this](std::span<const std::uint8_t> bytes) { modem_->from_network(bytes); },
                      [this] {
                        tell(Link::State::kClosed);
                        modem_->closed_by_peer();
                      }});
  carrier_->connect(host, port);
  if (slow_) carrier_->pause(true);
}

bool ModemLine::transmit(std::span<const std::uint8_t> bytes) { return !carrier_ || carrier_->transmit(bytes); }

void ModemLine::disconnect() {
  if (!carrier_) return;
  if (modem_->carrier()) {
    carrier_->finish();
  } else {
    carrier_->mute();
    lost_ = carrier_;
  }
  carrier_.reset();
  tell(Link::State::kClosed);
}

void ModemLine::set_shape(Shape shape) {
  shape_ = shape;
  if (carrier_) carrier_->set_shape(shape);
}

void ModemLine::lose_carrier(std::optional<std::chrono::milliseconds> duration) {
  set_carrier(false);
  carrier_timer_.cancel();
  if (!duration) return;
  carrier_timer_.expires_after(*duration);
  carrier_timer_.async_wait([this](error_code error) {
    if (!error) set_carrier(true);
  });
}

void ModemLine::find_carrier() {
  carrier_timer_.cancel();
  set_carrier(true);
}

void ModemLine::set_carrier(bool there) {
  if (there) hang_up_lost();
  modem_->set_carrier(there);
}

// The old connection is closed only when there is a way again: until then the cloud cannot know that its peer is gone.
void ModemLine::hang_up_lost() {
  if (lost_) lost_->drop();
  lost_.reset();
}

bool ModemLine::set_wifi(WifiState state, std::optional<std::chrono::milliseconds> duration) {
  if (!wifi_) return false;
  change_wifi(state);
  wifi_timer_.cancel();
  if (!duration) return true;
  wifi_timer_.expires_after(*duration);
  wifi_timer_.async_wait([this](error_code error) {
    if (!error) change_wifi(WifiState::kUp);
  });
  return true;
}

void ModemLine::change_wifi(WifiState state) {
  wifi_ = state;
  if (state == WifiState::kUp) hang_up_lost();
  modem_->set_wifi(state);
}

void ModemLine::set_timer(Timer timer, std::chrono::milliseconds after) {
  auto& one = timers_[static_cast<std::size_t>(timer)];
  one.expires_after(after);
  one.async_wait([this, timer, cycle = power_cycle_](error_code error) {
    if (error || cycle != power_cycle_) return;
    modem_->expired(timer);
    if (room_observer_) room_observer_();
  });
}

}  // namespace mv::emulator
