// Sessions of the agent: over lost links, from one debugger to the next, over restarts and crashes of the application.
#include <gtest/gtest.h>

#include "core/debug/agent_fixture.h"

namespace mv::debug {
namespace {

using test::AgentTest;
using test::kRam;
using test::kStart;

TEST_F(AgentTest, RepeatsTheLastReplyInsteadOfDoingItAgain) {
  attach();
  engine_.context().pc() = kStart;
  const auto first = ask(resume(wire::RESUME_STEP), 1);
  const std::uint32_t executed = board_.executed;
  const auto again = ask(resume(wire::RESUME_STEP), 1);
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(board_.executed, executed);
}

TEST_F(AgentTest, RefusesANumberWhoseReplyIsGone) {
  attach();
  ask(read(kRam, 4), 1);
  ask(read(kRam, 4), 2);
  EXPECT_EQ(ask(read(kRam, 4), 1).error(), wire::AGENT_BAD_REQUEST);
  EXPECT_TRUE(ask(read(kRam, 4), 3).has_read());
}

TEST_F(AgentTest, KeepsAHaltAndTheLastReplyOverALostLink) {
  attach();
  const auto first = ask(resume(wire::RESUME_RUN, {kStart + 4}), 1);
  agent_.disconnected(Agent::Loss::kLink);
  live();
  agent_.connected();
  const auto back = attach(false);
  EXPECT_TRUE(back.attached().resumed());
  ASSERT_TRUE(back.attached().has_stopped());
  EXPECT_EQ(back.attached().stopped().reason(), wire::STOP_BREAKPOINT);
  const auto again = ask(resume(wire::RESUME_RUN, {kStart + 4}), 1);
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
}

TEST_F(AgentTest, AnswersAResumeThatStoppedWhileTheLinkWasGone) {
  attach();
  auto request = resume(wire::RESUME_RUN, {kStart + 4});
  request.set_sequence(1);
  send(request);
  agent_.disconnected(Agent::Loss::kLink);
  live();
  agent_.connected();
  EXPECT_TRUE(attach(false).attached().resumed());
  send(request);
  live();
  const auto reply = take_reply();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->stopped().reason(), wire::STOP_BREAKPOINT);
}

TEST_F(AgentTest, GoesOnWithAnOpenResumeAfterALostLink) {
  attach();
  auto request = resume(wire::RESUME_RUN);
  request.set_sequence(1);
  send(request);
  live();
  agent_.disconnected(Agent::Loss::kLink);
  agent_.connected();
  EXPECT_FALSE(attach(false).attached().has_stopped());
  send(request);
  live();
  EXPECT_FALSE(take_reply().has_value());
  send(interrupt());
  live();
  EXPECT_EQ(take_reply().value_or(wire::AgentReply{}).stopped().reason(), wire::STOP_INTERRUPT);
}

TEST_F(AgentTest, DropsHalfARequestWithItsConnection) {
  attach();
  send_bytes({0x00, 0x20, 0x08});
  agent_.disconnected(Agent::Loss::kLink);
  agent_.connected();
  EXPECT_TRUE(attach().has_attached());
}

TEST_F(AgentTest, LetsTheApplicationRunOnWhenNobodyComesBack) {
  attach();
  ask(resume(wire::RESUME_RUN, {kStart + 4}), 1);
  agent_.disconnected(Agent::Loss::kLink);
  clock_.now_us += (Agent::kHaltLimitS - 1) * 1'000'000ULL;
  live();
  EXPECT_FALSE(board_.running());
  clock_.now_us += 1'000'000;
  live();
  EXPECT_TRUE(board_.running());
  EXPECT_EQ(memory_.halfword(kStart + 4), 0xBF00);
  EXPECT_FALSE(agent_.session_open());
  agent_.connected();
  EXPECT_FALSE(attach().attached().resumed());
}

TEST_F(AgentTest, TakesTheLimitOfAHaltFromTheBundle) {
  supervisor_.bundle.halt_limit_s = 3;
  attach();
  agent_.disconnected(Agent::Loss::kLink);
  clock_.now_us += 2'900'000;
  live();
  EXPECT_FALSE(board_.running());
  clock_.now_us += 100'000;
  live();
  EXPECT_TRUE(board_.running());
}

TEST_F(AgentTest, RefusesASecondDebuggerWhileOneIsAttached) {
  attach();
  const auto reply = attach(true, "another debugger");
  EXPECT_EQ(reply.error(), wire::AGENT_BUSY);
  EXPECT_TRUE(ask(read(kRam, 4), 1).has_read());  // the first one is not disturbed
}

TEST_F(AgentTest, LetsANewDebuggerTakeOverWhenTheFirstOneVanished) {
  attach();
  ask(resume(wire::RESUME_RUN, {kStart + 4}), 1);
  agent_.disconnected(Agent::Loss::kLink);
  agent_.connected();
  const auto reply = attach(true, "another debugger");
  EXPECT_FALSE(reply.attached().resumed());
  EXPECT_TRUE(reply.attached().has_stopped());
  EXPECT_EQ(memory_.halfword(kStart + 4), 0xBF00);
  EXPECT_TRUE(ask(read(kRam, 4), 1).has_read());  // numbers begin anew
}

TEST_F(AgentTest, DetachLetsTheApplicationRunAndAttachBeginsANewSession) {
  attach();
  ask(resume(wire::RESUME_RUN, {kStart + 4}), 1);
  EXPECT_TRUE(ask(detach(), 2).has_done());
  EXPECT_TRUE(board_.running());
  EXPECT_EQ(memory_.halfword(kStart + 4), 0xBF00);
  EXPECT_FALSE(attach().attached().resumed());
  EXPECT_TRUE(ask(read(kRam, 4), 1).has_read());
}

TEST_F(AgentTest, DetachOfARunningApplicationTakesItsBreakpointsOut) {
  attach();
  auto request = resume(wire::RESUME_RUN, {kStart});
  request.set_sequence(1);
  send(request);
  live();
  EXPECT_TRUE(ask(detach(), 2).has_done());
  EXPECT_TRUE(board_.running());
  EXPECT_EQ(memory_.halfword(kStart), 0x2000);
  EXPECT_FALSE(engine_.attached());
}

TEST_F(AgentTest, DetachCanKeepTheApplicationHalted) {
  attach();
  EXPECT_TRUE(ask(detach(true), 1).has_done());
  agent_.disconnected(Agent::Loss::kLink);
  clock_.now_us += 2 * Agent::kHaltLimitS * 1'000'000ULL;
  live();
  EXPECT_FALSE(board_.running());
}

TEST_F(AgentTest, ResetHaltsAtTheFirstInstruction) {
  attach();
  engine_.context().core[0] = 77;
  wire::AgentRequest request;
  request.mutable_reset()->set_halt(true);
  const auto reply = ask(request, 1);
  ASSERT_TRUE(reply.has_stopped()) << reply.DebugString();
  EXPECT_EQ(reply.stopped().reason(), wire::STOP_RESET);
  EXPECT_EQ(word(reply.stopped().registers(), 15), kStart);
  EXPECT_EQ(supervisor_.restarts, 1);
}

TEST_F(AgentTest, ResetWithoutHaltRuns) {
  attach();
  wire::AgentRequest request;
  request.mutable_reset();
  EXPECT_TRUE(ask(request, 1).has_done());
  EXPECT_TRUE(board_.running());
}

TEST_F(AgentTest, StartsACrashedApplicationHaltedForWhoAttaches) {
  supervisor_.crashed = true;
  const auto reply = attach();
  EXPECT_EQ(reply.attached().stopped().reason(), wire::STOP_RESET) << reply.DebugString();
  EXPECT_EQ(word(reply.attached().stopped().registers(), 15), kStart);
  EXPECT_EQ(supervisor_.restarts, 1);
  EXPECT_EQ(ask(resume(wire::RESUME_STEP), 1).stopped().reason(), wire::STOP_STEP);
}

TEST_F(AgentTest, LeavesACrashedApplicationToItsWaitForWhoOnlyLooks) {
  supervisor_.crashed = true;
  EXPECT_FALSE(attach(false).attached().has_stopped());
  EXPECT_EQ(supervisor_.restarts, 0);
}

TEST_F(AgentTest, TellsAnOpenResumeThatTheApplicationIsGone) {
  attach();
  auto request = resume(wire::RESUME_RUN);
  request.set_sequence(1);
  send(request);
  agent_.application_stopped();
  live();
  EXPECT_EQ(take_reply().value_or(wire::AgentReply{}).stopped().reason(), wire::STOP_EXITED);
}

// As an update does it: stopped to be installed, stopped again by the start.
TEST_F(AgentTest, HoldsAtItsStartWhatReplacesAHaltedApplication) {
  attach();
  ask(resume(wire::RESUME_RUN, {kStart + 2}), 1);
  agent_.application_stopped();
  live();
  agent_.application_stopped();
  supervisor_.start();
  live();
  EXPECT_TRUE(engine_.halted());
  const auto refused = ask(resume(wire::RESUME_RUN), 2);
  EXPECT_EQ(refused.error(), wire::AGENT_NOT_HALTED) << "its debugger still thinks of the old one";
  const auto reply = attach();
  EXPECT_TRUE(reply.attached().resumed());
  EXPECT_EQ(reply.attached().stopped().reason(), wire::STOP_RESET);
  EXPECT_EQ(word(reply.attached().stopped().registers(), 15), kStart);
  EXPECT_EQ(engine_.breakpoints().used(), 0U) << "they were the old one's";
  EXPECT_EQ(ask(resume(wire::RESUME_RUN, {kStart + 4}), 3).stopped().reason(), wire::STOP_BREAKPOINT);
}

TEST_F(AgentTest, LetsWhatReplacesARunningApplicationRun) {
  attach();
  ask(detach(), 1);
  attach(false);
  agent_.application_stopped();
  agent_.application_stopped();
  supervisor_.start();
  live();
  EXPECT_FALSE(engine_.halted());
  EXPECT_TRUE(board_.running());
}

TEST_F(AgentTest, ReportsAFaultAndLetsTheCrashHappenAfterDetach) {
  memory_.put(kStart + 4, {0xDE00});
  attach(false);
  live();
  attach();
  const auto reply = ask(resume(wire::RESUME_RUN), 1);
  EXPECT_EQ(reply.stopped().reason(), wire::STOP_FAULT);
  EXPECT_EQ(reply.stopped().fault().cfsr(), 0x00010000U);
  ask(detach(), 2);
  EXPECT_TRUE(board_.crashed());
}

TEST_F(AgentTest, RestartsAnApplicationThatCannotRunOnAfterDetach) {
  board_.cpu.frame_valid = false;
  const auto reply = attach();
  EXPECT_TRUE(reply.attached().stopped().registers_unavailable());
  EXPECT_EQ(ask(resume(wire::RESUME_RUN), 1).error(), wire::AGENT_UNSUPPORTED);
  ask(detach(), 2);
  EXPECT_EQ(supervisor_.restarts, 1);
  EXPECT_TRUE(board_.running());
}

}  // namespace
}  // namespace mv::debug
