#include "core/app/log_buffer.h"

#include <algorithm>
#include <cstring>

namespace mv::app {

bool LogBuffer::append(std::string_view text) {
  return append(mv_wire_LogSource_LOG_MICROVISOR, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

bool LogBuffer::append(mv_wire_LogSource source, std::span<const std::uint8_t> text) {
  text = text.first(std::min(text.size(), kMaxText));
  const std::uint64_t wall = clock_.wall_us();
  const LockGuard guard(lock_);
  const auto at = place(space_for(text.size()), source == mv_wire_LogSource_LOG_MICROVISOR ? kSize : kSize - kReserve);
  if (!at) {
    ++lost_;
    return false;
  }
  std::ranges::copy(text, ring_.begin() + static_cast<std::ptrdiff_t>(*at + sizeof(Header)));
  commit(*at, source, text.size(), wall);
  return true;
}

LogBuffer::Outcome LogBuffer::append_from(GuestMemory& memory, std::uint32_t address, std::uint32_t size) {
  if (size > kMaxText) return Outcome::kNoRoom;
  const std::uint64_t wall = clock_.wall_us();
  const LockGuard guard(lock_);
  const auto at = place(space_for(size), kSize - kReserve);
  if (!at) {
    ++lost_;
    return Outcome::kNoRoom;
  }
  if (!memory.copy_in(std::span(ring_).subspan(*at + sizeof(Header), size), address)) return Outcome::kBadAddress;
  commit(*at, mv_wire_LogSource_LOG_APPLICATION, size, wall);
  return Outcome::kKept;
}

// Where `space` contiguous bytes are free behind the newest record; at most `limit` bytes may be taken in all.
std::optional<std::size_t> LogBuffer::place(std::size_t space, std::size_t limit) {
  const std::size_t tail = (head_ + used_) % kSize;
  const std::size_t to_end = kSize - tail;
  if (to_end >= space) return used_ + space <= limit ? std::optional(tail) : std::nullopt;
  return used_ + to_end + space <= limit ? std::optional<std::size_t>(0) : std::nullopt;
}

// Makes a record of the text that lies at `at`, where `place` said.
void LogBuffer::commit(std::size_t at, mv_wire_LogSource source, std::size_t size, std::uint64_t wall) {
  const std::size_t tail = (head_ + used_) % kSize;
  if (at != tail) {
    if (kSize - tail >= sizeof(Header)) put_header(tail, {0, 0, 0, 0, kSkip});
    used_ += kSize - tail;
  }
  used_ += space_for(size);
  put_header(at, {++sequence_, wall, clock_.uptime_us(), static_cast<std::uint32_t>(size),
                  static_cast<std::uint32_t>(source)});
}

LogBuffer::Header LogBuffer::header_at(std::size_t at) const {
  Header header{};
  std::memcpy(&header, ring_.data() + at, sizeof header);
  return header;
}

void LogBuffer::put_header(std::size_t at, const Header& header) {
  std::memcpy(ring_.data() + at, &header, sizeof header);
}

// Where the record is that begins at `at`, or at the start if the end was skipped.
std::size_t LogBuffer::begin_of(std::size_t at) const {
  if (at % kSize == 0) return 0;
  if (kSize - at < sizeof(Header) || header_at(at).source == kSkip) return 0;
  return at;
}

std::optional<link::LogRecord> LogBuffer::next(std::uint64_t after) {
  const LockGuard guard(lock_);
  if (used_ == 0 || after >= sequence_) return std::nullopt;
  const bool resume = found_valid_ && found_after_ <= after;
  std::size_t at = begin_of(resume ? found_ : head_);
  for (;;) {
    const Header header = header_at(at);
    if (header.sequence > after) {
      found_ = at;
      found_after_ = after;
      found_valid_ = true;
      return link::LogRecord{header.sequence, header.time_us, header.uptime_us,
                             static_cast<mv_wire_LogSource>(header.source),
                             std::span(ring_).subspan(at + sizeof(Header), header.size)};
    }
    at = begin_of((at + space_for(header.size)) % kSize);
  }
}

void LogBuffer::acknowledge(std::uint64_t sequence) {
  const LockGuard guard(lock_);
  found_valid_ = false;
  while (used_ != 0) {
    const std::size_t at = begin_of(head_);
    if (at != head_) {
      used_ -= kSize - head_;
      head_ = at;
      continue;
    }
    const Header header = header_at(at);
    if (header.sequence > sequence) return;
    const std::size_t space = space_for(header.size);
    head_ = (head_ + space) % kSize;
    used_ -= space;
  }
}

std::uint64_t LogBuffer::lost() const {
  const LockGuard guard(lock_);
  return lost_;
}

}  // namespace mv::app
