#include "core/link/frame_link.h"

#include <algorithm>

namespace mv::link {

static_assert(frame::kMaxFrame <= tls::kMaxRecord, "a frame is one TLS record, so that TLS takes it whole or not");

void FrameLink::begin(tls::TlsSession& tls) {
  tls_ = &tls;
  decoder_ = {};
  multiplex_ = {};
  unread_ = {};
  out_size_ = 0;
}

bool FrameLink::refill() {
  while (unread_.empty()) {
    unread_ = std::span(plain_).first(tls_->read(plain_));
    if (unread_.empty() && (tls_->blocked() || tls_->state() != tls::TlsSession::State::kOpen)) return false;
  }
  return true;
}

tl::expected<std::optional<FrameLink::Received>, std::string_view> FrameLink::receive() {
  while (refill()) {
    const auto frame = decoder_.next(unread_);
    if (!frame && frame.error() == frame::FrameError::kIncomplete) continue;
    if (!frame) return tl::make_unexpected(std::string_view(frame::describe(frame.error())));
    const auto action = multiplex_.received(*frame);
    if (!action) return tl::make_unexpected(std::string_view(frame::describe(action.error())));
    return Received{*action, *frame};
  }
  return std::nullopt;
}

void FrameLink::send(frame::Type type, frame::Stream stream, std::size_t size) {
  const auto header = frame::encode_header(type, stream, size);
  std::copy(header.begin(), header.end(), out_.begin());
  out_size_ = frame::kHeaderSize + size;
  if (type == frame::Type::kData) multiplex_.sent(stream, static_cast<std::uint32_t>(size));
  flush();
}

void FrameLink::send(frame::Type type, frame::Stream stream, std::span<const std::uint8_t> bytes) {
  std::copy(bytes.begin(), bytes.end(), payload().begin());
  send(type, stream, bytes.size());
}

bool FrameLink::flush() {
  const bool waited = tls_->unsent();
  if (waited) tls_->step();
  if (out_size_ > 0 && tls_->write(std::span(out_).first(out_size_)) > 0) {
    out_size_ = 0;
    return true;
  }
  return waited && !tls_->unsent();
}

std::size_t FrameLink::sendable(frame::Stream stream) const {
  return std::min<std::size_t>(frame::kMaxPayload, multiplex_.sendable(stream));
}

}  // namespace mv::link
