// The TCP connection behind the virtual modem, over a line with delay and rate.
//
// Runs on one io_context and one thread. Kept alive by its own pending operations, so that what was sent before the
// device hung up still leaves.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "emulator/modem.h"
#include "emulator/shaped_line.h"

namespace mv::emulator {

// Payload bytes of TCP that came out of the line, since the start of the emulator.
struct AirCounters {
  std::uint64_t bytes_up = 0;  // device to cloud
  std::uint64_t bytes_down = 0;
  std::uint64_t connections = 0;
};

class Carrier : public std::enable_shared_from_this<Carrier> {
 public:
  struct Events {
    std::function<void()> connected;
    std::function<void(ConnectError)> failed;
    std::function<void(std::span<const std::uint8_t>)> received;
    std::function<void()> closed;
  };

  // `counters` outlives the carrier.
  Carrier(boost::asio::io_context& context, AirCounters& counters, Shape shape, Events events);

  void connect(const std::string& host, std::uint16_t port);

  // False if the send buffer is full.
  bool transmit(std::span<const std::uint8_t> bytes);

  void set_shape(Shape shape);

  // While paused nothing more is read from the network: the UART is behind.
  void pause(bool paused);

  // The device hung up: what is on the line still arrives, then the connection is closed. No event follows.
  void finish();

  // The radio is gone: nothing passes any more, in either direction, and the peer is not told. No event follows.
  void mute();

  // Closes at once. No event follows.
  void drop();

 private:
  enum class State : std::uint8_t { kConnecting, kOpen, kFinishing, kMute, kDropped };

  void resolved(const boost::asio::ip::tcp::resolver::results_type& addresses);
  void opened();
  void read();
  void received(std::size_t length);
  void peer_closed();
  void arm();
  void pump();
  void pump_down();
  void pump_up();
  void silence();
  bool alive() const { return state_ == State::kOpen || state_ == State::kFinishing; }

  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  AirCounters& counters_;
  Shape shape_;
  Events events_;
  State state_ = State::kConnecting;
  ShapedLine up_;
  ShapedLine down_;
  std::vector<std::uint8_t> read_buffer_;
  std::vector<std::uint8_t> writing_;
  bool reading_ = false;
  bool paused_ = false;
  bool peer_ended_ = false;
};

}  // namespace mv::emulator
