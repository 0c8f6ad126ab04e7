#include "transport/memory_pipe.h"

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace mv::transport {

// Shared with the deliveries that are posted, which may outlive the MemoryPipe.
struct MemoryPipe::End : std::enable_shared_from_this<End> {
  explicit End(boost::asio::io_context& io) : context(io) {}

  boost::asio::io_context& context;
  std::weak_ptr<End> peer;
  std::deque<std::vector<std::uint8_t>> received;
  std::optional<PipeEnd> ended;  // how the peer, or the cut, ended it
  OnData on_data;
  OnClosed on_closed;
  bool scheduled = false;
  bool open = true;  // false: closed by the owner, or the end was told

  void schedule() {
    if (scheduled || !on_data) return;
    scheduled = true;
    boost::asio::post(context, [self = shared_from_this()] { self->deliver(); });
  }

  void deliver() {
    scheduled = false;
    while (open && !received.empty()) {
      const std::vector<std::uint8_t> bytes = std::move(received.front());
      received.pop_front();
      // A copy, because the callback may destroy the pipe and so clear `on_data`.
      const OnData call = on_data;
      call(bytes);
    }
    if (!open || !ended) return;
    open = false;
    const OnClosed call = std::exchange(on_closed, nullptr);
    call(*ended);
  }

  void end(PipeEnd how) {
    if (ended) return;
    ended = std::move(how);
    schedule();
  }

  // Callbacks often own the pipe or things that do: letting go of them here breaks the circle.
  void shut() {
    open = false;
    on_data = nullptr;
    on_closed = nullptr;
    received.clear();
  }
};

MemoryPipe::Pair MemoryPipe::make(boost::asio::io_context& context) {
  auto first = std::make_shared<End>(context);
  auto second = std::make_shared<End>(context);
  first->peer = second;
  second->peer = first;
  return {std::unique_ptr<MemoryPipe>(new MemoryPipe(std::move(first))),
          std::unique_ptr<MemoryPipe>(new MemoryPipe(std::move(second)))};
}

MemoryPipe::~MemoryPipe() { close(); }

void MemoryPipe::start(OnData on_data, OnClosed on_closed) {
  end_->on_data = std::move(on_data);
  end_->on_closed = std::move(on_closed);
  end_->schedule();
}

void MemoryPipe::send(std::span<const std::uint8_t> bytes) {
  const auto peer = end_->peer.lock();
  if (!end_->open || end_->ended || !peer || !peer->open || bytes.empty()) return;
  peer->received.emplace_back(bytes.begin(), bytes.end());
  peer->schedule();
}

void MemoryPipe::close() { close_with(0, "the peer closed the connection"); }

void MemoryPipe::close_with(std::uint16_t code, std::string text) {
  if (!end_->open) return;
  end_->shut();
  if (const auto peer = end_->peer.lock()) peer->end({PipeEnd::Reason::kPeerClosed, code, std::move(text)});
}

void MemoryPipe::cut() {
  const PipeEnd how{PipeEnd::Reason::kLost, 0, "the connection was cut"};
  if (const auto peer = end_->peer.lock()) {
    peer->received.clear();
    peer->end(how);
  }
  end_->received.clear();
  end_->end(how);
}

}  // namespace mv::transport
