#include "emulator/shaped_line.h"

#include <gtest/gtest.h>

namespace mv::emulator {
namespace {

using std::chrono::milliseconds;
const LineClock::time_point kStart{};

TEST(ShapedLine, DeliversAfterTheDelayAndNotBefore) {
  ShapedLine line;
  line.set_shape({milliseconds(150), 0});
  line.push(kStart, {1, 2});
  EXPECT_FALSE(line.pop(kStart + milliseconds(149)).has_value());
  EXPECT_EQ(line.pop(kStart + milliseconds(150)), (std::vector<std::uint8_t>{1, 2}));
  EXPECT_EQ(line.queued(), 0U);
}

TEST(ShapedLine, SpacesPiecesByTheRate) {
  ShapedLine line;
  line.set_shape({milliseconds(10), 1000});
  line.push(kStart, std::vector<std::uint8_t>(100));
  line.push(kStart, std::vector<std::uint8_t>(100));
  EXPECT_EQ(line.next_due(), kStart + milliseconds(110));
  EXPECT_TRUE(line.pop(kStart + milliseconds(110)).has_value());
  EXPECT_EQ(line.next_due(), kStart + milliseconds(210));
}

TEST(ShapedLine, KeepsTheOrderWhenTheDelayShrinks) {
  ShapedLine line;
  line.set_shape({milliseconds(500), 0});
  line.push(kStart, {1});
  line.set_shape({milliseconds(0), 0});
  line.push(kStart, {2});
  EXPECT_FALSE(line.pop(kStart + milliseconds(499)).has_value());
  EXPECT_EQ(line.pop(kStart + milliseconds(500)), std::vector<std::uint8_t>{1});
  EXPECT_EQ(line.pop(kStart + milliseconds(500)), std::vector<std::uint8_t>{2});
}

}  // namespace
}  // namespace mv::emulator
