// The session as a client sees it that connects, breaks the rules, or goes.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "gdbserver/session/session_fixture.h"

namespace mv::gdb {
namespace {

using test::SessionTest;

TEST_F(SessionTest, HoldsTheFirstPacketUntilTheDeviceIsHaltedAndKeepsGdbPatient) {
  EXPECT_EQ(ask("?"), "+");
  sent_.clear();
  time_.pass(std::chrono::milliseconds(2100));
  EXPECT_EQ(sent_, "%mv-alive:0#8b%mv-alive:0#8b");
  sent_.clear();
  target_.attach_handler(Stop{});
  EXPECT_TRUE(sent_.starts_with("$T05thread:1;00:00000000;")) << sent_;
}

TEST_F(SessionTest, SaysWhyThereIsNoTarget) {
  target_.attach_handler(failure(ErrorCode::kBusy, "another debugger is attached"));
  EXPECT_EQ(ask("QStartNoAckMode"), "+$OK#9a");
  EXPECT_EQ(reply("?"), "S05") << "GDB 13 would wait for ever upon an error";
  EXPECT_EQ(reply("g"), "E.another debugger is attached");
  EXPECT_EQ(reply("D"), "OK");
  EXPECT_EQ(finished_, 1);
  EXPECT_EQ(target_.detached, 0);
}

TEST_F(SessionTest, WaitsForItsTargetAsLongAsItTakes) {
  EXPECT_EQ(ask("?"), "+");
  time_.pass(std::chrono::seconds(60));
  EXPECT_EQ(sent_.find('$'), std::string::npos) << sent_;
  sent_.clear();
  target_.attach_handler(failure(ErrorCode::kTimeout, "the device does not answer"));
  EXPECT_EQ(sent_, "$S05#b8");
}

TEST_F(SessionTest, SaysToLldbWhyThereIsNoTarget) {
  target_.attach_handler(failure(ErrorCode::kBusy, "another debugger is attached"));
  EXPECT_EQ(ask("QStartNoAckMode"), "+$OK#9a");
  EXPECT_EQ(reply("QThreadSuffixSupported"), "");
  EXPECT_EQ(reply("?"), "E.another debugger is attached");
}

TEST_F(SessionTest, IgnoresNaksInNoAckMode) {
  start();
  EXPECT_EQ(give("---"), "");
}

TEST_F(SessionTest, ResendsThePacketWhileAcksAreUsed) {
  target_.attach_handler(Stop{});
  EXPECT_EQ(ask("qAttached"), "+$1#31");
  EXPECT_EQ(give("-"), "$1#31");
}

TEST_F(SessionTest, WaitsWithPacketsThatComeBeforeTheirTurn) {
  start();
  target_.hold_reads = true;
  EXPECT_EQ(give(rsp::encode_packet("m20000000,4") + rsp::encode_packet("qC")), "");
  target_.read_handler(Bytes{1, 2, 3, 4});
  EXPECT_EQ(sent_, rsp::encode_packet("01020304") + rsp::encode_packet("QC1"));
}

TEST_F(SessionTest, EndsAClientThatFloodsIt) {
  start();
  target_.hold_reads = true;
  for (int i = 0; i < 100; ++i) ask("m20000000,4");
  EXPECT_EQ(finished_, 1);
  EXPECT_EQ(target_.detached, 1);
}

TEST_F(SessionTest, RestartsForExtendedRemote) {
  start();
  EXPECT_EQ(reply("!"), "OK");
  EXPECT_TRUE(reply("vRun;").starts_with("T05"));
}

// A second client while the first has the application running.
TEST_F(SessionTest, AnObserverReadsWhileTheDriverRunsAndChangesNothing) {
  start();
  give(rsp::encode_packet("vCont;c"));
  target_.last.registers.core[arm::kPc] = 0x00100044;
  std::string sent;
  int finished = 0;
  Session observer(
      target_, time_, Session::Role::kObserver, [&](std::string bytes) { sent = std::move(bytes); },
      [&] { ++finished; });
  const auto observed = [&](std::string_view payload) {
    observer.receive(rsp::encode_packet(payload));
    return sent;
  };
  observer.receive(rsp::encode_packet("QStartNoAckMode"));
  EXPECT_NE(observed("?").find("0f:44001000;"), std::string::npos) << sent;
  EXPECT_EQ(observed("m20000000,2"), rsp::encode_packet("0001"));
  EXPECT_EQ(target_.peeks, 1);
  for (const char* change : {"vCont;c", "s", "Z0,100000,2", "M20000000,1:00", "P0=00000000", "R00"})
    EXPECT_TRUE(observed(change).starts_with("$E.this GDB may only read")) << change << sent;
  EXPECT_EQ(observed("D"), rsp::encode_packet("OK"));
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(target_.detached, 0);
  EXPECT_TRUE(target_.written.empty());
  EXPECT_EQ(target_.plans.size(), 1U);
}

}  // namespace
}  // namespace mv::gdb
