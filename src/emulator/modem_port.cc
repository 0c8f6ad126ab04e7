#include "emulator/modem_port.h"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace mv::emulator {
namespace {

using boost::system::error_code;
using Socket = boost::asio::local::stream_protocol::socket;

// Bytes that wait for the UART before the network is slowed down.
constexpr std::size_t kUartHigh = 8 * 1024;
constexpr std::size_t kUartLow = 2 * 1024;

}  // namespace

ModemPort::ModemPort(boost::asio::io_context& context)
    : context_(context), listener_(context), uart_(context), carrier_timer_(context), modem_(*this) {}

ModemPort::~ModemPort() { power_off(); }

tl::expected<void, std::string> ModemPort::listen(const std::string& path) {
  auto listening = listener_.listen(path);
  if (listening) accept();
  return listening;
}

void ModemPort::accept() {
  listener_.accept([this](error_code error, Socket socket) {
    if (error) return;
    power_off();
    uart_ = std::move(socket);
    modem_.power_on();
    read_uart();
    accept();
  });
}

void ModemPort::power_off() {
  ++power_cycle_;
  error_code ignored;
  uart_.close(ignored);
  uart_queue_.clear();
  uart_writing_.clear();
  if (carrier_) carrier_->drop();
  carrier_.reset();
}

void ModemPort::read_uart() {
  uart_.async_read_some(boost::asio::buffer(uart_buffer_),
                        [this, cycle = power_cycle_](error_code error, std::size_t length) {
                          if (error == boost::asio::error::operation_aborted || cycle != power_cycle_) return;
                          if (error) return power_off();
                          modem_.from_uart(std::span(uart_buffer_).first(length));
                          read_uart();
                        });
}

void ModemPort::to_uart(std::string_view bytes) {
  if (!uart_.is_open()) return;
  uart_queue_.append(bytes);
  if (uart_writing_.empty()) write_uart();
  if (carrier_ && uart_queue_.size() > kUartHigh) carrier_->pause(true);
}

void ModemPort::write_uart() {
  uart_writing_ = std::exchange(uart_queue_, {});
  boost::asio::async_write(uart_, boost::asio::buffer(uart_writing_),
                           [this, cycle = power_cycle_](error_code error, std::size_t) {
                             if (error == boost::asio::error::operation_aborted || cycle != power_cycle_) return;
                             uart_writing_.clear();
                             if (error) return;
                             if (carrier_ && uart_queue_.size() < kUartLow) carrier_->pause(false);
                             if (uart_writing_.empty() && !uart_queue_.empty()) write_uart();
                           });
}

void ModemPort::connect(const std::string& host, std::uint16_t port) {
  carrier_ = std::make_shared<Carrier>(
      context_, counters_, shape_,
      Carrier::Events{[this] { modem_.connected(); }, [this](ConnectError error) { modem_.connect_failed(error); },
                      [this](std::span<const std::uint8_t> bytes) { modem_.from_network(bytes); },
                      [this] { modem_.closed_by_peer(); }});
  carrier_->connect(host, port);
}

bool ModemPort::transmit(std::span<const std::uint8_t> bytes) { return !carrier_ || carrier_->transmit(bytes); }

void ModemPort::disconnect() {
  if (!carrier_) return;
  if (modem_.carrier()) {
    carrier_->finish();
  } else {
    carrier_->mute();
    lost_ = carrier_;
  }
  carrier_.reset();
}

void ModemPort::set_shape(Shape shape) {
  shape_ = shape;
  if (carrier_) carrier_->set_shape(shape);
}

void ModemPort::lose_carrier(std::optional<std::chrono::milliseconds> duration) {
  set_carrier(false);
  carrier_timer_.cancel();
  if (!duration) return;
  carrier_timer_.expires_after(*duration);
  carrier_timer_.async_wait([this](error_code error) {
    if (!error) set_carrier(true);
  });
}

void ModemPort::find_carrier() {
  carrier_timer_.cancel();
  set_carrier(true);
}

void ModemPort::set_carrier(bool there) {
  modem_.set_carrier(there);
  // The old connection is closed only now: until then the cloud has no way to know that its peer is gone.
  if (there && lost_) lost_->drop();
  if (there) lost_.reset();
}

}  // namespace mv::emulator
