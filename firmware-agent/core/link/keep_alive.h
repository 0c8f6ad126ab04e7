// How long the link may be silent: learned from what the network bears, because a PING costs bytes and a NAT forgets.
//
// A silence after which a PING is answered is proven, and the next one is longer: twice, up to timing::kLongestLearned.
// A silence after which nothing comes back is too long: from then on half the way between what is proven and what
// failed, until the two are close. After kSettled answers in a row what failed is tried once more: networks change.
//
// Knows no clock and no frames. Microseconds throughout.
#pragma once

#include <cstdint>

#include "core/link/timing.h"

namespace mv::link {

class KeepAlive {
 public:
  static constexpr unsigned kSettled = 64;

  // A connection begins. `first_us`: what the cloud asks for, where learning starts and what it never goes below. What
  // was learned stays, unless the cloud asks for something else than before.
  void begin(std::uint64_t first_us);

  // Send a PING after so long a silence.
  std::uint64_t interval_us() const { return interval_us_; }

  // The longest silence that was borne, 0: none is known.
  std::uint64_t learned_us() const { return proven_us_; }

  // A PING that was sent after `silence_us` without a byte either way was answered, or was not.
  void answered(std::uint64_t silence_us);
  void unanswered(std::uint64_t silence_us);

 private:
  bool tests_interval(std::uint64_t silence_us) const;
  void settle();
  void choose();

  std::uint64_t first_us_ = 0;
  std::uint64_t interval_us_ = timing::kLongestKeepAlive;
  std::uint64_t proven_us_ = 0;
  std::uint64_t failed_us_ = 0;  // the shortest that failed; 0: none
  unsigned answers_ = 0;         // in a row, at the interval that was settled on
};

}  // namespace mv::link
