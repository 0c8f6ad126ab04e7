#include "gdbserver/rsp/packet.h"

#include "gdbserver/rsp/hex.h"

namespace mv::rsp {
namespace {

// The byte after '}' is the escaped one exclusive-or'ed with this (GDB manual, "Binary Data").
constexpr char kEscapeMask = 0x20;

unsigned checksum(std::string_view bytes) {
  unsigned sum = 0;
  for (const char byte : bytes) sum += static_cast<unsigned char>(byte);
  return sum & 0xff;
}

// '*' starts a run-length in what a server sends, so it is escaped as well as the three that a client escapes.
std::string escape(std::string_view payload) {
  std::string out;
  out.reserve(payload.size() + 8);
  for (const char byte : payload) {
    if (byte == '#' || byte == '$' || byte == '}' || byte == '*') {
      out += '}';
      out += static_cast<char>(byte ^ kEscapeMask);
    } else {
      out += byte;
    }
  }
  return out;
}

std::string frame(char start, std::string_view body) {
  std::string out;
  out.reserve(body.size() + 4);
  out += start;
  out += body;
  out += '#';
  append_hex_byte(out, static_cast<std::uint8_t>(checksum(body)));
  return out;
}

}  // namespace

std::optional<Input> PacketDecoder::next(std::string_view& bytes) {
  while (!bytes.empty()) {
    const char byte = bytes.front();
    bytes.remove_prefix(1);
    if (auto input = take(byte)) return input;
  }
  return std::nullopt;
}

std::optional<Input> PacketDecoder::take(char byte) {
  switch (state_) {
    case State::kBetweenPackets:
      return between_packets(byte);
    case State::kPayload:
      return in_payload(byte);
    case State::kEscaped:
      state_ = State::kPayload;
      sum_ += static_cast<unsigned char>(byte);
      return append(static_cast<char>(byte ^ kEscapeMask));
    case State::kChecksumHigh:
      checksum_high_ = byte;
      state_ = State::kChecksumLow;
      return std::nullopt;
    case State::kChecksumLow:
      state_ = State::kBetweenPackets;
      return finish(byte);
  }
  return std::nullopt;
}

std::optional<Input> PacketDecoder::between_packets(char byte) {
  switch (byte) {
    case '$':
      payload_.clear();
      sum_ = 0;
      state_ = State::kPayload;
      return std::nullopt;
    case '\x03':
      return Input{Input::Kind::kInterrupt, {}};
    case '+':
      return Input{Input::Kind::kAck, {}};
    case '-':
      return Input{Input::Kind::kNack, {}};
    default:
      return std::nullopt;
  }
}

std::optional<Input> PacketDecoder::in_payload(char byte) {
  if (byte == '#') {
    state_ = State::kChecksumHigh;
    return std::nullopt;
  }
  if (byte == '$') return between_packets(byte);  // the client gave up on the last packet and starts anew
  sum_ += static_cast<unsigned char>(byte);
  if (byte == '}') {
    state_ = State::kEscaped;
    return std::nullopt;
  }
  return append(byte);
}

std::optional<Input> PacketDecoder::append(char byte) {
  if (payload_.size() == kMaxPayload) {
    state_ = State::kBetweenPackets;
    payload_.clear();
    return Input{Input::Kind::kTooLong, {}};
  }
  payload_ += byte;
  return std::nullopt;
}

Input PacketDecoder::finish(char low) {
  const auto expected = hex_byte(checksum_high_, low);
  if (!expected || *expected != (sum_ & 0xff)) return Input{Input::Kind::kBadChecksum, {}};
  return Input{Input::Kind::kPacket, std::move(payload_)};
}

std::string encode_packet(std::string_view payload) { return frame('$', escape(payload)); }

std::string encode_notification(std::string_view payload) { return frame('%', payload); }

}  // namespace mv::rsp
