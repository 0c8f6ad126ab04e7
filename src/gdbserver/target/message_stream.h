// Messages on a byte stream: each is preceded by its length, two bytes, big-endian (src/wire/proto/agent.proto).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace mv::gdb {

inline constexpr std::size_t kMaxAgentMessage = 0xffff;

class MessageStream {
 public:
  // Takes all of `bytes`; whole messages are then had from `next`.
  void push(std::span<const std::uint8_t> bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }

  // The next whole message, if there is one.
  std::optional<std::vector<std::uint8_t>> next();

  void clear() { buffer_.clear(); }

 private:
  std::vector<std::uint8_t> buffer_;
};

// `message` with its length before it; at most kMaxAgentMessage bytes.
std::vector<std::uint8_t> frame_message(std::string_view message);

}  // namespace mv::gdb
