#include "core/app/test_calls.h"

#include <array>
#include <cstring>

#include <gtest/gtest.h>

#include "boards/host/fakes.h"

namespace mv::app {
namespace {

constexpr std::uint32_t kRam = 0x20000000;
constexpr std::uint32_t kOutside = 0x30000000;

class TestCallsTest : public ::testing::Test {
 protected:
  TestCallsTest() { calls_.set_test_mode(true); }

  Progress log(std::uint32_t message, std::uint32_t length) {
    std::array<std::uint32_t, 4> arguments = {message, length, 0, 0};
    for (int round = 0; round < 3000; ++round) {
      if (const Progress done = calls_.log(arguments)) return done;
    }
    return kCallAgain;
  }

  host::FakeClock clock_;
  host::FakeGuestMemory memory_{kRam, 0x10000};
  host::FakeGuestBoard board_;
  TestCalls calls_{memory_, board_, clock_};
};

TEST_F(TestCallsTest, AreForTheFactoryOnly) {
  calls_.set_test_mode(false);
  std::array<std::uint32_t, 4> arguments{};
  EXPECT_EQ(calls_.logging_init(kRam, 512), MV_STATUS_UNAVAILABLE);
  EXPECT_EQ(calls_.log(arguments), MV_STATUS_UNAVAILABLE);
  EXPECT_EQ(calls_.complete(arguments), MV_STATUS_UNAVAILABLE);
  EXPECT_FALSE(calls_.take_verdict().has_value());
}

TEST_F(TestCallsTest, LogALineOnTheConsole) {
  std::memcpy(memory_.at(kRam, 5), "hello", 5);
  EXPECT_EQ(log(kRam, 5), MV_STATUS_UNAVAILABLE) << "not before it was set up";
  EXPECT_EQ(calls_.logging_init(kRam + 1, 512), MV_STATUS_INVALIDBUFFERALIGNMENT);
  EXPECT_EQ(calls_.logging_init(kRam, 500), MV_STATUS_INVALIDBUFFERSIZE);
  EXPECT_EQ(calls_.logging_init(kRam, 0), MV_STATUS_INVALIDBUFFERSIZE);
  EXPECT_EQ(calls_.logging_init(kOutside, 512), MV_STATUS_PARAMETERFAULT);
  ASSERT_EQ(calls_.logging_init(kRam, 512), MV_STATUS_OKAY);
  EXPECT_EQ(log(kRam, 1025), MV_STATUS_LOGMESSAGETOOLONG);
  EXPECT_EQ(log(kOutside, 5), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(board_.console, "");
  EXPECT_EQ(log(kRam, 5), MV_STATUS_OKAY);
  EXPECT_EQ(log(kOutside, 0), MV_STATUS_OKAY);
  EXPECT_EQ(board_.console, "hello\r\n\r\n");
  calls_.reset();
  EXPECT_EQ(log(kRam, 5), MV_STATUS_UNAVAILABLE);
}

TEST_F(TestCallsTest, WaitForAConsoleThatIsSlowAndNotForOneThatIsDead) {
  std::memcpy(memory_.at(kRam, 3), "abc", 3);
  calls_.logging_init(kRam, 512);
  board_.console_room = 1;
  std::array<std::uint32_t, 4> arguments = {kRam, 3, 0, 0};
  EXPECT_EQ(calls_.log(arguments), kCallAgain);
  EXPECT_EQ(calls_.log(arguments), kCallAgain);
  EXPECT_EQ(arguments[1], 2U) << "one of them is out";
  clock_.now_us += TestCalls::kConsolePatience;
  EXPECT_EQ(calls_.log(arguments), kCallAgain);
  EXPECT_EQ(arguments[1], 1U) << "one is given up";
  board_.console_room = 100;
  Progress done;
  while (!done) done = calls_.log(arguments);
  EXPECT_EQ(board_.console, "ac\r\n");
}

TEST_F(TestCallsTest, TheVerdictEndsTheApplication) {
  std::array<std::uint32_t, 4> arguments = {7, 0, 0, 0};
  EXPECT_EQ(calls_.complete(arguments), kCallAgain);
  EXPECT_EQ(calls_.complete(arguments), kCallAgain) << "it never returns";
  EXPECT_EQ(board_.wakes, 1);
  EXPECT_EQ(calls_.take_verdict(), 7U);
  EXPECT_FALSE(calls_.take_verdict().has_value());
}

}  // namespace
}  // namespace mv::app
