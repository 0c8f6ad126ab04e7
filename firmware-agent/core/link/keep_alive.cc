#include "core/link/keep_alive.h"

#include <algorithm>

namespace mv::link {

void KeepAlive::begin(std::uint64_t first_us) {
  if (first_us == first_us_) return;
  *this = KeepAlive{};
  first_us_ = interval_us_ = first_us;
}

// A little less is as good: what is said right after an answer begins the silence anew.
bool KeepAlive::tests_interval(std::uint64_t silence_us) const {
  return silence_us >= interval_us_ - interval_us_ / 16;
}

void KeepAlive::answered(std::uint64_t silence_us) {
  if (!tests_interval(silence_us)) return;
  if (interval_us_ == proven_us_) return settle();
  proven_us_ = interval_us_;
  answers_ = 0;
  if (proven_us_ >= failed_us_) failed_us_ = 0;
  choose();
}

// One more answer at the interval that is known to be good.
void KeepAlive::settle() {
  if (failed_us_ == 0 || ++answers_ < kSettled) return;
  answers_ = 0;
  interval_us_ = failed_us_;
}

// What failed may have been proven once: then the network has changed, and half of it is where to go on.
void KeepAlive::unanswered(std::uint64_t silence_us) {
  if (!tests_interval(silence_us)) return;
  failed_us_ = interval_us_;
  answers_ = 0;
  if (proven_us_ >= failed_us_) proven_us_ = 0;
  choose();
}

// Settles on what is proven once it is within an eighth of what failed.
void KeepAlive::choose() {
  const std::uint64_t longest = std::max(first_us_, timing::kLongestLearned);
  const std::uint64_t known = std::max(proven_us_, first_us_);
  if (failed_us_ == 0) {
    interval_us_ = proven_us_ == 0 ? first_us_ : std::min(2 * known, longest);
  } else if (proven_us_ == 0) {
    interval_us_ = std::max(first_us_, failed_us_ / 2);
  } else {
    const std::uint64_t gap = failed_us_ > known ? failed_us_ - known : 0;
    interval_us_ = gap <= failed_us_ / 8 ? known : known + gap / 2;
  }
}

}  // namespace mv::link
