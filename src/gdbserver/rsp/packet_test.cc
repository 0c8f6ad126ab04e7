#include "gdbserver/rsp/packet.h"

#include <gtest/gtest.h>

#include <vector>

namespace mv::rsp {
namespace {

using Kind = Input::Kind;

std::vector<Input> decode(std::string_view bytes) {
  PacketDecoder decoder;
  std::vector<Input> found;
  while (auto input = decoder.next(bytes)) found.push_back(std::move(*input));
  return found;
}

TEST(PacketDecoder, TakesAPacketByteByByte) {
  PacketDecoder decoder;
  std::optional<Input> last;
  for (const char byte : std::string("$g#67")) {
    std::string_view one(&byte, 1);
    last = decoder.next(one);
  }
  ASSERT_TRUE(last);
  EXPECT_EQ(last->payload, "g");
}

TEST(PacketDecoder, RemovesEscapes) {
  const auto found = decode("$X0,1:}\x03#9f");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, Kind::kPacket);
  EXPECT_EQ(found[0].payload, "X0,1:#");
}

TEST(PacketDecoder, TellsCtrlCAndAcksFromPackets) {
  const auto found = decode("+-\x03$?#3f");
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].kind, Kind::kAck);
  EXPECT_EQ(found[1].kind, Kind::kNack);
  EXPECT_EQ(found[2].kind, Kind::kInterrupt);
  EXPECT_EQ(found[3].payload, "?");
}

TEST(PacketDecoder, TakesCtrlCWithinAPacketAsData) {
  const auto found = decode("$a\x03#64");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].payload, "a\x03");
}

TEST(PacketDecoder, ReportsAWrongChecksumAndGoesOn) {
  const auto found = decode("$g#00$g#67");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].kind, Kind::kBadChecksum);
  EXPECT_EQ(found[1].payload, "g");
}

TEST(PacketDecoder, StartsAnewWhenAPacketIsBrokenOff) {
  const auto found = decode("$m0,4$g#67");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].payload, "g");
}

TEST(PacketDecoder, ReportsAPayloadThatIsTooLongAndFindsTheNext) {
  const auto found = decode("$" + std::string(kMaxPayload + 1, 'a') + "#00$g#67");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].kind, Kind::kTooLong);
  EXPECT_EQ(found[1].payload, "g");
}

TEST(EncodePacket, EscapesWhatAClientWouldMisread) {
  EXPECT_EQ(encode_packet("OK"), "$OK#9a");
  EXPECT_EQ(encode_packet("b#$}*"), "$b}\x03}\x04}]}\x0a#c4");
}

TEST(EncodePacket, FramesNotificationsWithPercent) { EXPECT_EQ(encode_notification("a:0"), "%a:0#cb"); }

}  // namespace
}  // namespace mv::rsp
