// Messages on the debug channel: two bytes of length, big-endian, then as many bytes.
//
// Bytes in, messages out; no I/O. The longest request that is taken is a resume with 32 ranges, 32 breakpoints to
// insert and as many to remove, and all the expressions that breakpoint_programs.h has room for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace mv::debug {

inline constexpr std::size_t kLengthSize = 2;
inline constexpr std::size_t kMaxRequest = 2304;  // bytes of an encoded AgentRequest
inline constexpr std::size_t kMaxReply = 2560;    // bytes of an encoded AgentReply

// Puts a request together. Holds one.
class MessageReader {
 public:
  enum class Result : std::uint8_t {
    kIncomplete,
    kMessage,
    kTooLong,  // a message above kMaxRequest begins; its bytes are skipped
  };

  // Takes bytes from the front of `bytes`, which is advanced past them, up to the end of one message.
  Result take(std::span<const std::uint8_t>& bytes);

  // After kMessage, until the next `take`.
  std::span<const std::uint8_t> message() const { return std::span(buffer_).first(size_); }

  // Drops what was begun: the connection is a new one.
  void clear();

 private:
  Result begin_message();

  std::array<std::uint8_t, kMaxRequest> buffer_{};
  std::array<std::uint8_t, kLengthSize> length_{};
  std::size_t length_taken_ = 0;
  std::size_t size_ = 0;   // of the message
  std::size_t taken_ = 0;  // of its bytes
  bool skipping_ = false;
};

}  // namespace mv::debug
