#include "core/app/log_buffer.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "boards/host/fakes.h"

namespace mv::app {
namespace {

class LogBufferTest : public ::testing::Test {
 protected:
  bool add(const std::string& text) {
    return log_.append(mv_wire_LogSource_LOG_APPLICATION,
                       {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }

  std::string text(std::uint64_t after) {
    const auto record = log_.next(after);
    return record ? std::string(record->text.begin(), record->text.end()) : "(none)";
  }

  host::FakeClock clock_;
  host::FakeLock lock_;
  DeviceClock device_clock_{clock_, lock_};
  LogBuffer log_{device_clock_, lock_};
};

TEST_F(LogBufferTest, GivesRecordsInOrderAgainAndAgainUntilTheyAreAcknowledged) {
  add("one");
  add("two");
  EXPECT_EQ(text(0), "one");
  EXPECT_EQ(text(1), "two");
  EXPECT_EQ(text(0), "one");
  log_.acknowledge(1);
  EXPECT_EQ(text(0), "two");
  log_.acknowledge(7);
  EXPECT_EQ(text(0), "(none)");
  add("three");
  EXPECT_EQ(log_.next(0)->sequence, 3U);
}

TEST_F(LogBufferTest, DropsAndCountsWhatDoesNotFitAndKeepsRoomForTheMicrovisor) {
  while (add(std::string(300, 'x'))) {
  }
  EXPECT_EQ(log_.lost(), 1U);
  EXPECT_TRUE(log_.append("the application crashed"));
  EXPECT_EQ(text(0), std::string(300, 'x')) << "the oldest record is still there";
}

TEST_F(LogBufferTest, StampsRecordsWithBothTimes) {
  add("early");
  device_clock_.set_wall_time(1'700'000'000'000'000, clock_.uptime_us());
  clock_.advance_ms(1);
  add("late");
  EXPECT_EQ(log_.next(0)->time_us, 0U);
  EXPECT_EQ(log_.next(1)->time_us, 1'700'000'000'001'000U);
  EXPECT_EQ(log_.next(1)->uptime_us, clock_.uptime_us());
}

// Random sizes and acknowledgements for a long time: every record that was taken comes out once, whole and in order.
TEST_F(LogBufferTest, LosesNothingOverManyRounds) {
  std::mt19937 random(1);
  std::vector<std::string> kept;
  std::uint64_t seen = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::string text(random() % 700, static_cast<char>('a' + round % 26));
    if (add(text)) kept.push_back(text);
    if (random() % 3 != 0) continue;
    for (auto record = log_.next(seen); record; record = log_.next(seen)) {
      ASSERT_EQ(record->sequence, seen + 1);
      ASSERT_EQ(std::string(record->text.begin(), record->text.end()), kept.at(seen));
      ++seen;
      if (random() % 4 == 0) break;
    }
    if (random() % 2 == 0) log_.acknowledge(seen);
  }
  EXPECT_GT(seen, 5000U);
}

}  // namespace
}  // namespace mv::app
