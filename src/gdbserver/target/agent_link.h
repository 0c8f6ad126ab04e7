// The byte stream between the agent client and a device, whatever carries it, and its loss.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "gdbserver/target/error.h"

namespace mv::gdb {

class AgentLink {
 public:
  struct Lost {
    Error error;
    bool retry;  // opening it again may help
  };

  struct Events {
    std::function<void()> on_open;
    std::function<void(std::span<const std::uint8_t>)> on_data;
    std::function<void(const Lost&)> on_lost;  // once, and nothing after it until the next `open`
  };

  virtual ~AgentLink() = default;

  // Begins to connect. Events come from the event loop, never from within a call. After on_lost it may be called again.
  virtual void open(Events events) = 0;
  virtual void send(std::span<const std::uint8_t> bytes) = 0;
  // No event comes after this.
  virtual void close() = 0;
};

}  // namespace mv::gdb
