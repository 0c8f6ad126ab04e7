// Framing of the device link: `type, stream, length, payload` on a reliable byte stream.
//
// Bytes in, frames out. Knows no message and does no I/O; host, cloud and firmware compile this very file.
// The table of types and streams stands in docs/protocol.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tl/expected.hpp>

namespace mv::frame {

// type (1 byte), stream (1), payload length (2, big-endian).
inline constexpr std::size_t kHeaderSize = 4;

// Payload bytes of the longest frame: header and payload fill one TLS record of the device (2048 bytes) at most.
inline constexpr std::size_t kMaxPayload = 2000;
inline constexpr std::size_t kMaxFrame = kHeaderSize + kMaxPayload;

enum class Type : std::uint8_t {
  kOpen = 1,    // payload: credit granted to the peer, u32 big-endian
  kData = 2,    // payload: bytes of the stream; spends credit
  kCredit = 3,  // payload: more credit, u32 big-endian
  kClose = 4,   // payload: reason, u16 big-endian, then text in UTF-8; on stream 0 it ends the link
  kPing = 5,    // payload: 8 bytes, sent back as they are; stream 0 only
  kPong = 6,
};

// Stream numbers. Control, blob and log are open from the start; the others are opened by the cloud.
enum class Stream : std::uint8_t {
  kControl = 0,
  kBlob = 1,
  kLog = 2,
  kDebug = 3,
  kChannel0 = 16,  // to kChannel0 + 3: the application's channels
};

inline constexpr std::size_t kStreamLimit = 20;  // every stream number is below this

// Reasons in a kClose frame.
enum class CloseReason : std::uint16_t {
  kDone = 0,
  kRefused = 1,     // the stream was not wanted; the text says why
  kProtocol = 2,    // the peer broke the rules; the text says which
  kBusy = 3,        // somebody else has it
  kSuperseded = 4,  // a newer connection of this device took over
  kShuttingDown = 5,
  kGone = 6,  // the other end of the pipe went away
};

enum class FrameError : std::uint8_t {
  kIncomplete,     // no whole frame yet: call again with more bytes
  kUnknownType,    // the link is unusable: close it
  kUnknownStream,  // likewise
  kTooLong,        // likewise: length above kMaxPayload, or not what the type demands
};

// A sentence for each error, for logs and for the text of a kClose frame.
const char* describe(FrameError error);

// One frame whose type, stream and length were checked. `payload` points into the decoder and is valid until its next
// call.
struct Frame {
  Type type;
  Stream stream;
  std::span<const std::uint8_t> payload;
};

// Writes the header of a frame. `length` is at most kMaxPayload.
std::array<std::uint8_t, kHeaderSize> encode_header(Type type, Stream stream, std::size_t length);

// Writes header and payload into `out`, which must hold kHeaderSize + payload.size() bytes; returns what was used.
std::span<std::uint8_t> encode(std::span<std::uint8_t> out, Type type, Stream stream,
                               std::span<const std::uint8_t> payload);

std::uint32_t read_u32(std::span<const std::uint8_t, 4> bytes);
std::array<std::uint8_t, 4> write_u32(std::uint32_t value);

// Decodes one direction of a link. Holds one frame (about 2 KiB). After any error but kIncomplete it stays in error.
class FrameDecoder {
 public:
  // Takes bytes from the front of `bytes` (which is advanced past what was used) until one frame is whole.
  //
  // Errors: kIncomplete (all bytes used), kUnknownType, kUnknownStream, kTooLong.
  tl::expected<Frame, FrameError> next(std::span<const std::uint8_t>& bytes);

 private:
  void take(std::span<const std::uint8_t>& bytes, std::size_t until);
  tl::expected<std::size_t, FrameError> check_header() const;

  std::array<std::uint8_t, kMaxFrame> buffer_{};
  std::size_t length_ = 0;
  bool whole_ = false;  // the buffer holds a frame that was handed out
};

}  // namespace mv::frame
