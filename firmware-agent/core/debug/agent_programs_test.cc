// Conditions and commands of breakpoints, as requests bring them.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/debug/agent_fixture.h"

namespace mv::debug {
namespace {

using test::AgentTest;
using test::kCode;
using test::kRam;
using test::kStart;
using testing::HasSubstr;

// The application counts in r0, at kStart + 2.
class Programs : public AgentTest {
 protected:
  static constexpr std::uint32_t kLoop = kStart + 2;

  static wire::AgentRequest resume_with(const std::string& condition, const std::string& command = {}) {
    wire::AgentRequest request = resume(wire::RESUME_RUN, {kLoop});
    auto& program = *request.mutable_resume()->add_programs();
    program.set_address(kLoop);
    if (!condition.empty()) program.add_conditions(condition);
    if (!command.empty()) program.add_commands(command);
    return request;
  }

  // The console text of a few messages, or up to another reply, which is left in `next`.
  std::string console(wire::AgentReply& next) {
    std::string text;
    for (int i = 0; i < 10; ++i) {
      live(1);
      const auto reply = take_reply();
      if (!reply) continue;
      next = *reply;
      if (!reply->has_console()) return text;
      EXPECT_EQ(reply->sequence(), 0U);
      text += reply->console().text();
      dropped_ += reply->console().dropped();
    }
    return text;
  }

