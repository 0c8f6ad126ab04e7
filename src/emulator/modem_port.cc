#include "emulator/modem_port.h"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace mv::emulator {
namespace {

using boost::system::error_code;
using Socket = boost::asio::local::stream_protocol::socket;

}  // namespace

ModemPort::ModemPort(boost::asio::io_context& context, const ModemKind& kind)
    : listener_(context), uart_(context), line_(context, kind, [this](std::string_view bytes) { to_uart(bytes); }) {
  line_.on_room([this] { read_uart(); });
}

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
    line_.power_on();
    read_uart();
    accept();
  });
}

void ModemPort::power_off() {
  ++power_cycle_;
  reading_ = false;
  error_code ignored;
  uart_.close(ignored);
  uart_queue_.clear();
  uart_writing_.clear();
  line_.power_off();
}

// The modem's flow control: bytes that it has no room for stay where they are.
void ModemPort::read_uart() {
  if (reading_ || !uart_.is_open() || !line_.takes_uart()) return;
  reading_ = true;
  uart_.async_read_some(boost::asio::buffer(uart_buffer_),
                        [this, cycle = power_cycle_](error_code error, std::size_t length) {
                          if (error == boost::asio::error::operation_aborted || cycle != power_cycle_) return;
                          if (error) return power_off();
                          reading_ = false;
                          line_.from_uart(std::span(uart_buffer_).first(length));
                          read_uart();
                        });
}

void ModemPort::to_uart(std::string_view bytes) {
  if (!uart_.is_open()) return;
  uart_queue_.append(bytes);
  if (uart_writing_.empty()) write_uart();
  line_.uart_backlog(uart_queue_.size());
}

void ModemPort::write_uart() {
  uart_writing_ = std::exchange(uart_queue_, {});
  boost::asio::async_write(uart_, boost::asio::buffer(uart_writing_),
                           [this, cycle = power_cycle_](error_code error, std::size_t) {
                             if (error == boost::asio::error::operation_aborted || cycle != power_cycle_) return;
                             uart_writing_.clear();
                             if (error) return;
                             line_.uart_backlog(uart_queue_.size());
                             if (uart_writing_.empty() && !uart_queue_.empty()) write_uart();
                           });
}

}  // namespace mv::emulator
