// Uptime from TIM5, which counts 32 bits of microseconds.
#pragma once

#include <cstdint>

#include "core/platform/ports.h"

namespace mv::board {

class TimerClock final : public Clock {
 public:
  void set_up();

  // From any Secure context. The timer wraps every 71 minutes; the scheduler's tick looks at it several times a second.
  std::uint64_t uptime_us() override;

 private:
  std::uint32_t last_ = 0;
  std::uint64_t us_ = 0;
};

}  // namespace mv::board
