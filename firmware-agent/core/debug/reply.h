// One encoded AgentReply with its length before it, and how much of it was sent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <pb_encode.h>

#include "core/debug/message.h"
#include "wire/proto/agent.nanopb.h"

namespace mv::debug {

template <std::size_t kCapacity>
class ReplyBuffer {
 public:
  // Encodes `reply` and makes it the one to send. False if it does not fit; the buffer is then empty.
  bool encode(const mv_wire_AgentReply& reply) {
    const auto body = std::span(buffer_).subspan(kLengthSize);
    pb_ostream_t stream = pb_ostream_from_buffer(body.data(), body.size());
    const bool fits = pb_encode(&stream, mv_wire_AgentReply_fields, &reply);
    const std::size_t length = fits ? stream.bytes_written : 0;
    buffer_[0] = static_cast<std::uint8_t>(length >> 8);
    buffer_[1] = static_cast<std::uint8_t>(length);
    size_ = fits ? kLengthSize + length : 0;
    sent_ = 0;
    return fits;
  }

  void send_again() { sent_ = 0; }
  void drop() { sent_ = size_; }  // what was not sent is not sent any more; it may be asked for again

  std::span<const std::uint8_t> unsent() const { return std::span(buffer_).first(size_).subspan(sent_); }
  void sent(std::size_t bytes) { sent_ += bytes; }

 private:
  std::array<std::uint8_t, kLengthSize + kCapacity> buffer_{};
  std::size_t size_ = 0;
  std::size_t sent_ = 0;
};

}  // namespace mv::debug
