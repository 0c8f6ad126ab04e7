#include "gdbserver/target/message_stream.h"

#include <gtest/gtest.h>

namespace mv::gdb {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(MessageStream, HandsOverMessagesHoweverTheyAreCut) {
  MessageStream stream;
  for (const std::uint8_t byte : Bytes{0, 2, 'a', 'b', 0, 1}) stream.push({&byte, 1});
  EXPECT_EQ(stream.next(), (Bytes{'a', 'b'}));
  EXPECT_EQ(stream.next(), std::nullopt);
  stream.push(Bytes{'c', 0, 1, 'd'});
  EXPECT_EQ(stream.next(), Bytes{'c'});
  EXPECT_EQ(stream.next(), Bytes{'d'});
  EXPECT_EQ(stream.next(), std::nullopt);
}

TEST(MessageStream, WaitsForTheWholeLength) {
  MessageStream stream;
  EXPECT_EQ(stream.next(), std::nullopt);
  stream.push(Bytes{0});
  EXPECT_EQ(stream.next(), std::nullopt);
  stream.push(Bytes{3, 'a', 'b'});
  EXPECT_EQ(stream.next(), std::nullopt);
}

TEST(MessageStream, TakesAnEmptyMessageAndTheLongest) {
  MessageStream stream;
  stream.push(Bytes{0, 0, 0xFF, 0xFF});
  stream.push(Bytes(kMaxAgentMessage, 'x'));
  EXPECT_EQ(stream.next(), Bytes{});
  EXPECT_EQ(stream.next(), Bytes(kMaxAgentMessage, 'x'));
}

TEST(MessageStream, ForgetsHalfAMessageWhenItIsCleared) {
  MessageStream stream;
  stream.push(Bytes{0, 9, 'a'});
  stream.clear();
  stream.push(Bytes{0, 1, 'b'});
  EXPECT_EQ(stream.next(), Bytes{'b'});
}

TEST(FrameMessage, PutsTheLengthBefore) {
  EXPECT_EQ(frame_message("ab"), (Bytes{0, 2, 'a', 'b'}));
  const auto longest = frame_message(std::string(kMaxAgentMessage, 'x'));
  EXPECT_EQ(longest[0], 0xFF);
  EXPECT_EQ(longest[1], 0xFF);
}

}  // namespace
}  // namespace mv::gdb
