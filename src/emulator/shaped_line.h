// One direction of a slow, long line: bytes go in at one time and come out later, in order.
//
// Pure: time is passed in. `delay` is one way; `rate` is how fast bytes leave the sender, so a burst queues up.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace mv::emulator {

using LineClock = std::chrono::steady_clock;

struct Shape {
  std::chrono::milliseconds delay{0};  // one way
  std::uint32_t rate = 0;              // bytes a second; 0: unlimited
};

class ShapedLine {
 public:
  void set_shape(Shape shape) { shape_ = shape; }

  // Puts bytes on the line. An empty piece is allowed and comes out in its turn: it marks the end.
  void push(LineClock::time_point now, std::vector<std::uint8_t> bytes);

  // When the next piece comes out; nothing if the line is empty.
  std::optional<LineClock::time_point> next_due() const;

  // The next piece, if it is due.
  std::optional<std::vector<std::uint8_t>> pop(LineClock::time_point now);

  std::size_t queued() const { return queued_; }  // bytes

 private:
  struct Piece {
    LineClock::time_point due;
    std::vector<std::uint8_t> bytes;
  };

  Shape shape_;
  std::deque<Piece> pieces_;
  LineClock::time_point sender_free_{};
  std::size_t queued_ = 0;
};

}  // namespace mv::emulator
