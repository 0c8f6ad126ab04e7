// Frames of the multiplex on a TLS session: takes one at a time, sends one at a time. About 4.8 KiB.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <tl/expected.hpp>

#include "core/tls/tls_session.h"
#include "wire/frame.h"
#include "wire/multiplex.h"

namespace mv::link {

class FrameLink {
 public:
  struct Received {
    frame::Multiplex::Action action;
    frame::Frame frame;  // valid until the next `receive`
  };

  // A new connection: forgets all of the one before. `tls` must live until the next `begin`.
  void begin(tls::TlsSession& tls);

  // The next frame, if it is whole. On error, a sentence: the peer broke the rules and the link is to be closed.
  tl::expected<std::optional<Received>, std::string_view> receive();

  // True if the frame before is with TLS, so that another one may be made.
  bool can_send() const { return out_size_ == 0; }

  // Where to write the payload of the next frame. Only if `can_send`.
  std::span<std::uint8_t> payload() { return std::span(out_).subspan(frame::kHeaderSize); }

  // Sends it: `size` bytes that were written to `payload`. Data spends credit, which must be there (`sendable`).
  void send(frame::Type type, frame::Stream stream, std::size_t size);
  void send(frame::Type type, frame::Stream stream, std::span<const std::uint8_t> bytes);

  // Gives TLS what it did not take before. True if something moved.
  bool flush();

  // Bytes of payload that one DATA frame on the stream may have now.
  std::size_t sendable(frame::Stream stream) const;

  frame::Multiplex& multiplex() { return multiplex_; }
  const frame::Multiplex& multiplex() const { return multiplex_; }

 private:
  bool refill();

  tls::TlsSession* tls_ = nullptr;
  frame::FrameDecoder decoder_;
  frame::Multiplex multiplex_;
  std::array<std::uint8_t, 512> plain_{};
  std::span<const std::uint8_t> unread_;  // of plain_
  std::array<std::uint8_t, frame::kMaxFrame> out_{};
  std::size_t out_size_ = 0;
};

}  // namespace mv::link
