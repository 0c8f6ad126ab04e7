#include "core/link/keep_alive.h"

#include <gtest/gtest.h>

namespace mv::link {
namespace {

constexpr std::uint64_t kSecond = timing::kSecond;

// PINGs through a network that forgets a connection which was silent for `limit_us` or longer.
void live(KeepAlive& keep_alive, std::uint64_t limit_us, int pings) {
  for (int i = 0; i < pings; ++i) {
    const std::uint64_t silence = keep_alive.interval_us();
    silence < limit_us ? keep_alive.answered(silence) : keep_alive.unanswered(silence);
  }
}

TEST(KeepAlive, StartsWithWhatTheCloudAsksForAndDoubles) {
  KeepAlive keep_alive;
  keep_alive.begin(30 * kSecond);
  EXPECT_EQ(keep_alive.interval_us(), 30 * kSecond);
  EXPECT_EQ(keep_alive.learned_us(), 0U);
  keep_alive.answered(30 * kSecond);
  EXPECT_EQ(keep_alive.learned_us(), 30 * kSecond);
  EXPECT_EQ(keep_alive.interval_us(), 60 * kSecond);
}

TEST(KeepAlive, EndsAtTheLongestAndStaysThere) {
  KeepAlive keep_alive;
  keep_alive.begin(30 * kSecond);
  live(keep_alive, ~0ULL, 100);
  EXPECT_EQ(keep_alive.interval_us(), timing::kLongestLearned);
  EXPECT_EQ(keep_alive.learned_us(), timing::kLongestLearned);
}

TEST(KeepAlive, FindsTheLimitOfANatWithinAnEighth) {
  for (const std::uint64_t limit : {45, 100, 125, 241, 330, 1000, 1700}) {
    KeepAlive keep_alive;
    keep_alive.begin(30 * kSecond);
    live(keep_alive, limit * kSecond, 12);
    EXPECT_EQ(keep_alive.interval_us(), keep_alive.learned_us()) << limit;
    EXPECT_LT(keep_alive.learned_us(), limit * kSecond);
    EXPECT_GE(keep_alive.learned_us(), limit * kSecond * 3 / 4) << limit;
  }
}

TEST(KeepAlive, NeverGoesBelowWhatTheCloudAsksFor) {
  KeepAlive keep_alive;
  keep_alive.begin(30 * kSecond);
  live(keep_alive, 1, 10);
  EXPECT_EQ(keep_alive.interval_us(), 30 * kSecond);
  EXPECT_EQ(keep_alive.learned_us(), 0U);
}

TEST(KeepAlive, ShrinksWhenTheNetworkBearsLessThanBefore) {
  KeepAlive keep_alive;
  keep_alive.begin(30 * kSecond);
  live(keep_alive, ~0ULL, 100);
  keep_alive.unanswered(keep_alive.interval_us());
  EXPECT_EQ(keep_alive.interval_us(), timing::kLongestLearned / 2);
  EXPECT_EQ(keep_alive.learned_us(), 0U);
  live(keep_alive, 200 * kSecond, 20);
  EXPECT_LT(keep_alive.interval_us(), 200 * kSecond);
  EXPECT_GE(keep_alive.learned_us(), 150 * kSecond);
}

TEST(KeepAlive, TriesMoreAgainOnceItWasContentForLong) {
  KeepAlive keep_alive;
  keep_alive.begin(30 * kSecond);
  live(keep_alive, 100 * kSecond, 12);
  const std::uint64_t settled = keep_alive.interval_us();
  live(keep_alive, ~0ULL, KeepAlive::kSettled);
  EXPECT_GT(keep_alive.interval_us(), settled);
  live(keep_alive, ~0ULL, 20);
  EXPECT_EQ(keep_alive.learned_us(), timing::kLongestLearned);
}

TEST(KeepAlive, LosesOneConnectionOnlyWhenItTriesMoreInVain) {
  KeepAlive keep_alive;
  keep_alive.begin(30 * kSecond);
  live(keep_alive, 100 * kSecond, 12);
  const std::uint64_t settled = keep_alive.interval_us();
  int lost = 0;
  for (unsigned i = 0; i < KeepAlive::kSettled * 3 / 2; ++i) {
    lost += keep_alive.interval_us() < 100 * kSecond ? 0 : 1;
    live(keep_alive, 100 * kSecond, 1);
  }
  EXPECT_EQ(lost, 1);
  EXPECT_EQ(keep_alive.interval_us(), settled);
}

TEST(KeepAlive, LearnsNothingFromAShorterSilence) {
  KeepAlive keep_alive;
  keep_alive.begin(30 * kSecond);
  keep_alive.answered(25 * kSecond);
  keep_alive.unanswered(25 * kSecond);
  EXPECT_EQ(keep_alive.interval_us(), 30 * kSecond);
  EXPECT_EQ(keep_alive.learned_us(), 0U);
}

TEST(KeepAlive, KeepsWhatItLearnedOverAReconnectButNotOverAnotherWishOfTheCloud) {
  KeepAlive keep_alive;
  keep_alive.begin(30 * kSecond);
  keep_alive.answered(30 * kSecond);
  keep_alive.begin(30 * kSecond);
  EXPECT_EQ(keep_alive.interval_us(), 60 * kSecond);
  keep_alive.begin(20 * kSecond);
  EXPECT_EQ(keep_alive.interval_us(), 20 * kSecond);
  EXPECT_EQ(keep_alive.learned_us(), 0U);
}

}  // namespace
}  // namespace mv::link
