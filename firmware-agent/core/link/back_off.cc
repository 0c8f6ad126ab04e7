#include "core/link/back_off.h"

#include <algorithm>
#include <array>

#include "core/link/timing.h"

namespace mv::link {

std::uint64_t BackOff::next_us() {
  const std::uint64_t wait = std::min(timing::kLongestRetry, timing::kFirstRetry << failures_);
  if (wait < timing::kLongestRetry) ++failures_;
  // No randomness: the whole wait. It is TLS that must not go on without.
  std::array<std::uint8_t, 2> random{};
  if (!entropy_.fill(random)) return wait;
  const std::uint64_t part = std::uint64_t{random[0]} << 8 | random[1];
  return wait - wait / 2 * part / 0x10000;
}

}  // namespace mv::link
