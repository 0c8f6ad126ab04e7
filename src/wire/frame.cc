#include "wire/frame.h"

#include <algorithm>

namespace mv::frame {
namespace {

bool known_type(std::uint8_t type) {
  return type >= static_cast<std::uint8_t>(Type::kOpen) && type <= static_cast<std::uint8_t>(Type::kPong);
}

bool length_fits(Type type, std::size_t length) {
  switch (type) {
    case Type::kOpen:
    case Type::kCredit:
      return length == 4;
    case Type::kPing:
    case Type::kPong:
      return length == 8;
    case Type::kClose:
      return length >= 2 && length <= kMaxPayload;
    case Type::kData:
      return length <= kMaxPayload;
  }
  return false;
}

}  // namespace

const char* describe(FrameError error) {
  switch (error) {
    case FrameError::kIncomplete:
      return "the frame is not complete yet";
    case FrameError::kUnknownType:
      return "a frame has a type that this protocol version does not know";
    case FrameError::kUnknownStream:
      return "a frame names a stream number that does not exist";
    case FrameError::kTooLong:
      return "a frame has a length that its type does not allow";
  }
  return "unknown framing error";
}

std::array<std::uint8_t, kHeaderSize> encode_header(Type type, Stream stream, std::size_t length) {
  return {static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(stream), static_cast<std::uint8_t>(length >> 8),
          static_cast<std::uint8_t>(length & 0xFF)};
}

std::span<std::uint8_t> encode(std::span<std::uint8_t> out, Type type, Stream stream,
                               std::span<const std::uint8_t> payload) {
  const auto header = encode_header(type, stream, payload.size());
  std::copy(header.begin(), header.end(), out.begin());
  std::copy(payload.begin(), payload.end(), out.begin() + kHeaderSize);
  return out.first(kHeaderSize + payload.size());
}

std::uint32_t read_u32(std::span<const std::uint8_t, 4> bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

std::array<std::uint8_t, 4> write_u32(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16 & 0xFF),
          static_cast<std::uint8_t>(value >> 8 & 0xFF), static_cast<std::uint8_t>(value & 0xFF)};
}

tl::expected<Frame, FrameError> FrameDecoder::next(std::span<const std::uint8_t>& bytes) {
  if (whole_) {
    whole_ = false;
    length_ = 0;
  }
  take(bytes, kHeaderSize);
  if (length_ < kHeaderSize) return tl::make_unexpected(FrameError::kIncomplete);
  const auto payload = check_header();
  if (!payload) return tl::make_unexpected(payload.error());
  take(bytes, kHeaderSize + *payload);
  if (length_ < kHeaderSize + *payload) return tl::make_unexpected(FrameError::kIncomplete);
  whole_ = true;
  return Frame{static_cast<Type>(buffer_[0]), static_cast<Stream>(buffer_[1]),
               std::span<const std::uint8_t>(buffer_).subspan(kHeaderSize, *payload)};
}

void FrameDecoder::take(std::span<const std::uint8_t>& bytes, std::size_t until) {
  if (length_ >= until) return;
  const std::size_t count = std::min(until - length_, bytes.size());
  std::copy_n(bytes.begin(), count, buffer_.begin() + static_cast<std::ptrdiff_t>(length_));
  length_ += count;
  bytes = bytes.subspan(count);
}

tl::expected<std::size_t, FrameError> FrameDecoder::check_header() const {
  if (!known_type(buffer_[0])) return tl::make_unexpected(FrameError::kUnknownType);
  if (buffer_[1] >= kStreamLimit) return tl::make_unexpected(FrameError::kUnknownStream);
  const std::size_t length = std::size_t{buffer_[2]} << 8 | buffer_[3];
  if (!length_fits(static_cast<Type>(buffer_[0]), length)) return tl::make_unexpected(FrameError::kTooLong);
  return length;
}

}  // namespace mv::frame
