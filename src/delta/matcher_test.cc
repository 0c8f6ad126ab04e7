#include "delta/matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace mv::delta {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::uint8_t> bytes(std::string_view text) { return {text.begin(), text.end()}; }

std::vector<Piece> match(std::string_view old_text, std::string_view new_text) {
  const auto old = bytes(old_text);
  return Matcher::create(old).value().match(bytes(new_text));
}

TEST(Matcher, FindsTheLongestBeginning) {
  const auto old = bytes("abcabdabe");
  const Matcher matcher = Matcher::create(old).value();

  const auto found = matcher.longest(bytes("abdabx"));

  EXPECT_EQ(found.old_place, 3u);
  EXPECT_EQ(found.size, 5u);
  EXPECT_EQ(matcher.longest(bytes("xyz")).size, 0u);
}

TEST(Matcher, AnImageThatIsTheOldOneIsOnePiece) {
  EXPECT_THAT(match("the quick brown fox", "the quick brown fox"), ElementsAre(Piece{0, 19, true, 0}));
}

TEST(Matcher, KeepsAMatchOverSomeBytesThatDiffer) {
  EXPECT_THAT(match("the quick brown fox jumps over it", "the quick brawn fox jumps over it"),
              ElementsAre(Piece{0, 33, true, 0}));
}

TEST(Matcher, NewBytesInTheMiddleArePiecesOfTheirOwn) {
  EXPECT_THAT(match("abcdefghijklmnopqrstuvwxyz", "abcdefghijklm0123456789nopqrstuvwxyz"),
              ElementsAre(Piece{0, 13, true, 0}, Piece{13, 10, false, 0}, Piece{23, 13, true, 13}));
}

TEST(Matcher, WithoutAnOldImageEverythingIsNew) {
  EXPECT_THAT(match("", "abc"), ElementsAre(Piece{0, 3, false, 0}));
  EXPECT_THAT(match("abc", ""), IsEmpty());
}

}  // namespace
}  // namespace mv::delta
