// RSP packet framing: `$payload#cs`, where cs is the sum of the payload's bytes modulo 256 in two hex digits.
//
// Bytes in, packets out. Knows no command and does no I/O, so it is tested and fuzzed byte by byte.
// Source: GDB manual, "Remote Protocol", section "Overview".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mv::rsp {

// Longest payload taken from a client, escapes removed. Announced as PacketSize.
inline constexpr std::size_t kMaxPayload = 16384;

// What the decoder found in the byte stream.
struct Input {
  enum class Kind : std::uint8_t {
    kPacket,       // `payload` is one whole packet with the right checksum
    kInterrupt,    // 0x03 outside a packet: Ctrl-C
    kAck,          // '+'
    kNack,         // '-': the client asks for the last packet again (ignored in no-ack mode)
    kBadChecksum,  // a whole packet with a wrong checksum: the client resends it when told '-'
    kTooLong,      // the payload was above kMaxPayload; everything up to the next '$' is skipped
  };

  Kind kind;
  std::string payload;
};

// Decodes what a client sends. Holds one packet.
class PacketDecoder {
 public:
  // Takes bytes from the front of `bytes`, which is advanced past what was used, until there is something to say.
  // Nothing: all bytes are used and a packet is not whole yet. Bytes outside a packet are noise and are skipped.
  std::optional<Input> next(std::string_view& bytes);

 private:
  enum class State : std::uint8_t { kBetweenPackets, kPayload, kEscaped, kChecksumHigh, kChecksumLow };

  std::optional<Input> take(char byte);
  std::optional<Input> between_packets(char byte);
  std::optional<Input> in_payload(char byte);
  std::optional<Input> append(char byte);
  Input finish(char low);

  State state_ = State::kBetweenPackets;
  std::string payload_;
  unsigned sum_ = 0;
  char checksum_high_ = 0;
};

// Frames a payload whose bytes need no escape but may hold any: '#', '$', '}' and '*' are escaped.
std::string encode_packet(std::string_view payload);

// Frames a notification, `%payload#cs`: never acknowledged, and restarts GDB's wait for a reply.
std::string encode_notification(std::string_view payload);

}  // namespace mv::rsp
