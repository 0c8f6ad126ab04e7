#include "transport/memory_pipe.h"

#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

namespace mv::transport {
namespace {

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

struct Listener {
  std::string received;
  std::optional<PipeEnd> end;

  void listen(BytePipe& pipe) {
    pipe.start([this](std::span<const std::uint8_t> data) { received.append(data.begin(), data.end()); },
               [this](const PipeEnd& how) { end = how; });
  }
};

class MemoryPipeTest : public testing::Test {
 protected:
  boost::asio::io_context context_;
  MemoryPipe::Pair pair_ = MemoryPipe::make(context_);
  Listener listener_;
};

TEST_F(MemoryPipeTest, KeepsWhatArrivesBeforeStart) {
  pair_.first->send(bytes("early "));
  listener_.listen(*pair_.second);
  pair_.first->send(bytes("late"));
  context_.run();
  EXPECT_EQ(listener_.received, "early late");
  EXPECT_FALSE(listener_.end.has_value());
}

TEST_F(MemoryPipeTest, DeliversEverythingBeforeTheEnd) {
  listener_.listen(*pair_.second);
  pair_.first->send(bytes("last words"));
  pair_.first->close_with(3, "somebody else debugs it");
  context_.run();
  EXPECT_EQ(listener_.received, "last words");
  ASSERT_TRUE(listener_.end.has_value());
  EXPECT_EQ(listener_.end->reason, PipeEnd::Reason::kPeerClosed);
  EXPECT_EQ(listener_.end->code, 3);
}

TEST_F(MemoryPipeTest, CutLosesWhatIsOnItsWayAndTellsBothEnds) {
  Listener other;
  other.listen(*pair_.first);
  listener_.listen(*pair_.second);
  pair_.first->send(bytes("lost"));
  pair_.first->cut();
  context_.run();
  EXPECT_EQ(listener_.received, "");
  ASSERT_TRUE(listener_.end && other.end);
  EXPECT_EQ(listener_.end->reason, PipeEnd::Reason::kLost);
  EXPECT_EQ(other.end->reason, PipeEnd::Reason::kLost);
}

TEST_F(MemoryPipeTest, SaysNothingAfterClose) {
  listener_.listen(*pair_.second);
  pair_.first->send(bytes("unheard"));
  pair_.second->close();
  context_.run();
  EXPECT_EQ(listener_.received, "");
  EXPECT_FALSE(listener_.end.has_value());
}

TEST_F(MemoryPipeTest, MayBeDestroyedFromItsOwnCallback) {
  int calls = 0;
  pair_.second->start(
      [&](std::span<const std::uint8_t>) {
        ++calls;
        pair_.second.reset();
      },
      [](const PipeEnd&) { FAIL(); });
  pair_.first->send(bytes("a"));
  pair_.first->send(bytes("b"));
  context_.run();
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace mv::transport
