// A byte stream to one peer, as seen by what speaks a protocol on it. The sockets and TLS are in server.cc; tests put
// memory in its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cloud/text.h"

namespace mv::cloud {

class Connection {
 public:
  virtual ~Connection() = default;

  // Queues the bytes. Never blocks and never calls the user back.
  virtual void write(std::string_view bytes) = 0;
  // Bytes queued and not yet taken by the socket: who sends much looks at it first and goes on in `on_drained`.
  virtual std::size_t unsent() const = 0;
  virtual void pause_reading(bool paused) = 0;
  // Sends what is queued, then closes. Nothing that arrives is delivered any more.
  virtual void close() = 0;
  // "192.0.2.7:50123"
  virtual const std::string& peer() const = 0;
};

class ConnectionUser {
 public:
  virtual ~ConnectionUser() = default;

  virtual void on_bytes(std::span<const std::uint8_t> bytes) = 0;
  // All that was queued went out.
  virtual void on_drained() = 0;
  // About once a second: for time-outs.
  virtual void on_tick(Microseconds now) = 0;
  // The server is going to end: finish what is being answered, then close.
  virtual void on_shutdown() = 0;
  // The peer is gone or `close` is done. The last call; destruction follows.
  virtual void on_closed() = 0;
};

}  // namespace mv::cloud
