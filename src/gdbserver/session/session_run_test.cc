// Resumes, stops, breakpoints and watchpoints, and what comes while the application runs.
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "gdbserver/rsp/hex.h"
#include "gdbserver/session/session_fixture.h"

namespace mv::gdb {
namespace {

using test::SessionTest;

TEST_F(SessionTest, KeepsWatchpointsAndNamesTheOneThatWasHit) {
  start();
  EXPECT_EQ(reply("Z2,20000010,4"), "OK");
  EXPECT_EQ(reply("Z3,20000010,2"), "OK");
  EXPECT_EQ(reply("Z4,20000010,1"), "OK");
  EXPECT_EQ(target_.watchpoints.size(), 3U);
  EXPECT_EQ(reply("z3,20000010,2"), "OK");
  EXPECT_EQ(target_.watchpoints,
            (std::set<Watchpoint>{{0x20000010, 4, WatchKind::kWrite}, {0x20000010, 1, WatchKind::kAccess}}));
  EXPECT_EQ(reply("Z2,20000010,9"), "E.too long");
  for (const auto& [kind, name] :
       {std::pair(WatchKind::kWrite, "watch:20000012;"), std::pair(WatchKind::kRead, "rwatch:20000012;"),
        std::pair(WatchKind::kAccess, "awatch:20000012;")}) {
    give(rsp::encode_packet("vCont;c"));
    Stop stop;
    stop.reason = StopReason::kWatchpoint;
    stop.watch = WatchHit{0x20000012, kind};
    sent_.clear();
    target_.resume_handler(stop);
    EXPECT_TRUE(sent_.starts_with(std::string("$T05thread:1;") + name)) << sent_;
  }
}

TEST_F(SessionTest, GivesFaultsToTheApplicationsOwnHandlerWhenAskedTo) {
  start();
  give(rsp::encode_packet("vCont;c"));
  stop_with(StopReason::kFault, 0x00100042);
  reply("qRcmd," + rsp::to_hex(std::string_view("faults reflect")));
  give(rsp::encode_packet("vCont;c"));
  stop_with(StopReason::kBreakpoint, 0x00100044);
  reply("qRcmd," + rsp::to_hex(std::string_view("faults stop")));
  give(rsp::encode_packet("vCont;c"));
  ASSERT_EQ(target_.plans.size(), 3U);
  EXPECT_FALSE(target_.plans[0].reflect_faults);
  EXPECT_TRUE(target_.plans[1].reflect_faults);
  EXPECT_FALSE(target_.plans[2].reflect_faults);
}

TEST_F(SessionTest, StepsWithInterruptsWhenAskedTo) {
  start();
  give(rsp::encode_packet("vCont;s:1"));
  stop_with(StopReason::kStep, 0x00100042);
  reply("qRcmd," + rsp::to_hex(std::string_view("step-interrupts  on")));
  give(rsp::encode_packet("vCont;s:1"));
  stop_with(StopReason::kStep, 0x00100044);
  reply("qRcmd," + rsp::to_hex(std::string_view("step-interrupts off")));
  give(rsp::encode_packet("vCont;s:1"));
  ASSERT_EQ(target_.plans.size(), 3U);
  EXPECT_FALSE(target_.plans[0].step_interrupts);
  EXPECT_TRUE(target_.plans[1].step_interrupts);
  EXPECT_FALSE(target_.plans[2].step_interrupts);
}

TEST_F(SessionTest, StepsThroughARangeOnTheDevice) {
  start();
  EXPECT_EQ(ask("vCont;r100040,100050:1;c"), "");
  ASSERT_EQ(target_.plans.size(), 1U);
  EXPECT_EQ(target_.plans[0].mode, ResumePlan::Mode::kStepRange);
  EXPECT_EQ(target_.plans[0].start, 0x100040U);
  EXPECT_EQ(target_.plans[0].end, 0x100050U);
  const auto sent = stop_with(StopReason::kStep, 0x100050);
  EXPECT_NE(sent.find("T05thread:1;"), std::string::npos);
  EXPECT_NE(sent.find("0f:50001000;"), std::string::npos);
}

TEST_F(SessionTest, NamesTheKindOfBreakpointThatWasHit) {
  start();
  reply("qSupported:swbreak+;hwbreak+");
  EXPECT_EQ(reply("Z1,100040,2"), "OK");
  EXPECT_EQ(reply("Z0,100050,2"), "OK");
  ask("vCont;c");
  EXPECT_NE(stop_with(StopReason::kBreakpoint, 0x100040).find("hwbreak:;"), std::string::npos);
  ask("vCont;c");
  EXPECT_NE(stop_with(StopReason::kBreakpoint, 0x100050).find("swbreak:;"), std::string::npos);
}

TEST_F(SessionTest, RefusesABreakpointTooManyWithASentence) {
  start();
  EXPECT_EQ(reply("Z1,100040,2"), "OK");
  EXPECT_EQ(reply("Z1,100050,2"), "OK");
  EXPECT_EQ(reply("Z1,100060,2"), "E.all 2 breakpoints are in use");
  EXPECT_EQ(reply("z1,100040,2"), "OK");
  EXPECT_EQ(reply("Z1,100060,2"), "OK");
}

TEST_F(SessionTest, PassesCtrlCOnWhileTheApplicationRuns) {
  start();
  ask("vCont;c");
  EXPECT_EQ(give("\x03"), "");
  EXPECT_EQ(target_.interrupts, 1);
  EXPECT_NE(stop_with(StopReason::kInterrupt, 0x100040).find("$T02"), std::string::npos);
}

// GDB manual, "Interrupts". GDB's `next` over calls resumes many times; Ctrl-C may come between two of them.
TEST_F(SessionTest, KeepsACtrlCThatComesBetweenTwoResumesForTheNext) {
  start();
  EXPECT_EQ(give("\x03"), "");
  EXPECT_EQ(target_.interrupts, 0);
  EXPECT_TRUE(reply("vCont;c").starts_with("T02thread:1;"));
  EXPECT_TRUE(target_.plans.empty());
  ask("vCont;c");
  EXPECT_EQ(target_.plans.size(), 1U);
}

TEST_F(SessionTest, ForgetsACtrlCFromBeforeTheRestart) {
  start();
  give("\x03");
  ask("qRcmd,7265736574");
  ask("vCont;c");
  EXPECT_EQ(target_.plans.size(), 1U);
}

TEST_F(SessionTest, IgnoresLldbsInterruptOfWhatHasStoppedMeanwhile) {
  start();
  reply("QThreadSuffixSupported");
  give("\x03");
  ask("vCont;c");
  EXPECT_EQ(target_.plans.size(), 1U);
}

TEST_F(SessionTest, ExplainsAFaultOnTheConsoleAndWithItsSignal) {
  start();
  ask("vCont;c");
  Stop stop;
  stop.reason = StopReason::kFault;
  stop.fault = fault::Fault{.cfsr = 0x8200, .bfar = 0x40004400, .access = {0x40004400, 4, true}};
  stop.registers.core[arm::kPc] = 0x100042;
  sent_.clear();
  target_.resume_handler(stop);
  const auto text = rsp::to_hex(std::string_view("bus fault: write to 0x40004400, precise, from 0x00100042"));
  EXPECT_NE(sent_.find(text), std::string::npos);
  EXPECT_NE(sent_.find("$T0a"), std::string::npos);
}

TEST_F(SessionTest, TellsOfALostLinkOnlyWhileGdbWaitsForAStop) {
  start();
  sent_.clear();
  target_.notice("link lost");
  EXPECT_EQ(sent_, "");
  ask("vCont;c");
  target_.notice("link lost");
  EXPECT_TRUE(sent_.starts_with("$O")) << sent_;
}

TEST_F(SessionTest, AnnouncesConditionsAndCommandsIfTheDeviceTakesThem) {
  start();
  EXPECT_EQ(reply("qSupported").find("ConditionalBreakpoints+"), std::string::npos);
  target_.limits = {16, 1024};
  const auto features = reply("qSupported");
  EXPECT_NE(features.find(";ConditionalBreakpoints+;BreakpointCommands+"), std::string::npos);
}

TEST_F(SessionTest, PassesConditionsAndCommandsOnAndReplacesThem) {
  start();
  EXPECT_EQ(reply("Z0,100100,2;X3,220127;cmds:1,X1,27"), "OK");
  EXPECT_EQ(target_.programs[0x100100], (BreakpointProgram{{{0x22, 1, 0x27}}, {{0x27}}}));
  EXPECT_EQ(reply("Z1,100100,2"), "OK");
  EXPECT_EQ(target_.programs[0x100100], BreakpointProgram{});
}

TEST_F(SessionTest, ShowsWhatTheDevicePrintsWhileGdbWaits) {
  start();
  target_.console("nobody waits\n");
  ask("vCont;c");
  sent_.clear();
  target_.console("r0=1\n");
  EXPECT_EQ(sent_, rsp::encode_packet("O" + rsp::to_hex(std::string_view("r0=1\n"))));
}

TEST_F(SessionTest, LeavesOutConsoleTextThatAClientDoesNotRead) {
  std::size_t backlog = 1U << 20;
  session_.watch_backlog([&] { return backlog; });
  start();
  ask("vCont;c");
  sent_.clear();
  target_.console("one\n");
  target_.console("two\n");
  EXPECT_EQ(sent_, "");
  backlog = 0;
  target_.console("three\n");
  const std::string missing = "[mvctl] 2 pieces of output are missing here: they were not read\n";
  EXPECT_EQ(sent_, rsp::encode_packet("O" + rsp::to_hex(std::string_view(missing))) +
                       rsp::encode_packet("O" + rsp::to_hex(std::string_view("three\n"))));
}

TEST_F(SessionTest, DetachKillAndALostClientLetTheApplicationRun) {
  start();
  EXPECT_EQ(reply("D"), "OK");
  EXPECT_EQ(target_.detached, 1);
  EXPECT_EQ(finished_, 1);
  session_.end();
  EXPECT_EQ(target_.detached, 1);
}

TEST_F(SessionTest, LeavesWhileTheApplicationRuns) {
  start();
  ask("vCont;c");
  session_.end();
  EXPECT_EQ(target_.detached, 1);
  EXPECT_EQ(finished_, 1);
}

TEST_F(SessionTest, TellsOfTheProgramsEndWithItsStatus) {
  start();
  ask("vCont;c");
  Stop stop;
  stop.reason = StopReason::kExited;
  stop.exit_status = 0x2A;
  sent_.clear();
  target_.resume_handler(stop);
  EXPECT_EQ(sent_, rsp::encode_packet("W2a"));
}

TEST_F(SessionTest, LetsInWhoComesWhenTheProgramEnds) {
  Stop stop;
  stop.reason = StopReason::kExited;
  stop.registers.core[arm::kPc] = 0x00100040;
  target_.attach_handler(stop);
  give(rsp::encode_packet("QStartNoAckMode"));
  EXPECT_TRUE(reply("?").starts_with("T05thread:1;"));
}

// GDB steps over the access of every hit; where it was made already, that step is not another instruction.
TEST_F(SessionTest, StepsNothingAfterAnAccessThatWasMade) {
  start();
  target_.stops_before = false;
  Stop hit;
  hit.reason = StopReason::kWatchpoint;
  hit.watch = WatchHit{0x20000012, WatchKind::kWrite};
  hit.registers.core[arm::kPc] = 0x00100040;
  ask("vCont;c");
  target_.resume_handler(hit);
  target_.resume_handler = nullptr;
  const std::string there = reply("vCont;s:1");
  EXPECT_TRUE(there.starts_with("T05thread:1;00:")) << there;
  EXPECT_NE(there.find("0f:40001000;"), std::string::npos) << there;
  EXPECT_FALSE(target_.resume_handler) << "the device was not asked";

  sent_.clear();
  ask("vCont;s:1");
  EXPECT_TRUE(target_.resume_handler) << "the next step is one";
}

TEST_F(SessionTest, StepsOverAnAccessThatIsStillToBeMade) {
  start();
  Stop hit;
  hit.reason = StopReason::kWatchpoint;
  hit.watch = WatchHit{0x20000012, WatchKind::kWrite};
  ask("vCont;c");
  target_.resume_handler(hit);
  target_.resume_handler = nullptr;
  ask("vCont;s:1");
  EXPECT_TRUE(target_.resume_handler);
}

TEST_F(SessionTest, TellsLldbWhenWatchpointsStop) {
  start();
  EXPECT_EQ(reply("qWatchpointSupportInfo:"), "num:4;");
  EXPECT_EQ(reply("qHostInfo"), "endian:little;ptrsize:4;watchpoint_exceptions_received:before;");
  target_.stops_before = false;
  EXPECT_EQ(reply("qHostInfo"), "endian:little;ptrsize:4;watchpoint_exceptions_received:after;");
}

}  // namespace
}  // namespace mv::gdb
