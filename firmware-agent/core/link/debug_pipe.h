// The debug stream between the frame multiplex and the debug agent: a queue each way. About 4 KiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/link/peers.h"
#include "core/link/ring_buffer.h"

namespace mv::link {

class DebugPipe final : public DebugStream {
 public:
  // Credit given to the cloud: never more bytes are on their way than fit.
  static constexpr std::uint32_t kWindow = 2048;

  // The agent's end.
  std::size_t read(std::span<std::uint8_t> out) override;
  std::size_t write(std::span<const std::uint8_t> bytes) override;
  bool ended() const override { return !open_; }
  void close() override;

  // The multiplex's end.
  void begin();
  void end();
  void receive(std::span<const std::uint8_t> bytes) { (void)incoming_.push(bytes); }
  std::size_t take(std::span<std::uint8_t> out) { return outgoing_.pop(out); }
  std::size_t pending() const { return outgoing_.size(); }
  // Bytes that the agent has read since the last call, to be granted again.
  std::uint32_t take_consumed();
  // The agent closed the stream and all that it wrote has been taken.
  bool wants_close() const { return closing_ && outgoing_.size() == 0; }
  bool active() const { return open_ || closing_; }

 private:
  RingBuffer<kWindow> incoming_;
  RingBuffer<kWindow> outgoing_;
  std::uint32_t consumed_ = 0;
  bool open_ = false;
  bool closing_ = false;
};

}  // namespace mv::link
