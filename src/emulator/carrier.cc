#include "emulator/carrier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

#include "transport/loopback.h"

namespace mv::emulator {
namespace {

using boost::system::error_code;

// A real modem's send buffer has a few segments; past that it answers SEND FAIL.
constexpr std::size_t kSendBuffer = 32 * 1024;
// What the network holds for the device at most before the sender feels it.
constexpr std::size_t kDownlinkLimit = 64 * 1024;
constexpr std::size_t kSegment = 1460;

}  // namespace

Carrier::Carrier(boost::asio::io_context& context, AirCounters& counters, Shape shape, Events events)
    : resolver_(context),
      socket_(context),
      timer_(context),
      counters_(counters),
      shape_(shape),
      events_(std::move(events)),
      read_buffer_(kSegment) {
  up_.set_shape(shape);
  down_.set_shape(shape);
}

void Carrier::connect(const std::string& host, std::uint16_t port) {
  resolver_.async_resolve(transport::name_to_resolve(host), std::to_string(port),
                          [self = shared_from_this()](error_code error, auto addresses) {
                            if (self->state_ != State::kConnecting) return;
                            if (error) return self->events_.failed(ConnectError::kNoSuchHost);
                            self->resolved(addresses);
                          });
}

void Carrier::resolved(const boost::asio::ip::tcp::resolver::results_type& addresses) {
  boost::asio::async_connect(socket_, addresses, [self = shared_from_this()](error_code error, const auto&) {
    if (self->state_ != State::kConnecting) return;
    if (error) return self->events_.failed(ConnectError::kRefused);
    // SYN and SYN-ACK cross the line before the modem knows.
    self->timer_.expires_after(2 * self->shape_.delay);
    self->timer_.async_wait([self](error_code) {
      if (self->state_ == State::kConnecting) self->opened();
    });
  });
}

void Carrier::opened() {
  state_ = State::kOpen;
  ++counters_.connections;
  error_code ignored;
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  read();
  events_.connected();
}

bool Carrier::transmit(std::span<const std::uint8_t> bytes) {
  if (state_ != State::kOpen) return true;  // what is sent into a dead line is lost, as on the air
  if (up_.queued() + writing_.size() + bytes.size() > kSendBuffer) return false;
  up_.push(LineClock::now(), {bytes.begin(), bytes.end()});
  arm();
  return true;
}

void Carrier::set_shape(Shape shape) {
  shape_ = shape;
  up_.set_shape(shape);
  down_.set_shape(shape);
}

void Carrier::pause(bool paused) {
  paused_ = paused;
  if (alive()) pump();
}

void Carrier::read() {
  if (reading_ || peer_ended_ || state_ != State::kOpen || paused_ || down_.queued() > kDownlinkLimit) return;
  reading_ = true;
  socket_.async_read_some(boost::asio::buffer(read_buffer_),
                          [self = shared_from_this()](error_code error, std::size_t length) {
                            self->reading_ = false;
                            if (self->state_ != State::kOpen) return;
                            error ? self->peer_closed() : self->received(length);
                          });
}

void Carrier::received(std::size_t length) {
  const auto end = read_buffer_.begin() + static_cast<std::ptrdiff_t>(length);
  down_.push(LineClock::now(), {read_buffer_.begin(), end});
  arm();
  read();
}

// The end crosses the line like data, behind all that came before.
void Carrier::peer_closed() {
  peer_ended_ = true;
  down_.push(LineClock::now(), {});
  arm();
}

// Wakes `pump` when the next piece in either direction is due.
void Carrier::arm() {
  const auto up = writing_.empty() ? up_.next_due() : std::nullopt;
  const auto down = paused_ || state_ != State::kOpen ? std::nullopt : down_.next_due();
  if (!up && !down) return;
  timer_.expires_at(std::min(up.value_or(LineClock::time_point::max()), down.value_or(LineClock::time_point::max())));
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error && self->alive()) self->pump();
  });
}

void Carrier::pump() {
  pump_up();
  pump_down();
  if (!alive()) return;
  if (state_ == State::kFinishing && up_.queued() == 0 && writing_.empty()) return drop();
  read();
  arm();
}

void Carrier::pump_down() {
  while (state_ == State::kOpen && !paused_) {
    const auto piece = down_.pop(LineClock::now());
    if (!piece) return;
    if (piece->empty()) {
      const auto closed = events_.closed;
      drop();
      return closed();
    }
    counters_.bytes_down += piece->size();
    events_.received(*piece);
  }
}

void Carrier::pump_up() {
  if (!writing_.empty()) return;
  auto piece = up_.pop(LineClock::now());
  if (!piece) return;
  writing_ = *std::move(piece);
  counters_.bytes_up += writing_.size();
  boost::asio::async_write(socket_, boost::asio::buffer(writing_),
                           [self = shared_from_this()](error_code error, std::size_t) {
                             self->writing_.clear();
                             if (!self->alive()) return;
                             // A broken connection shows in `read` as well, which tells the device.
                             if (error && self->state_ == State::kFinishing) return self->drop();
                             if (!error) self->pump();
                           });
}

void Carrier::finish() {
  silence();
  if (state_ != State::kOpen) return drop();
  state_ = State::kFinishing;
  pump();
}

void Carrier::mute() {
  silence();
  if (state_ != State::kOpen) return drop();
  state_ = State::kMute;
  timer_.cancel();
}

void Carrier::drop() {
  silence();
  state_ = State::kDropped;
  error_code ignored;
  resolver_.cancel();
  timer_.cancel();
  socket_.close(ignored);
}

void Carrier::silence() {
  events_ = {[] {}, [](ConnectError) {}, [](std::span<const std::uint8_t>) {}, [] {}};
}

}  // namespace mv::emulator
