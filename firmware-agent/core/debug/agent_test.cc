#include "core/debug/agent.h"

#include <string>
#include <vector>

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

TEST_F(AgentTest, AnswersAttachWithWhatRunsAndWhereItStands) {
  const auto reply = attach();
  EXPECT_EQ(reply.sequence(), 0U);
  ASSERT_TRUE(reply.has_attached()) << reply.DebugString();
  const auto& attached = reply.attached();
  EXPECT_EQ(attached.manifest_hash(), std::string(32, '\xAB'));
  EXPECT_EQ(attached.build_id().size(), 20U);
  EXPECT_EQ(attached.board(), "fake");
  EXPECT_FALSE(attached.resumed());
  EXPECT_EQ(attached.capabilities().breakpoints(), 32U);
  ASSERT_EQ(attached.regions_size(), 2);
  EXPECT_EQ(attached.regions(1).address(), kRam);
  ASSERT_TRUE(attached.has_stopped());
  EXPECT_EQ(attached.stopped().registers().size(), 68U);
  EXPECT_EQ(attached.stopped().stack().size(), 512U);
  EXPECT_EQ(attached.stopped().reason(), wire::STOP_INTERRUPT);
  EXPECT_FALSE(board_.running());
}

TEST_F(AgentTest, AttachesWithoutHaltingIfAsked) {
  const auto reply = attach(false);
  EXPECT_FALSE(reply.attached().has_stopped());
  EXPECT_TRUE(board_.running());
}

TEST_F(AgentTest, SaysThatNoApplicationIsInstalled) {
  supervisor_.installed = false;
  const auto reply = attach();
  EXPECT_EQ(reply.error(), wire::AGENT_NO_APPLICATION);
  EXPECT_THAT(reply.detail(), HasSubstr("deploy"));
}

TEST_F(AgentTest, SaysSoWhenTheApplicationDoesNotHalt) {
  wire::AgentRequest request;
  request.mutable_attach()->set_session("0123456789abcdef");
  request.mutable_attach()->set_halt(true);
  send(request);
  clock_.now_us += Agent::kHaltLimitUs;
  agent_.poll();
  EXPECT_EQ(take_reply().value_or(wire::AgentReply{}).error(), wire::AGENT_NOT_RUNNING);
}

TEST_F(AgentTest, WantsAnAttachFirst) { EXPECT_EQ(ask(read(kRam, 4), 1).error(), wire::AGENT_BAD_REQUEST); }

TEST_F(AgentTest, RunsToABreakpointInOneRequest) {
  attach();
  const auto reply = ask(resume(wire::RESUME_RUN, {(kStart + 4) | 1}), 1);
  ASSERT_TRUE(reply.has_stopped()) << reply.DebugString();
  EXPECT_EQ(reply.sequence(), 1U);
  EXPECT_EQ(reply.stopped().reason(), wire::STOP_BREAKPOINT);
  EXPECT_EQ(word(reply.stopped().registers(), 15), kStart + 4);
}

TEST_F(AgentTest, RemovesABreakpointWithTheNextResume) {
  attach();
  ask(resume(wire::RESUME_RUN, {kStart + 4}), 1);
  auto request = resume(wire::RESUME_RUN, {kStart + 2});
  request.mutable_resume()->add_remove(kStart + 4);
  const auto reply = ask(request, 2);
  EXPECT_EQ(word(reply.stopped().registers(), 15), kStart + 2);
  EXPECT_EQ(memory_.halfword(kStart + 4), 0xBF00);
}

TEST_F(AgentTest, StepsThroughRangesOnTheDevice) {
  attach();
  engine_.context().pc() = kStart;
  auto request = resume(wire::RESUME_STEP_RANGE);
  auto& range = *request.mutable_resume()->add_ranges();
  range.set_start(kStart);
  range.set_end(kStart + 4);
  const auto reply = ask(request, 1);
  EXPECT_EQ(reply.stopped().reason(), wire::STOP_STEP);
  EXPECT_EQ(reply.stopped().steps(), 2U);
  EXPECT_EQ(word(reply.stopped().registers(), 15), kStart + 4);
}

TEST_F(AgentTest, PushesRamWithTheStopAndNothingElse) {
  attach();
  memory_.put_word(kRam + 0x100, 0x11223344);
  auto request = resume(wire::RESUME_STEP);
  for (const auto& [address, length] :
       {std::pair<std::uint32_t, std::uint32_t>{kRam + 0x100, 4}, {kCode, 4}, {kRam, 1025}}) {
    auto& range = *request.mutable_resume()->add_push();
    range.set_address(address);
    range.set_length(length);
  }
  const auto reply = ask(request, 1);
  ASSERT_EQ(reply.stopped().pushed_size(), 3);
  EXPECT_EQ(reply.stopped().pushed(0).data(), "\x44\x33\x22\x11");
  EXPECT_EQ(reply.stopped().pushed(1).error(), wire::AGENT_BAD_ADDRESS);
  EXPECT_EQ(reply.stopped().pushed(2).error(), wire::AGENT_BAD_REQUEST);
}

