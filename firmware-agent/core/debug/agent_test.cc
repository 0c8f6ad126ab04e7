// What the agent answers to a debugger's requests, and to what is none.
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
  board_.patches = false;
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

}  // namespace
}  // namespace mv::debug
