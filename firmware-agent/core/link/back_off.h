// How long to wait before the next attempt to connect.
#pragma once

#include <cstdint>

#include "core/platform/ports.h"

namespace mv::link {

class BackOff {
 public:
  explicit BackOff(Entropy& entropy) : entropy_(entropy) {}

  // Microseconds to wait after one more failure: doubles from timing::kFirstRetry to timing::kLongestRetry, less a
  // random part of up to half.
  std::uint64_t next_us();

  // A stable connection was had.
  void reset() { failures_ = 0; }

 private:
  Entropy& entropy_;
  unsigned failures_ = 0;
};

}  // namespace mv::link
