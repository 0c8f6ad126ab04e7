#include "transport/event_parser.h"

#include <vector>

#include <gtest/gtest.h>

namespace mv::transport {
namespace {

struct Reader {
  EventParser parser;
  std::vector<ServerEvent> events;
  bool push(std::string_view text) {
    return parser.push(text, [this](const ServerEvent& event) { return events.push_back(event), true; });
  }
};

TEST(EventParser, ReadsAnEventInPieces) {
  Reader reader;
  reader.push("id: 7\nevent: lo");
  reader.push("g\ndata: {\"a\":1}\n");
  EXPECT_TRUE(reader.events.empty());
  reader.push("\n");
  ASSERT_EQ(reader.events.size(), 1U);
  EXPECT_EQ(reader.events[0].id, "7");
  EXPECT_EQ(reader.events[0].type, "log");
  EXPECT_EQ(reader.events[0].data, "{\"a\":1}");
}

TEST(EventParser, JoinsDataLinesAndTakesAllLineEnds) {
  Reader reader;
  reader.push("data: a\r\ndata:b\rdata:  c\n\r\n");
  ASSERT_EQ(reader.events.size(), 1U);
  EXPECT_EQ(reader.events[0].data, "a\nb\n c");
  EXPECT_EQ(reader.events[0].type, "message");
}

TEST(EventParser, IgnoresHeartbeatsAndEmptyEvents) {
  Reader reader;
  reader.push(": heartbeat\n\nevent: x\n\nunknown: y\n\n");
  EXPECT_TRUE(reader.events.empty());
}

TEST(EventParser, KeepsTheLastIdAcrossConnectionsButNotHalfAnEvent) {
  Reader reader;
  reader.push("id: 3\ndata: whole\n\nid: 4\ndata: ha");
  reader.parser.restart();
  reader.push("data: next\n\n");
  ASSERT_EQ(reader.events.size(), 2U);
  EXPECT_EQ(reader.events[1].data, "next");
}

TEST(EventParser, BoundsTheRetryTimeAndTheSizeOfAnEvent) {
  Reader reader;
  reader.push("retry: 99999999\n");
  EXPECT_EQ(reader.parser.retry(), std::chrono::milliseconds(60'000));
  EXPECT_FALSE(reader.push("data: " + std::string(EventParser::kMaxEvent, 'x')));
  EXPECT_TRUE(reader.parser.too_long());
}

TEST(EventParser, StopsWhenToldTo) {
  EventParser parser;
  int count = 0;
  EXPECT_FALSE(parser.push("data: 1\n\ndata: 2\n\n", [&](const ServerEvent&) { return ++count, false; }));
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace mv::transport
