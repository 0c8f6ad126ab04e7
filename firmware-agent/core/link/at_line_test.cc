#include "core/link/at_line.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace mv::link {
namespace {

std::vector<std::string> lines(LineReader& reader, std::string_view bytes) {
  std::vector<std::string> all;
  for (const char byte : bytes) {
    if (const auto line = reader.push(static_cast<std::uint8_t>(byte))) all.emplace_back(*line);
  }
  return all;
}

TEST(LineReader, EndsALineAtLineFeedAndSkipsEmptyLines) {
  LineReader reader;
  EXPECT_EQ(lines(reader, "\r\nOK\r\n\r\nRDY\nAT\r\r\n"), (std::vector<std::string>{"OK", "RDY", "AT"}));
}

TEST(LineReader, ThrowsALineAwayThatIsTooLongAndTakesTheNext) {
  LineReader reader;
  EXPECT_EQ(lines(reader, std::string(kMaxLine, 'x') + "\r\n"), std::vector<std::string>{std::string(kMaxLine, 'x')});
  EXPECT_EQ(lines(reader, std::string(100'000, 'x') + "OK\r\nOK\r\n"), std::vector<std::string>{"OK"});
}

TEST(LineReader, ThrowsALineWithNoiseAwayAndTakesTheNext) {
  LineReader reader;
  EXPECT_EQ(lines(reader, "O\x80K\r\n\x01OK\r\nOK\r\n"), std::vector<std::string>{"OK"});
}

TEST(LineReader, ShowsAPromptThatHasNoEnd) {
  LineReader reader;
  EXPECT_TRUE(lines(reader, "\r\n> ").empty());
  EXPECT_EQ(reader.partial(), "> ");
}

TEST(LineParser, TakesTextAndNumbers) {
  LineParser parser("+CSQ: 23,99");
  EXPECT_FALSE(parser.take("+CEREG: "));
  EXPECT_TRUE(parser.take("+CSQ: "));
  EXPECT_EQ(parser.number(), 23U);
  EXPECT_FALSE(parser.number().has_value());
  EXPECT_TRUE(parser.take(","));
  EXPECT_EQ(parser.number(), 99U);
  EXPECT_TRUE(parser.done());
}

TEST(LineParser, RefusesANumberThatIsTooLong) {
  EXPECT_EQ(LineParser("999999999").number(), 999'999'999U);
  EXPECT_FALSE(LineParser("9999999999").number().has_value());
}

}  // namespace
}  // namespace mv::link
