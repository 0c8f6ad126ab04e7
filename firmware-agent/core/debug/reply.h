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

// Whatever its size: what the channel needs to know.
class OutgoingMessage {
 public:
  OutgoingMessage(const OutgoingMessage&) = delete;
  OutgoingMessage& operator=(const OutgoingMessage&) = delete;

  // Encodes `reply` and makes it the one to send. False if it does not fit; the buffer is then empty.
  bool encode(const mv_wire_AgentReply& reply) {
    const auto body = buffer_.subspan(kLengthSize);
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

  std::span<const std::uint8_t> unsent() const { return buffer_.first(size_).subspan(sent_); }
  bool begun() const { return sent_ != 0 && sent_ != size_; }
  void sent(std::size_t bytes) { sent_ += bytes; }

 protected:
  explicit OutgoingMessage(std::span<std::uint8_t> buffer) : buffer_(buffer) {}
  ~OutgoingMessage() = default;

 private:
  std::span<std::uint8_t> buffer_;
  std::size_t size_ = 0;
  std::size_t sent_ = 0;
};

template <std::size_t kCapacity>
class ReplyBuffer final : public OutgoingMessage {
 public:
  ReplyBuffer() : OutgoingMessage(bytes_) {}

 private:
  std::array<std::uint8_t, kLengthSize + kCapacity> bytes_{};
};

}  // namespace mv::debug
