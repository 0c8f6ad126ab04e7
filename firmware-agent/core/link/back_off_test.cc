#include "core/link/back_off.h"

#include <gtest/gtest.h>

#include "core/link/timing.h"

namespace mv::link {
namespace {

class FixedEntropy final : public Entropy {
 public:
  explicit FixedEntropy(std::uint8_t value) : value_(value) {}
  bool fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = value_;
    return works;
  }
  bool works = true;

 private:
  std::uint8_t value_;
};

TEST(BackOff, DoublesFromOneSecondToFiveMinutes) {
  FixedEntropy none(0);
  BackOff back_off(none);
  for (const std::uint64_t seconds : {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300}) {
    EXPECT_EQ(back_off.next_us(), seconds * timing::kSecond);
  }
}

TEST(BackOff, LeavesOutUpToHalfAtRandom) {
  FixedEntropy most(0xFF);
  BackOff back_off(most);
  EXPECT_GE(back_off.next_us(), timing::kSecond / 2);
  EXPECT_LT(back_off.next_us(), 2 * timing::kSecond * 51 / 100);
}

TEST(BackOff, BeginsAgainAfterAStableConnection) {
  FixedEntropy none(0);
  BackOff back_off(none);
  for (int i = 0; i < 5; ++i) back_off.next_us();
  back_off.reset();
  EXPECT_EQ(back_off.next_us(), timing::kFirstRetry);
}

TEST(BackOff, WaitsInFullWithoutRandomness) {
  FixedEntropy most(0xFF);
  most.works = false;
  BackOff back_off(most);
  EXPECT_EQ(back_off.next_us(), timing::kFirstRetry);
}

}  // namespace
}  // namespace mv::link
