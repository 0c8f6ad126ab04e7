#include "wire/multiplex.h"

namespace mv::frame {
namespace {

constexpr std::array kPermanent = {Stream::kControl, Stream::kBlob, Stream::kLog};

// Who goes first when several streams have something to send.
constexpr std::array kByPriority = {
    Stream::kControl,
    Stream::kDebug,
    Stream::kLog,
    Stream::kChannel0,
    static_cast<Stream>(static_cast<std::uint8_t>(Stream::kChannel0) + 1),
    static_cast<Stream>(static_cast<std::uint8_t>(Stream::kChannel0) + 2),
    static_cast<Stream>(static_cast<std::uint8_t>(Stream::kChannel0) + 3),
    Stream::kBlob,
};

bool permanent(Stream stream) {
  for (const Stream one : kPermanent) {
    if (one == stream) return true;
  }
  return false;
}

}  // namespace

const char* describe(MultiplexError error) {
  switch (error) {
    case MultiplexError::kNotOpen:
      return "a frame came on a stream that is not open";
    case MultiplexError::kAlreadyOpen:
      return "a stream was opened that is open already";
    case MultiplexError::kCreditOverrun:
      return "more data came on a stream than was granted";
    case MultiplexError::kCreditTooLarge:
      return "more credit was granted than the protocol allows";
    case MultiplexError::kWrongStream:
      return "a frame of this type does not belong on this stream";
  }
  return "unknown multiplex error";
}

Multiplex::Multiplex() {
  for (const Stream stream : kPermanent) {
    streams_[index(stream)] = {State::kOpen, kInitialCredit, kInitialCredit, kInitialCredit, 0};
  }
}

tl::expected<Multiplex::Action, MultiplexError> Multiplex::received(const Frame& frame) {
  Entry& entry = streams_[index(frame.stream)];
  switch (frame.type) {
    case Type::kOpen:
      return received_open(frame, entry);
    case Type::kData:
      return received_data(frame, entry);
    case Type::kCredit:
      return received_credit(frame, entry);
    case Type::kClose:
      if (frame.stream == Stream::kControl) return Action::kLinkClosed;
      if (entry.state == State::kClosed || permanent(frame.stream))
        return tl::make_unexpected(MultiplexError::kNotOpen);
      return received_close(frame, entry);
    case Type::kPing:
    case Type::kPong:
      if (frame.stream != Stream::kControl) return tl::make_unexpected(MultiplexError::kWrongStream);
      return frame.type == Type::kPing ? Action::kPong : Action::kPongReceived;
  }
  return tl::make_unexpected(MultiplexError::kWrongStream);
}

tl::expected<Multiplex::Action, MultiplexError> Multiplex::received_open(const Frame& frame, Entry& entry) {
  if (permanent(frame.stream)) return tl::make_unexpected(MultiplexError::kWrongStream);
  const std::uint32_t credit = read_u32(frame.payload.first<4>());
  if (credit > kMaxCredit) return tl::make_unexpected(MultiplexError::kCreditTooLarge);
  switch (entry.state) {
    case State::kClosed:
      entry = {State::kOffered, credit, 0, 0, 0};
      return Action::kOffered;
    case State::kOpening:
      entry.state = State::kOpen;
      entry.send_credit = credit;
      return Action::kAccepted;
    case State::kClosing:  // we closed before the peer's acceptance reached us
      return Action::kNone;
    case State::kOffered:
    case State::kOpen:
      break;
  }
  return tl::make_unexpected(MultiplexError::kAlreadyOpen);
}

tl::expected<Multiplex::Action, MultiplexError> Multiplex::received_data(const Frame& frame, Entry& entry) {
  if (entry.state == State::kClosing) return Action::kNone;
  if (entry.state != State::kOpen) return tl::make_unexpected(MultiplexError::kNotOpen);
  const auto length = static_cast<std::uint32_t>(frame.payload.size());
  if (length > entry.receive_credit) return tl::make_unexpected(MultiplexError::kCreditOverrun);
  entry.receive_credit -= length;
  return Action::kDeliver;
}

tl::expected<Multiplex::Action, MultiplexError> Multiplex::received_credit(const Frame& frame, Entry& entry) {
  if (entry.state == State::kClosing) return Action::kNone;
  if (entry.state != State::kOpen) return tl::make_unexpected(MultiplexError::kNotOpen);
  const std::uint32_t credit = read_u32(frame.payload.first<4>());
  if (credit > kMaxCredit - entry.send_credit) return tl::make_unexpected(MultiplexError::kCreditTooLarge);
  entry.send_credit += credit;
  return Action::kNone;
}

Multiplex::Action Multiplex::received_close(const Frame&, Entry& entry) {
  const bool owed = entry.state != State::kClosing;
  entry = Entry{};
  return owed ? Action::kClosedReply : Action::kClosed;
}

bool Multiplex::open(Stream stream, std::uint32_t window) {
  Entry& entry = streams_[index(stream)];
  if (entry.state != State::kClosed) return false;
  entry = {State::kOpening, 0, window, window, 0};
  return true;
}

bool Multiplex::accept(Stream stream, std::uint32_t window) {
  Entry& entry = streams_[index(stream)];
  if (entry.state != State::kOffered) return false;
  entry.state = State::kOpen;
  entry.receive_credit = window;
  entry.window = window;
  return true;
}

bool Multiplex::close(Stream stream) {
  Entry& entry = streams_[index(stream)];
  if (entry.state == State::kClosed || entry.state == State::kClosing) return false;
  entry.state = State::kClosing;
  entry.send_credit = 0;
  return true;
}

std::uint32_t Multiplex::sendable(Stream stream) const {
  const Entry& entry = streams_[index(stream)];
  return entry.state == State::kOpen ? entry.send_credit : 0;
}

void Multiplex::sent(Stream stream, std::uint32_t bytes) {
  Entry& entry = streams_[index(stream)];
  entry.send_credit -= bytes < entry.send_credit ? bytes : entry.send_credit;
}

std::uint32_t Multiplex::consumed(Stream stream, std::uint32_t bytes) {
  Entry& entry = streams_[index(stream)];
  if (entry.state != State::kOpen) return 0;
  entry.unreturned += bytes;
  if (entry.unreturned * 2 < entry.window) return 0;
  const std::uint32_t grant = entry.unreturned;
  entry.unreturned = 0;
  entry.receive_credit += grant;
  return grant;
}

std::optional<Stream> Multiplex::next_to_send(std::uint32_t ready) const {
  for (const Stream stream : kByPriority) {
    const bool wanted = (ready >> index(stream) & 1U) != 0;
    if (wanted && sendable(stream) > 0) return stream;
  }
  return std::nullopt;
}

}  // namespace mv::frame
