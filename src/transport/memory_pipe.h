// Two byte pipes connected in memory: the default carrier in tests.
#pragma once

#include <memory>

#include "transport/byte_pipe.h"

namespace boost::asio {
class io_context;
}

namespace mv::transport {

// One end of a pair. What one end sends the other receives, in the same pieces, from the io_context.
class MemoryPipe final : public BytePipe {
 public:
  struct Pair {
    std::unique_ptr<MemoryPipe> first;
    std::unique_ptr<MemoryPipe> second;
  };
  // `context` must outlive both ends.
  static Pair make(boost::asio::io_context& context);

  ~MemoryPipe() override;
  MemoryPipe(const MemoryPipe&) = delete;
  MemoryPipe& operator=(const MemoryPipe&) = delete;

  void start(OnData on_data, OnClosed on_closed) override;
  void send(std::span<const std::uint8_t> bytes) override;
  std::size_t unsent() const override { return 0; }
  void close() override;

  // Ends the pipe with a code and a sentence for the peer, as the cloud does with a WebSocket.
  void close_with(std::uint16_t code, std::string text);

  // Breaks the carrier: both ends are told kLost, and what is on its way is gone.
  void cut();

 private:
  struct End;
  explicit MemoryPipe(std::shared_ptr<End> end) : end_(std::move(end)) {}

  std::shared_ptr<End> end_;
};

}  // namespace mv::transport
