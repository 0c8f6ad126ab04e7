#include "core/debug/message.h"

#include <algorithm>

namespace mv::debug {

MessageReader::Result MessageReader::take(std::span<const std::uint8_t>& bytes) {
  if (length_taken_ == kLengthSize && taken_ == size_) clear();
  while (length_taken_ < kLengthSize) {
    if (bytes.empty()) return Result::kIncomplete;
    length_[length_taken_++] = bytes.front();
    bytes = bytes.subspan(1);
    if (length_taken_ == kLengthSize && begin_message() == Result::kTooLong) return Result::kTooLong;
  }
  const std::size_t part = std::min(bytes.size(), size_ - taken_);
  if (!skipping_) std::copy_n(bytes.begin(), part, buffer_.begin() + static_cast<std::ptrdiff_t>(taken_));
  bytes = bytes.subspan(part);
  taken_ += part;
  return taken_ == size_ && !skipping_ ? Result::kMessage : Result::kIncomplete;
}

void MessageReader::clear() {
  length_taken_ = 0;
  size_ = 0;
  taken_ = 0;
  skipping_ = false;
}

MessageReader::Result MessageReader::begin_message() {
  size_ = static_cast<std::size_t>(length_[0]) << 8 | length_[1];
  taken_ = 0;
  skipping_ = size_ > kMaxRequest;
  return skipping_ ? Result::kTooLong : Result::kIncomplete;
}

}  // namespace mv::debug