TEST_F(AgentTest, RefusesABreakpointOutsideTheCodeAndStaysHalted) {
  attach();
  const auto reply = ask(resume(wire::RESUME_RUN, {kStart + 4, 0x50000000}), 1);
  EXPECT_EQ(reply.error(), wire::AGENT_BAD_ADDRESS);
  EXPECT_FALSE(board_.running());
  EXPECT_EQ(memory_.halfword(kStart + 4), 0xBF00);  // the one that was fine is taken back
}

TEST_F(AgentTest, SaysWhenNoBreakpointIsFree) {
  board_.breakpoints = 2;
  attach();
  EXPECT_EQ(ask(resume(wire::RESUME_RUN, {kStart + 2, kStart + 4}), 1).error(), wire::AGENT_NO_BREAKPOINT_FREE);
}

TEST_F(AgentTest, WatchesMemoryAndNamesWhatWasHit) {
  const auto capabilities = attach().attached().capabilities();
  EXPECT_EQ(capabilities.watchpoints(), 2U);
  EXPECT_EQ(capabilities.max_watch(), 64U);
  EXPECT_EQ(capabilities.watching(), wire::WATCHING_ATTRIBUTION);
  memory_.put(kStart + 4, {0x6008});  // str r0, [r1]
  engine_.context().core[1] = kRam + 0x100;
  auto request = resume(wire::RESUME_RUN);
  add_watch(request, kRam + 0x102, 1, wire::WATCH_ACCESS);
  const auto reply = ask(request, 1);
  EXPECT_EQ(reply.stopped().reason(), wire::STOP_WATCHPOINT);
  EXPECT_EQ(reply.stopped().watch_address(), kRam + 0x102);
  EXPECT_EQ(reply.stopped().watch_kind(), wire::WATCH_ACCESS);
  EXPECT_EQ(word(reply.stopped().registers(), 15), kStart + 4);
}

TEST_F(AgentTest, RefusesWatchpointsThatCannotBeAndKeepsNoneOfThem) {
  attach();
  auto flash = resume(wire::RESUME_RUN);
  add_watch(flash, kRam + 0x100, 4, wire::WATCH_WRITE);
  add_watch(flash, kCode, 4, wire::WATCH_WRITE);
  EXPECT_EQ(ask(flash, 1).error(), wire::AGENT_BAD_ADDRESS);
  EXPECT_TRUE(engine_.watchpoints().empty());
  auto many = resume(wire::RESUME_RUN);
  for (std::uint32_t i = 0; i < 3; ++i) add_watch(many, kRam + 4 * i, 4, wire::WATCH_WRITE);
  EXPECT_EQ(ask(many, 2).error(), wire::AGENT_NO_BREAKPOINT_FREE);
  EXPECT_TRUE(engine_.watchpoints().empty());
  auto unknown = resume(wire::RESUME_RUN);
  add_watch(unknown, kRam, 4, static_cast<wire::WatchKind>(3));
  EXPECT_EQ(ask(unknown, 3).error(), wire::AGENT_BAD_ADDRESS);
  auto breakpoint = resume(wire::RESUME_RUN, {0x50000000});
  add_watch(breakpoint, kRam, 4, wire::WATCH_WRITE);
  EXPECT_EQ(ask(breakpoint, 4).error(), wire::AGENT_BAD_ADDRESS);
  EXPECT_TRUE(engine_.watchpoints().empty());
  EXPECT_FALSE(board_.running());
}

TEST_F(AgentTest, InterruptsARunningApplicationByAnsweringTheResume) {
  attach();
  auto request = resume(wire::RESUME_RUN);
  request.set_sequence(1);
  send(request);
  live();
  EXPECT_FALSE(take_reply().has_value());
  send(interrupt());
  live();
  const auto reply = take_reply();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->sequence(), 1U);
  EXPECT_EQ(reply->stopped().reason(), wire::STOP_INTERRUPT);
}

TEST_F(AgentTest, IgnoresAnInterruptThatCameTooLate) {
  attach();
  send(interrupt());
  live();
  EXPECT_FALSE(take_reply().has_value());
}

TEST_F(AgentTest, ReadsMemoryWithoutBreakpointPatches) {
  attach();
  ask(resume(wire::RESUME_RUN, {kStart + 4}), 1);
  const auto reply = ask(read(kStart + 2, 4), 2);
  ASSERT_EQ(reply.read().ranges_size(), 1);
  EXPECT_EQ(reply.read().ranges(0).data(), std::string("\x01\x30\x00\xBF", 4));
}

