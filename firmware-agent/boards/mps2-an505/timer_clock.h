// Uptime from CMSDK timer 0, which counts down 32 bits at 20 MHz.
#pragma once

#include <cstdint>

#include "core/platform/ports.h"

namespace mv::board {

class TimerClock final : public Clock {
 public:
  void set_up();

  // From any Secure context. The timer wraps every 214 s; the scheduler's tick looks at it at least once a second.
  std::uint64_t uptime_us() override;

 private:
  std::uint32_t last_ = 0;  // as the timer stood, counted upwards
  std::uint64_t ticks_ = 0;
};

}  // namespace mv::board
