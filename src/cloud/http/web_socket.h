// WebSocket frames of a server (RFC 6455, version 13), without extensions. Bytes in, messages out; no I/O.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cloud/text.h"

namespace mv::cloud::web_socket {

// The value of Sec-WebSocket-Accept for a Sec-WebSocket-Key; nothing if the key is not 16 bytes in base64.
std::optional<std::string> accept_value(std::string_view key);

enum class Opcode : std::uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

// Longest payload of a frame that is taken.
inline constexpr std::size_t kMaxPayload = 64 * 1024;

std::string encode(Opcode opcode, std::string_view payload);
std::string encode_close(std::uint16_t code, std::string_view reason);

// Decodes frames of a client. The pieces of a fragmented message are given as they come: what runs on top is a stream
// of bytes, and message boundaries mean nothing to it.
class Decoder {
 public:
  struct Event {
    Opcode opcode;  // kBinary for every piece of a binary message, kClose, kPing, kPong
    std::string payload;
  };
  struct Problem {
    std::uint16_t close_code;  // 1002 protocol error, 1003 text is not taken, 1009 too big
    Sentence sentence;
  };

  // Takes all the bytes. Calls `on_event` for each frame; it returns false to stop.
  tl::expected<void, Problem> push(std::string_view bytes, const std::function<bool(Event)>& on_event);

 private:
  struct Header {
    bool final;
    Opcode opcode;
    std::size_t size;    // of the header, mask included
    std::size_t length;  // of the payload
  };

  // Nothing if there are too few bytes yet.
  tl::expected<std::optional<Header>, Problem> read_header() const;
  tl::expected<void, Problem> check_order(const Header& header);

  std::string buffer_;
  bool in_message_ = false;
};

}  // namespace mv::cloud::web_socket
