// A two-way stream of bytes with callbacks: what the debug session, TLS and relays run on, whatever carries the bytes.
//
// Everything happens on one thread, the one that runs the pipe's io_context: callbacks come from there and calls must
// be made there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace mv::transport {

// How a pipe ended.
struct PipeEnd {
  enum class Reason : std::uint8_t {
    kPeerClosed,  // the peer ended it in good order; `code` and `text` say why if the carrier has words for it
    kLost,        // the carrier broke: the peer may still be there, connecting again may help
  };

  Reason reason = Reason::kLost;
  std::uint16_t code = 0;  // a frame::CloseReason if the peer gave one, else 0 (kDone)
  std::string text;        // one sentence for a person
};

class BytePipe {
 public:
  // `bytes` is valid during the call only.
  using OnData = std::function<void(std::span<const std::uint8_t> bytes)>;
  using OnClosed = std::function<void(const PipeEnd& end)>;

  // Destroying a pipe closes it; no callback comes after that.
  virtual ~BytePipe() = default;

  // Begins to deliver; called once. What arrived before is kept and delivered first. `on_closed` is called at most
  // once, after the last `on_data`, and never if `close` was called. No callback comes from within `start`. The pipe
  // may be destroyed from within either callback.
  virtual void start(OnData on_data, OnClosed on_closed) = 0;

  // Queues a copy of `bytes`; they leave in order. Ignored once the pipe has ended.
  virtual void send(std::span<const std::uint8_t> bytes) = 0;

  // Bytes accepted by `send` that have not left yet: a sender of much data waits while this is large.
  virtual std::size_t unsent() const = 0;

  // Sends what is queued, then ends the pipe. No callback comes after this. Harmless if it has ended.
  virtual void close() = 0;
};

}  // namespace mv::transport
