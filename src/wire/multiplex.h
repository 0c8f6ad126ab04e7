// The rules of the frame multiplex: which streams are open, who may send how much, and whose turn it is.
//
// Pure bookkeeping, no buffers and no I/O: the owner decodes frames, asks here whether each is allowed, and asks here
// what it may send. Both ends of a link use it. No heap; about 300 bytes.
//
// A stream is flow-controlled by credit: a DATA frame spends as many bytes of credit as its payload has; the receiver
// grants more with CREDIT as its reader consumes. Control, blob and log begin open with kInitialCredit each way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <tl/expected.hpp>

#include "wire/frame.h"

namespace mv::frame {

// Credit, in bytes, with which control, blob and log begin in each direction.
inline constexpr std::uint32_t kInitialCredit = 8192;

// No grant may bring a stream's credit above this: a peer that grants more breaks the rules.
inline constexpr std::uint32_t kMaxCredit = 1U << 20;

enum class MultiplexError : std::uint8_t {
  kNotOpen,         // a frame on a stream that is not open
  kAlreadyOpen,     // OPEN on a stream that is open
  kCreditOverrun,   // more DATA than was granted
  kCreditTooLarge,  // a grant above kMaxCredit
  kWrongStream,     // PING or PONG anywhere but on control, OPEN of control, blob or log
};

// A sentence for each error, for logs and for the text of a CLOSE frame.
const char* describe(MultiplexError error);

class Multiplex {
 public:
  enum class State : std::uint8_t {
    kClosed,
    kOpening,  // we sent OPEN and wait for the peer's
    kOffered,  // the peer sent OPEN; we owe OPEN (accept) or CLOSE (refuse)
    kOpen,
    kClosing,  // we sent CLOSE and wait for the peer's; what arrives until then is ignored
  };

  // What the owner has to do with a frame that was received.
  enum class Action : std::uint8_t {
    kNone,         // bookkeeping only
    kDeliver,      // DATA: hand the payload to the stream's reader, then call `consumed`
    kOffered,      // the peer opens the stream: call `accept` and send OPEN, or `close` and send CLOSE
    kAccepted,     // the peer accepted our OPEN
    kClosed,       // the peer closed the stream and it is now closed; nothing is owed
    kClosedReply,  // likewise, but a CLOSE is owed (reason kDone)
    kPong,         // send the payload back as PONG
    kPongReceived,
    kLinkClosed,  // CLOSE on control: the peer ends the link
  };

  Multiplex();

  // Takes note of a frame from the peer. On error the link is to be closed: the peer broke the rules.
  tl::expected<Action, MultiplexError> received(const Frame& frame);

  // Begins to open a stream (state kClosed only): the owner sends OPEN with `window` as its payload.
  // Returns false if the stream is not closed.
  bool open(Stream stream, std::uint32_t window);

  // Accepts an offered stream: the owner sends OPEN with `window` as its payload. False if it is not offered.
  bool accept(Stream stream, std::uint32_t window);

  // Closes, or refuses, a stream: the owner sends CLOSE. False if it is closed or closing already.
  bool close(Stream stream);

  // Bytes that may be sent on the stream now, as payload of DATA.
  std::uint32_t sendable(Stream stream) const;

  // Takes note of `bytes` sent as DATA, at most `sendable`.
  void sent(Stream stream, std::uint32_t bytes);

  // Takes note that the reader consumed `bytes`; returns the credit to grant now with a CREDIT frame, 0 for none.
  // Small amounts are collected until half of the window is used.
  std::uint32_t consumed(Stream stream, std::uint32_t bytes);

  State state(Stream stream) const { return streams_[index(stream)].state; }

  // Of the streams whose bit is set in `ready` (bit n is stream n) the one to send on first and allowed to:
  // control, debug, log, channels, blob.
  std::optional<Stream> next_to_send(std::uint32_t ready) const;

 private:
  struct Entry {
    State state = State::kClosed;
    std::uint32_t send_credit = 0;     // what we may send
    std::uint32_t receive_credit = 0;  // what the peer may send
    std::uint32_t window = 0;          // what we grant in all at a time
    std::uint32_t unreturned = 0;      // consumed but not yet granted again
  };

  static std::size_t index(Stream stream) { return static_cast<std::size_t>(stream); }

  tl::expected<Action, MultiplexError> received_open(const Frame& frame, Entry& entry);
  tl::expected<Action, MultiplexError> received_data(const Frame& frame, Entry& entry);
  tl::expected<Action, MultiplexError> received_credit(const Frame& frame, Entry& entry);
  Action received_close(const Frame& frame, Entry& entry);

  std::array<Entry, kStreamLimit> streams_{};
};

}  // namespace mv::frame
