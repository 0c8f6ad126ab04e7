#include "cloud/http/web_socket.h"

#include <openssl/sha.h>

#include <array>

namespace mv::cloud::web_socket {
namespace {

tl::unexpected<Decoder::Problem> problem(std::uint16_t code, Sentence sentence) {
  return tl::make_unexpected(Decoder::Problem{code, std::move(sentence)});
}

bool is_control(Opcode opcode) { return static_cast<std::uint8_t>(opcode) >= 8; }

bool known(std::uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

std::optional<std::string> accept_value(std::string_view key) {
  const auto nonce = from_base64(key);
  if (!nonce || nonce->size() != 16) return std::nullopt;
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 1.3
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return to_base64(as_chars(digest));
}

std::string encode(Opcode opcode, std::string_view payload) {
  std::string frame{static_cast<char>(0x80 | static_cast<std::uint8_t>(opcode))};
  if (payload.size() < 126) {
    frame += static_cast<char>(payload.size());
  } else if (payload.size() < 65536) {
    frame += static_cast<char>(126);
    frame += static_cast<char>(payload.size() >> 8);
    frame += static_cast<char>(payload.size() & 0xFF);
  } else {
    frame += static_cast<char>(127);
    for (int shift = 56; shift >= 0; shift -= 8) frame += static_cast<char>(payload.size() >> shift & 0xFF);
  }
  return frame.append(payload);
}

std::string encode_close(std::uint16_t code, std::string_view reason) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  return encode(Opcode::kClose, payload.append(repair_utf8(reason.substr(0, 100)).substr(0, 123)));
}

tl::expected<std::optional<Decoder::Header>, Decoder::Problem> Decoder::read_header() const {
  if (buffer_.size() < 2) return std::nullopt;
  const auto first = static_cast<std::uint8_t>(buffer_[0]);
  const auto second = static_cast<std::uint8_t>(buffer_[1]);
  if ((first & 0x70) != 0 || !known(first & 0x0F))
    return problem(1002, "a frame has reserved bits or an unknown opcode");
  if ((second & 0x80) == 0) return problem(1002, "a frame of the client is not masked");
  Header header{(first & 0x80) != 0, static_cast<Opcode>(first & 0x0F), 6, std::size_t{second} & 0x7F};
  if (is_control(header.opcode) && (!header.final || header.length > 125)) {
    return problem(1002, "a control frame is fragmented or too long");
  }
  if (header.length >= 126) {
    const std::size_t extra = header.length == 126 ? 2 : 8;
    if (buffer_.size() < 2 + extra) return std::nullopt;
    const std::uint64_t length = big_endian(std::string_view(buffer_).substr(2, extra));
    if (length > kMaxPayload) return problem(1009, "a frame is larger than the 64 KiB allowed");
    header.length = static_cast<std::size_t>(length);
    header.size += extra;
  }
  return header;
}

tl::expected<void, Decoder::Problem> Decoder::check_order(const Header& header) {
  if (is_control(header.opcode)) return {};
  if (header.opcode == Opcode::kText) return problem(1003, "this stream carries binary messages only");
  if ((header.opcode == Opcode::kContinuation) != in_message_) {
    return problem(1002, "a frame continues no message, or a message begins within another");
  }
  in_message_ = !header.final;
  return {};
}

tl::expected<void, Decoder::Problem> Decoder::push(std::string_view bytes, const std::function<bool(Event)>& on_event) {
  buffer_ += bytes;
  for (;;) {
    const auto header = read_header();
    if (!header) return tl::make_unexpected(header.error());
    if (!*header || buffer_.size() < (*header)->size + (*header)->length) return {};
    if (auto ordered = check_order(**header); !ordered) return ordered;
    const std::string mask = buffer_.substr((*header)->size - 4, 4);
    Event event{(*header)->opcode, buffer_.substr((*header)->size, (*header)->length)};
    for (std::size_t i = 0; i < event.payload.size(); ++i)
      event.payload[i] = static_cast<char>(event.payload[i] ^ mask[i % 4]);
    if (event.opcode == Opcode::kContinuation) event.opcode = Opcode::kBinary;
    buffer_.erase(0, (*header)->size + (*header)->length);
    if (!on_event(std::move(event))) return {};
  }
}

}  // namespace mv::cloud::web_socket
