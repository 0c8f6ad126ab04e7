#include "core/update/delta/segment_writer.h"

#include <algorithm>

namespace mv::update::delta {

void SegmentWriter::begin(std::uint32_t size) {
  left_ = size;
  filled_ = 0;
}

Done SegmentWriter::reserve(std::uint32_t size) {
  if (size > left_) return tl::make_unexpected(DecodeError::kBadOperation);
  left_ -= size;
  return {};
}

Done SegmentWriter::write(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > left_) return tl::make_unexpected(DecodeError::kBadOperation);
  left_ -= static_cast<std::uint32_t>(bytes.size());
  while (!bytes.empty()) {
    const auto part = std::min<std::size_t>(bytes.size(), buffer_.size() - filled_);
    std::copy_n(bytes.begin(), part, buffer_.begin() + filled_);
    filled_ += static_cast<std::uint32_t>(part);
    bytes = bytes.subspan(part);
    if (filled_ == buffer_.size()) {
      if (Done done = flush(); !done) return done;
    }
  }
  return {};
}

Done SegmentWriter::copy(std::uint32_t offset, std::uint32_t size) {
  if (Done done = reserve(size); !done) return done;
  if (!in_old(offset, size)) return tl::make_unexpected(DecodeError::kOutsideOld);
  while (size > 0) {
    const auto part = std::min(size, static_cast<std::uint32_t>(buffer_.size()) - filled_);
    if (!old_.read(offset, std::span(buffer_).subspan(filled_, part))) {
      return tl::make_unexpected(DecodeError::kOldUnreadable);
    }
    filled_ += part;
    offset += part;
    size -= part;
    if (filled_ == buffer_.size()) {
      if (Done done = flush(); !done) return done;
    }
  }
  return {};
}

Done SegmentWriter::copy_changed(std::uint32_t offset, std::uint32_t size, std::uint16_t difference) {
  if (!in_old(offset, size)) return tl::make_unexpected(DecodeError::kOutsideOld);
  std::array<std::uint8_t, 2> bytes{};
  if (!old_.read(offset, std::span(bytes).first(size))) return tl::make_unexpected(DecodeError::kOldUnreadable);
  const std::uint32_t sum = bytes[0] + (std::uint32_t{bytes[1]} << 8) + difference;
  bytes = {static_cast<std::uint8_t>(sum), static_cast<std::uint8_t>(sum >> 8)};
  return write(std::span<const std::uint8_t>(bytes).first(size));
}

Done SegmentWriter::flush() {
  const auto bytes = std::span<const std::uint8_t>(buffer_).first(filled_);
  filled_ = 0;
  if (!bytes.empty() && !sink_.write(bytes)) return tl::make_unexpected(DecodeError::kSinkRefused);
  return {};
}

}  // namespace mv::update::delta