TEST_F(AgentTest, ReadsSeveralRangesAndSaysWhichCannotBe) {
  attach();
  auto request = read(kRam, 8);
  auto& range = *request.mutable_read()->add_ranges();
  range.set_address(0x30000000);
  range.set_length(4);
  const auto reply = ask(request, 1);
  ASSERT_EQ(reply.read().ranges_size(), 2);
  EXPECT_EQ(reply.read().ranges(0).data().size(), 8U);
  EXPECT_EQ(reply.read().ranges(1).error(), wire::AGENT_BAD_ADDRESS);
  EXPECT_TRUE(reply.read().ranges(1).data().empty());
}

TEST_F(AgentTest, ReadsAsMuchAsItSaysAndNoMore) {
  const auto attached = attach().attached();
  const std::uint32_t most = attached.capabilities().max_read();
  EXPECT_EQ(ask(read(kRam, most), 1).read().ranges(0).data().size(), most);
  EXPECT_EQ(ask(read(kRam, most + 1), 2).read().ranges(0).error(), wire::AGENT_BAD_REQUEST);
  EXPECT_EQ(ask(read(kRam, 0xFFFFFFFF), 3).read().ranges(0).error(), wire::AGENT_BAD_REQUEST);
}

TEST_F(AgentTest, TouchesMemoryOnceForARead) {
  attach();
  const std::uint32_t before = memory_.reads;
  ask(read(kRam, 4), 1);
  EXPECT_EQ(memory_.reads, before + 1);  // a peripheral may change with every read
}

TEST_F(AgentTest, WritesMemory) {
  attach();
  wire::AgentRequest request;
  request.mutable_write()->set_address(kRam + 8);
  request.mutable_write()->set_data(std::string("\x78\x56\x34\x12", 4));
  EXPECT_TRUE(ask(request, 1).has_done());
  EXPECT_EQ(memory_.word(kRam + 8), 0x12345678U);
  request.mutable_write()->set_address(0x30000000);
  EXPECT_EQ(ask(request, 2).error(), wire::AGENT_BAD_ADDRESS);
}

TEST_F(AgentTest, WritesTheRegistersThatTheMaskNames) {
  attach();
  wire::AgentRequest request;
  std::string registers(68, '\0');
  registers[0] = 0x55;
  request.mutable_write_registers()->set_registers(registers);
  request.mutable_write_registers()->set_mask(1);
  const std::uint32_t pc = engine_.context().pc();
  EXPECT_TRUE(ask(request, 1).has_done());
  EXPECT_EQ(engine_.context().core[0], 0x55U);
  EXPECT_EQ(engine_.context().pc(), pc);
}

// GDB's `return` and calls of functions write msp, the caller's sp under its other name.
TEST_F(AgentTest, TakesTheStackInUseForTheStackPointer) {
  attach();
  Context& context = engine_.context();
  for (const std::size_t in_use : {0U, 1U}) {
    context.system[5] = in_use == 1 ? 2 : 0;  // CONTROL.SPSEL
    std::string system(32, '\0');
    const std::uint32_t wanted = kRam + 0x800 + 0x100 * static_cast<std::uint32_t>(in_use);
    std::memcpy(system.data() + 4 * in_use, &wanted, 4);
    wire::AgentRequest request;
    request.mutable_write_registers()->set_system(system);
    request.mutable_write_registers()->set_system_mask(1U << in_use);
    EXPECT_TRUE(ask(request, static_cast<std::uint32_t>(2 * in_use + 1)).has_done());
    EXPECT_EQ(context.sp(), wanted);
    EXPECT_EQ(context.system[in_use], wanted);
    request.mutable_write_registers()->set_system_mask(1U << (1 - in_use));
    context.system[1 - in_use] = 4;
    EXPECT_EQ(ask(request, static_cast<std::uint32_t>(2 * in_use + 2)).error(), wire::AGENT_UNSUPPORTED);
  }
}

TEST_F(AgentTest, RefusesRegistersThatWouldBreakTheReturnIntoTheApplication) {
  attach();
  wire::AgentRequest request;
  request.mutable_write_registers()->set_registers(std::string(68, '\0'));
  request.mutable_write_registers()->set_mask(1U << 13);
  EXPECT_EQ(ask(request, 1).error(), wire::AGENT_UNSUPPORTED);  // sp = 0
  request.mutable_write_registers()->set_mask(1U << 20);
  EXPECT_EQ(ask(request, 2).error(), wire::AGENT_BAD_REQUEST);  // no such register
  request.mutable_write_registers()->set_mask(1U << 16);
  engine_.context().xpsr() |= 15;
  EXPECT_TRUE(ask(request, 3).has_done());
  EXPECT_EQ(engine_.context().xpsr(), 15U);  // the exception number stays
}

