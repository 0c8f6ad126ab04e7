#include "emulator/shaped_line.h"

#include <algorithm>

namespace mv::emulator {

void ShapedLine::push(LineClock::time_point now, std::vector<std::uint8_t> bytes) {
  sender_free_ = std::max(sender_free_, now);
  if (shape_.rate > 0) {
    sender_free_ += std::chrono::microseconds(bytes.size() * 1'000'000 / shape_.rate);
  }
  auto due = sender_free_ + shape_.delay;
  // A shorter delay set meanwhile must not let later bytes overtake earlier ones.
  if (!pieces_.empty()) due = std::max(due, pieces_.back().due);
  queued_ += bytes.size();
  pieces_.push_back({due, std::move(bytes)});
}

std::optional<LineClock::time_point> ShapedLine::next_due() const {
  if (pieces_.empty()) return std::nullopt;
  return pieces_.front().due;
}

std::optional<std::vector<std::uint8_t>> ShapedLine::pop(LineClock::time_point now) {
  if (pieces_.empty() || pieces_.front().due > now) return std::nullopt;
  std::vector<std::uint8_t> bytes = std::move(pieces_.front().bytes);
  pieces_.pop_front();
  queued_ -= bytes.size();
  return bytes;
}

}  // namespace mv::emulator