  const std::string r0_is_5_{"\x26\0\0\x22\5\x13\x27", 7};
  const std::string never_{"\x22\0\x27", 3};
  const std::string print_r0_{"\x26\0\0\x22\0\x22\0\x34\1\0\7r0=%u\n\0\x27", 19};
  std::uint32_t dropped_ = 0;
};

TEST_F(Programs, AreAnnouncedWithTheirBounds) {
  const auto reply = attach();
  EXPECT_EQ(reply.attached().capabilities().max_programs(), BreakpointPrograms::kMaxExpressions);
  EXPECT_EQ(reply.attached().capabilities().max_program_bytes(), BreakpointPrograms::kMaxBytes);
}

TEST_F(Programs, DecideWhetherABreakpointStops) {
  attach();
  const auto reply = ask(resume_with(r0_is_5_), 1);
  EXPECT_EQ(reply.stopped().reason(), wire::STOP_BREAKPOINT);
  EXPECT_EQ(word(reply.stopped().registers(), 0), 5U);
}

TEST_F(Programs, AreReplacedByTheNextRequestAndStayOtherwise) {
  attach();
  ask(resume_with(r0_is_5_), 1);
  auto other = resume_with({"\x26\0\0\x22\x9\x13\x27", 7});
  EXPECT_EQ(word(ask(other, 2).stopped().registers(), 0), 9U);
  auto cleared = resume_with({});
  EXPECT_EQ(word(ask(cleared, 3).stopped().registers(), 0), 10U);
}

TEST_F(Programs, GoWithTheirBreakpoint) {
  attach();
  ask(resume_with(r0_is_5_), 1);
  wire::AgentRequest step = resume(wire::RESUME_STEP);
  step.mutable_resume()->add_remove(kLoop);
  ask(step, 2);
  EXPECT_EQ(word(ask(resume(wire::RESUME_RUN, {kLoop}), 3).stopped().registers(), 0), 6U);
}

TEST_F(Programs, PrintWhileTheApplicationRunsOn) {
  attach();
  auto request = resume_with({}, print_r0_);
  request.set_sequence(1);
  send(request);
  live(2);
  wire::AgentReply other;
  EXPECT_THAT(console(other), testing::StartsWith("r0=0\nr0=1\nr0=2\n"));
  EXPECT_TRUE(other.has_console());
  EXPECT_FALSE(engine_.halted());
}

TEST_F(Programs, AreHeardBeforeTheStopTheyLedTo) {
  attach();
  auto request = resume_with({"\x22\1\x22\0\x05\x27", 6});  // 1 / 0
  request.set_sequence(1);
  send(request);
  wire::AgentReply stop;
  EXPECT_EQ(console(stop), "[device] breakpoint at 0x00100012: its condition cannot be evaluated: division by zero\n");
  EXPECT_EQ(stop.stopped().reason(), wire::STOP_BREAKPOINT);
}

TEST_F(Programs, DropTextThatNobodyTakesAndSayHowMuch) {
  attach();
  auto request = resume_with({}, print_r0_);
  request.set_sequence(1);
  send(request);
  for (int i = 0; i < 50; ++i) {  // the channel takes nothing
    agent_.poll();
    board_.run(1000);
  }
  EXPECT_FALSE(engine_.halted());
  send(interrupt());  // it is heard though text waits to be sent
  wire::AgentReply stop;
  EXPECT_LE(console(stop).size(), 3 * ConsoleText::kCapacity);
  EXPECT_GT(dropped_, 100U);
  EXPECT_EQ(stop.stopped().reason(), wire::STOP_INTERRUPT);
}

TEST_F(Programs, ThatDoNotFitAreRefused) {
  attach();
  const auto too_long = ask(resume_with(std::string(BreakpointPrograms::kMaxBytes + 1, '\x27')), 1);
  EXPECT_EQ(too_long.error(), wire::AGENT_NO_BREAKPOINT_FREE);
  EXPECT_THAT(too_long.detail(), HasSubstr("too long"));
  auto many = resume_with({});
  for (std::size_t i = 0; i <= BreakpointPrograms::kMaxExpressions; ++i) {
    many.mutable_resume()->mutable_programs(0)->add_conditions(never_);
  }
  EXPECT_EQ(ask(many, 2).error(), wire::AGENT_NO_BREAKPOINT_FREE);
  auto fits = resume_with("\x22\1" + std::string(BreakpointPrograms::kMaxBytes - 2, '\x27'));
  EXPECT_EQ(ask(fits, 3).stopped().reason(), wire::STOP_BREAKPOINT);
}

TEST_F(Programs, FitInTheLargestRequestThereCanBe) {
  attach();
  wire::AgentRequest request = resume(wire::RESUME_STEP_RANGE);
  auto& largest = *request.mutable_resume();
  for (std::uint32_t i = 0; i < 32; ++i) {
    largest.add_insert(kCode + 0x1000 + 2 * i);
    largest.add_remove(kCode + 0x2000 + 2 * i);
    auto& range = *largest.add_ranges();
    range.set_start(kCode + 0x3000);
    range.set_end(kCode + 0x3002);
    largest.add_programs()->set_address(kCode + 0x1000 + 2 * i);
  }
  constexpr std::size_t kEach = BreakpointPrograms::kMaxBytes / BreakpointPrograms::kMaxExpressions;
  for (int i = 0; i < static_cast<int>(BreakpointPrograms::kMaxExpressions); ++i) {
    largest.mutable_programs(i)->add_conditions(std::string(kEach, '\x27'));
  }
  for (int i = 0; i < 8; ++i) {
    auto& push = *largest.add_push();
    push.set_address(kRam);
    push.set_length(128);
  }
  for (int i = 0; i < 4; ++i) {
    largest.add_unwatch()->set_address(kRam);
    largest.mutable_unwatch(i)->set_length(256);
  }
  EXPECT_GT(request.ByteSizeLong(), 1900U);
  const auto reply = ask(request, 0x7FFFFFFF);
  EXPECT_EQ(reply.stopped().reason(), wire::STOP_STEP) << reply.DebugString();
}

TEST_F(Programs, WithoutABreakpointAreRefused) {
  attach();
  auto request = resume_with(never_);
  request.mutable_resume()->mutable_programs(0)->set_address(kLoop + 2);
  EXPECT_EQ(ask(request, 1).error(), wire::AGENT_BAD_ADDRESS);
}

TEST_F(Programs, GoWithTheSession) {
  attach();
  auto request = resume_with(never_, print_r0_);
  request.set_sequence(1);
  send(request);
  live(2);
  attach(true, "fedcba9876543210");
  agent_.disconnected(Agent::Loss::kLink);
  agent_.connected();
  attach(true, "fedcba9876543210");
  EXPECT_EQ(engine_.breakpoints().programs().size(), 0U);
}

}  // namespace
}  // namespace mv::debug
