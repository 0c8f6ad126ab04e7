#include "core/debug/console_text.h"

#include <string>

#include <gtest/gtest.h>

namespace mv::debug {
namespace {

class ConsoleTextTest : public testing::Test {
 protected:
  void write(std::string_view text) {
    console_.begin();
    console_.put(text);
    console_.end();
  }
  std::string read(std::size_t most = 4096) {
    std::string text;
    while (text.size() < most && !console_.front().empty()) {
      const auto part = console_.front();
      const std::size_t size = std::min(part.size(), most - text.size());
      text.append(part.data(), size);
      console_.take(size);
    }
    return text;
  }

  ConsoleText console_;
};

TEST_F(ConsoleTextTest, GivesBackWhatWasWrittenInOrder) {
  EXPECT_TRUE(console_.empty());
  write("one\n");
  write("two\n");
  EXPECT_EQ(read(), "one\ntwo\n");
  EXPECT_TRUE(console_.empty());
}

TEST_F(ConsoleTextTest, GoesRoundItsRing) {
  for (int round = 0; round < 100; ++round) {
    const std::string text(37 + static_cast<std::size_t>(round), static_cast<char>('a' + round % 26));
    write(text);
    EXPECT_EQ(read(), text);
  }
}

TEST_F(ConsoleTextTest, DropsAWholePieceThatDoesNotFitAndCountsIt) {
  write(std::string(ConsoleText::kLongestPiece, 'a'));
  write(std::string(ConsoleText::kLongestPiece - 4, 'b'));
  write("12345");
  write("1234");
  write("5");
  EXPECT_EQ(console_.take_dropped(), 2U);
  EXPECT_EQ(console_.take_dropped(), 0U);
  const std::string text = read();
  EXPECT_EQ(text.size(), ConsoleText::kCapacity);
  EXPECT_EQ(text.substr(text.size() - 4), "1234");
  write("again");
  EXPECT_EQ(read(), "again");
}

TEST_F(ConsoleTextTest, CutsAPieceThatIsTooLong) {
  write(std::string(2 * ConsoleText::kLongestPiece, 'a'));
  EXPECT_EQ(read().size(), ConsoleText::kLongestPiece);
  EXPECT_EQ(console_.take_dropped(), 0U);
}

TEST_F(ConsoleTextTest, ForgetsAPieceThatWasNotEnded) {
  console_.begin();
  console_.put("half");
  write("whole");
  EXPECT_EQ(read(), "whole");
}

TEST_F(ConsoleTextTest, SaysThatOnlyLossIsThereToTell) {
  while (console_.take_dropped() == 0) write(std::string(100, 'x'));
  write(std::string(100, 'x'));
  read();
  EXPECT_FALSE(console_.empty());
  console_.forget();
  EXPECT_TRUE(console_.empty());
}

}  // namespace
}  // namespace mv::debug
