#include "wire/multiplex.h"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace mv::frame {
namespace {

using Action = Multiplex::Action;
using State = Multiplex::State;

Frame data(Stream stream, std::size_t length) {
  static const std::array<std::uint8_t, kMaxPayload> zeros{};
  return {Type::kData, stream, std::span(zeros).first(length)};
}

// A frame whose payload is one big-endian number.
struct NumberFrame {
  NumberFrame(Type type, Stream stream, std::uint32_t value) : bytes(write_u32(value)), frame{type, stream, bytes} {}
  std::array<std::uint8_t, 4> bytes;
  Frame frame;
};

Frame close_frame(Stream stream) {
  static const std::array<std::uint8_t, 2> done{};
  return {Type::kClose, stream, done};
}

TEST(Multiplex, LetsControlBlobAndLogBeginOpen) {
  Multiplex mux;
  EXPECT_EQ(mux.sendable(Stream::kControl), kInitialCredit);
  EXPECT_EQ(mux.received(data(Stream::kLog, 10)), Action::kDeliver);
}

TEST(Multiplex, RefusesDataOnAStreamThatIsNotOpen) {
  Multiplex mux;
  EXPECT_EQ(mux.received(data(Stream::kDebug, 1)).error(), MultiplexError::kNotOpen);
}

TEST(Multiplex, RefusesMoreDataThanWasGranted) {
  Multiplex mux;
  for (std::uint32_t sent = 0; sent + kMaxPayload <= kInitialCredit; sent += kMaxPayload) {
    ASSERT_EQ(mux.received(data(Stream::kControl, kMaxPayload)), Action::kDeliver);
  }
  EXPECT_EQ(mux.received(data(Stream::kControl, kMaxPayload)).error(), MultiplexError::kCreditOverrun);
}

TEST(Multiplex, GrantsCreditAgainOnceHalfTheWindowIsConsumed) {
  Multiplex mux;
  ASSERT_TRUE(mux.received(data(Stream::kLog, 2000)).has_value());
  EXPECT_EQ(mux.consumed(Stream::kLog, 2000), 0U);
  ASSERT_TRUE(mux.received(data(Stream::kLog, 2000)).has_value());
  ASSERT_TRUE(mux.received(data(Stream::kLog, 2000)).has_value());
  EXPECT_EQ(mux.consumed(Stream::kLog, 2000), 0U);
  EXPECT_EQ(mux.consumed(Stream::kLog, 2000), 6000U);
}

TEST(Multiplex, RefusesCreditAboveTheLimit) {
  Multiplex mux;
  const NumberFrame grant(Type::kCredit, Stream::kControl, 0xFFFFFFFF);
  EXPECT_EQ(mux.received(grant.frame).error(), MultiplexError::kCreditTooLarge);
}

TEST(Multiplex, OpensAStreamByOfferAndAcceptance) {
  Multiplex cloud;
  Multiplex device;
  ASSERT_TRUE(cloud.open(Stream::kDebug, 4096));
  EXPECT_EQ(cloud.sendable(Stream::kDebug), 0U);
  EXPECT_EQ(device.received(NumberFrame(Type::kOpen, Stream::kDebug, 4096).frame), Action::kOffered);
  ASSERT_TRUE(device.accept(Stream::kDebug, 2048));
  EXPECT_EQ(cloud.received(NumberFrame(Type::kOpen, Stream::kDebug, 2048).frame), Action::kAccepted);

  EXPECT_EQ(cloud.sendable(Stream::kDebug), 2048U);
  EXPECT_EQ(device.sendable(Stream::kDebug), 4096U);
}

TEST(Multiplex, ClosesOnBothEndsAndCanBeOpenedAgain) {
  Multiplex cloud;
  Multiplex device;
  cloud.open(Stream::kDebug, 4096);
  ASSERT_TRUE(device.received(NumberFrame(Type::kOpen, Stream::kDebug, 4096).frame).has_value());
  device.accept(Stream::kDebug, 2048);
  ASSERT_TRUE(cloud.received(NumberFrame(Type::kOpen, Stream::kDebug, 2048).frame).has_value());

  ASSERT_TRUE(cloud.close(Stream::kDebug));
  EXPECT_EQ(cloud.received(data(Stream::kDebug, 100)), Action::kNone) << "data in flight is ignored";
  EXPECT_EQ(device.received(close_frame(Stream::kDebug)), Action::kClosedReply);
  EXPECT_EQ(cloud.received(close_frame(Stream::kDebug)), Action::kClosed);

  EXPECT_EQ(cloud.state(Stream::kDebug), State::kClosed);
  EXPECT_TRUE(cloud.open(Stream::kDebug, 4096));
}

TEST(Multiplex, RefusesToOpenAnOpenStream) {
  Multiplex device;
  const NumberFrame offer(Type::kOpen, Stream::kDebug, 4096);
  ASSERT_TRUE(device.received(offer.frame).has_value());
  device.accept(Stream::kDebug, 2048);
  EXPECT_EQ(device.received(offer.frame).error(), MultiplexError::kAlreadyOpen);
}

TEST(Multiplex, SendsControlBeforeDebugBeforeLogBeforeBlob) {
  Multiplex mux;
  mux.open(Stream::kDebug, 4096);
  ASSERT_TRUE(mux.received(NumberFrame(Type::kOpen, Stream::kDebug, 2048).frame).has_value());
  std::uint32_t ready = 0b1111;
  std::vector<Stream> order;
  while (const auto stream = mux.next_to_send(ready)) {
    order.push_back(*stream);
    ready &= ~(1U << static_cast<unsigned>(*stream));
  }
  EXPECT_EQ(order, (std::vector{Stream::kControl, Stream::kDebug, Stream::kLog, Stream::kBlob}));
}

TEST(Multiplex, SkipsAStreamWithoutCredit) {
  Multiplex mux;
  mux.sent(Stream::kControl, kInitialCredit);
  EXPECT_EQ(mux.next_to_send(0b101), Stream::kLog);
}

TEST(Multiplex, EndsTheLinkWhenControlIsClosed) {
  Multiplex mux;
  EXPECT_EQ(mux.received(close_frame(Stream::kControl)), Action::kLinkClosed);
}

}  // namespace
}  // namespace mv::frame