TEST_F(AgentTest, DigestsMemory) {
  attach();
  wire::AgentRequest request;
  auto& range = *request.mutable_digest()->add_ranges();
  range.set_address(kRam);
  range.set_length(0);
  auto reply = ask(request, 1);
  ASSERT_EQ(reply.digest().sha256_size(), 1);
  EXPECT_EQ(reply.digest().sha256(0).substr(0, 4), "\xE3\xB0\xC4\x42");  // of nothing: FIPS 180-4
  range.set_length(test::kSize);
  reply = ask(request, 2);
  EXPECT_EQ(reply.digest().sha256(0).substr(0, 4), "\x4F\xE7\xB5\x9A");  // of 16 KiB of zeros
  range.set_address(0x30000000);
  EXPECT_EQ(ask(request, 3).error(), wire::AGENT_BAD_ADDRESS);
}

TEST_F(AgentTest, ReadsAndDigestsButDoesNotWriteWhileTheApplicationRuns) {
  attach(false);
  EXPECT_EQ(ask(read(kRam, 4), 1).read().ranges(0).data().size(), 4U);
  wire::AgentRequest digest;
  digest.mutable_digest()->add_ranges()->set_address(kCode);
  EXPECT_EQ(ask(digest, 2).digest().sha256_size(), 1);
  wire::AgentRequest write;
  write.mutable_write()->set_address(kRam);
  write.mutable_write()->set_data("x");
  EXPECT_EQ(ask(write, 3).error(), wire::AGENT_NOT_HALTED);
}

TEST_F(AgentTest, AnswersAReadOutsideTheNumberingWhileAResumeIsOpen) {
  attach();
  auto request = resume(wire::RESUME_RUN, {kStart + 0x100});
  request.set_sequence(1);
  send(request);
  live();
  const auto peeked = ask(read(kStart + 0x100, 2), 0);
  ASSERT_EQ(peeked.read().ranges_size(), 1);
  EXPECT_EQ(peeked.sequence(), 0U);
  EXPECT_EQ(peeked.read().ranges(0).data(), std::string(2, '\0'));  // the program's bytes, not the BKPT
  EXPECT_EQ(ask(read(kRam, 1025), 0).read().ranges(0).error(), wire::AGENT_BAD_REQUEST);
  EXPECT_EQ(ask(read(kRam, 1024), 0).read().ranges(0).data().size(), 1024U);
  send(interrupt());
  live();
  EXPECT_EQ(take_reply().value_or(wire::AgentReply{}).sequence(), 1U);
}

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

TEST_F(AgentTest, ReportsTheEndOfTheProgramWithItsStatus) {
  memory_.put(kStart, {0xBEAB});
  board_.start(kStart);
  memory_.put_word(kRam, 0x20026);
  memory_.put_word(kRam + 4, 42);
  board_.cpu.core[0] = 0x20;
  board_.cpu.core[1] = kRam;
  attach(false);
  live();
  const auto reply = attach();
  EXPECT_EQ(reply.attached().stopped().reason(), wire::STOP_EXITED) << reply.DebugString();
  EXPECT_EQ(reply.attached().stopped().exit_status(), 42U);
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

TEST_F(AgentTest, AnswersNonsenseWithASentence) {
  send_bytes({0x00, 0x03, 0xFF, 0xFF, 0xFF});
  live();
  const auto reply = take_reply();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->error(), wire::AGENT_BAD_REQUEST);
  EXPECT_FALSE(reply->detail().empty());
  EXPECT_TRUE(attach().has_attached());
}

TEST_F(AgentTest, SkipsARequestThatIsTooLong) {
  std::vector<std::uint8_t> bytes(2 + 0xFFFF, 0x41);
  bytes[0] = bytes[1] = 0xFF;
  send_bytes(bytes);
  live();
  EXPECT_EQ(take_reply().value_or(wire::AgentReply{}).error(), wire::AGENT_BAD_REQUEST);
  EXPECT_TRUE(attach().has_attached());
}

TEST_F(AgentTest, RefusesARequestWithoutANumber) {
  attach();
  EXPECT_EQ(ask(resume(wire::RESUME_STEP), 0).error(), wire::AGENT_BAD_REQUEST);
}

TEST_F(AgentTest, RefusesMoreBreakpointsThanAMessageMayHold) {
  attach();
  std::vector<std::uint32_t> many(33);
  for (std::uint32_t i = 0; i < many.size(); ++i) many[i] = kCode + 0x100 + 2 * i;
  EXPECT_EQ(ask(resume(wire::RESUME_RUN, many), 1).error(), wire::AGENT_BAD_REQUEST);
  EXPECT_FALSE(board_.running());
}

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
