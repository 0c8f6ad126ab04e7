// The time of day: what the cloud last said, carried on by the uptime.
#pragma once

#include <cstdint>

#include "core/link/peers.h"
#include "core/platform/guest.h"
#include "core/platform/ports.h"

namespace mv::app {

class DeviceClock final : public link::WallClock {
 public:
  DeviceClock(Clock& clock, Lock& lock) : clock_(clock), lock_(lock) {}

  void set_wall_time(std::uint64_t wall_us, std::uint64_t uptime_us) override {
    const LockGuard guard(lock_);
    // A cloud that claims a time before its device's power-on knows no time.
    offset_us_ = wall_us > uptime_us ? wall_us - uptime_us : 0;
  }

  std::uint64_t uptime_us() { return clock_.uptime_us(); }

  // Microseconds since 1970-01-01 UTC; 0 until the cloud was reached.
  std::uint64_t wall_us() {
    const LockGuard guard(lock_);
    return offset_us_ == 0 ? 0 : offset_us_ + clock_.uptime_us();
  }

 private:
  Clock& clock_;
  Lock& lock_;
  std::uint64_t offset_us_ = 0;
};

}  // namespace mv::app
