// A clock that tests move by hand.
#pragma once

#include <cstdint>

#include "core/platform/ports.h"

namespace mv::host {

class FakeClock final : public Clock {
 public:
  std::uint64_t uptime_us() override { return now_us; }
  void advance_ms(std::uint64_t milliseconds) { now_us += milliseconds * 1000; }

  std::uint64_t now_us = 1'000'000;
};

}  // namespace mv::host
