#include "gdbserver/target/message_stream.h"

namespace mv::gdb {
namespace {
constexpr std::size_t kHeader = 2;
}

std::optional<std::vector<std::uint8_t>> MessageStream::next() {
  if (buffer_.size() < kHeader) return std::nullopt;
  const std::size_t length = static_cast<std::size_t>(buffer_[0]) << 8 | buffer_[1];
  if (buffer_.size() < kHeader + length) return std::nullopt;
  const auto first = buffer_.begin() + kHeader;
  const auto last = first + static_cast<std::ptrdiff_t>(length);
  std::vector<std::uint8_t> message(first, last);
  buffer_.erase(buffer_.begin(), last);
  return message;
}

std::vector<std::uint8_t> frame_message(std::string_view message) {
  std::vector<std::uint8_t> out;
  out.reserve(kHeader + message.size());
  out.push_back(static_cast<std::uint8_t>(message.size() >> 8));
  out.push_back(static_cast<std::uint8_t>(message.size()));
  out.insert(out.end(), message.begin(), message.end());
  return out;
}

}  // namespace mv::gdb
