// The engine: halts, breakpoints, faults, release and restart. Others are in engine_*_test.cc.
#include <array>

#include <gtest/gtest.h>

#include "core/debug/engine_fixture.h"

namespace mv::debug {
namespace {

using test::EngineTest;
using test::kCode;
using test::kRam;

TEST_F(EngineTest, StopsAtABreakpointThatTheDebuggerPutPcOn) {
  halt_at(kCode);
  ASSERT_EQ(engine_.breakpoints().insert(kCode + 4), BreakpointError::kNone);
  resume();
  run_until_halted();
  ASSERT_EQ(pc(), kCode + 4);
  ASSERT_EQ(engine_.breakpoints().insert(kCode + 0x20), BreakpointError::kNone);
  engine_.context().pc() = kCode + 0x20;
  resume();
  EXPECT_TRUE(engine_.halted());
  EXPECT_EQ(engine_.reason(), Reason::kBreakpoint);
  EXPECT_EQ(pc(), kCode + 0x20);
  resume();  // from where it was told of it goes on
  EXPECT_FALSE(engine_.halted());
}

TEST_F(EngineTest, CallsABreakpointACrashWhenNobodyDebugs) {
  memory_.put(kCode + 4, {0xBE00});
  board_.run();
  EXPECT_TRUE(board_.crashed());
}

TEST_F(EngineTest, CallsAFaultACrashWhenNobodyDebugs) {
  memory_.put(kCode + 4, {0xDE00});
  board_.run();
  EXPECT_TRUE(board_.crashed());
}

TEST_F(EngineTest, HaltsARunningApplication) {
  engine_.attach();
  board_.run(10);
  engine_.interrupt();
  board_.run(10);
  EXPECT_EQ(engine_.reason(), Reason::kInterrupt);
  EXPECT_FALSE(board_.running());
}

TEST_F(EngineTest, StopsAtABreakpointAgainAndAgain) {
  halt_at(kCode);
  EXPECT_EQ(engine_.breakpoints().insert(kCode + 2), BreakpointError::kNone);
  for (std::uint32_t round = 0; round < 3; ++round) {
    resume();
    run_until_halted();
    EXPECT_EQ(engine_.reason(), Reason::kBreakpoint);
    EXPECT_EQ(pc(), kCode + 2);
    EXPECT_EQ(engine_.context().core[0], round);  // the instruction under the breakpoint is executed once a round
  }
}

TEST_F(EngineTest, ShowsTheProgramsBytesUnderABreakpoint) {
  halt_at(kCode);
  ASSERT_EQ(engine_.breakpoints().insert(kCode + 2), BreakpointError::kNone);
  EXPECT_EQ(memory_.halfword(kCode + 2), 0xBE00);
  std::array<std::uint8_t, 6> bytes{};
  ASSERT_TRUE(engine_.memory().read(kCode, bytes));
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 6>{0x00, 0x20, 0x01, 0x30, 0x00, 0xBF}));
  std::array<std::uint8_t, 1> half{};
  ASSERT_TRUE(engine_.memory().read(kCode + 3, half));
  EXPECT_EQ(half[0], 0x30);
}

TEST_F(EngineTest, KeepsABreakpointWhenTheBytesUnderItAreWritten) {
  halt_at(kCode);
  memory_.put(kRam, {0xBF00, 0xBF00});
  ASSERT_EQ(engine_.breakpoints().insert(kRam + 2), BreakpointError::kNone);
  const std::array<std::uint8_t, 4> code = {0x01, 0x30, 0x02, 0x30};
  ASSERT_TRUE(engine_.memory().write(kRam, code));
  EXPECT_EQ(memory_.halfword(kRam + 2), 0xBE00);
  engine_.breakpoints().remove(kRam + 2);
  EXPECT_EQ(memory_.halfword(kRam + 2), 0x3002);
}

TEST_F(EngineTest, RefusesBreakpointsThatCannotBe) {
  halt_at(kCode);
  EXPECT_EQ(engine_.breakpoints().insert(0x50000000), BreakpointError::kBadAddress);
  EXPECT_EQ(engine_.breakpoints().insert(kCode + 1), BreakpointError::kBadAddress);
  board_.breakpoints = 2;  // one of them is for the engine
  board_.patches = false;
  EXPECT_EQ(engine_.breakpoints().insert(kCode), BreakpointError::kNone);
  EXPECT_EQ(engine_.breakpoints().insert(kCode), BreakpointError::kNone);
  EXPECT_EQ(engine_.breakpoints().insert(kCode + 2), BreakpointError::kNoneFree);
}

TEST_F(EngineTest, StopsAgainAtABreakpointOnAJumpToItselfAfterPendingInterrupts) {
  memory_.put(kCode + 0x40, {0xE7FE});
  halt_at(kCode + 0x40);
  ASSERT_EQ(engine_.breakpoints().insert(kCode + 0x40), BreakpointError::kNone);
  resume();  // pc was put there: it is told of the breakpoint first
  ASSERT_EQ(engine_.reason(), Reason::kBreakpoint);
  board_.interrupt_pending = true;
  board_.interrupt_handler = [] {};
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kBreakpoint);
  EXPECT_EQ(board_.interrupts_taken, 1U);
}

TEST_F(EngineTest, ReportsTheProgramsOwnBreakpointAndGoesOnBehindIt) {
  memory_.put(kCode + 4, {0xBE01});
  halt_at(kCode);
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kProgramBreakpoint);
  EXPECT_EQ(pc(), kCode + 4);
  resume(Engine::Goal::kStep);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 6);
}

TEST_F(EngineTest, ReportsAFaultWithItsRegisters) {
  memory_.put(kCode + 4, {0xDE00});
  halt_at(kCode);
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kFault);
  EXPECT_EQ(engine_.fault().cfsr, 0x00010000U);
}

// The handler: adds r1, #1; b to itself.
TEST_F(EngineTest, GivesAFaultToTheApplicationsOwnHandlerIfItIsAsked) {
  memory_.put(kCode + 4, {0xDE00});
  memory_.put(kCode + 0x40, {0x3101, 0xE7FE});
  board_.fault_handler = kCode + 0x40;
  halt_at(kCode);
  engine_.reflect_faults(true);
  resume();
  board_.run(100);
  EXPECT_FALSE(engine_.halted());
  EXPECT_EQ(board_.cpu.core[1], 1U) << "the handler ran";
}

TEST_F(EngineTest, StopsAtAFaultThatTheApplicationHasNoHandlerFor) {
  memory_.put(kCode + 4, {0xDE00});
  halt_at(kCode);
  engine_.reflect_faults(true);
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kFault);
  EXPECT_EQ(pc(), kCode + 4);
}

TEST_F(EngineTest, RefusesToResumeWithoutAFrame) {
  engine_.attach();
  board_.cpu.frame_valid = false;
  engine_.interrupt();
  board_.run(1);
  EXPECT_EQ(engine_.reason(), Reason::kFault);
  EXPECT_FALSE(engine_.resume(Engine::Goal::kRun, {}));
}

TEST_F(EngineTest, ReleasesAHaltedApplicationWithoutBreakpoints) {
  halt_at(kCode);
  ASSERT_EQ(engine_.breakpoints().insert(kCode + 2), BreakpointError::kNone);
  engine_.release();
  EXPECT_FALSE(engine_.attached());
  EXPECT_EQ(memory_.halfword(kCode + 2), 0x3001);
  EXPECT_GT(board_.run(50), 20U);
}

TEST_F(EngineTest, ReleasesARunningApplicationWithoutBreakpoints) {
  halt_at(kCode);
  ASSERT_EQ(engine_.breakpoints().insert(kCode + 0x30), BreakpointError::kNone);
  resume();
  board_.run(10);
  engine_.release();
  board_.run(10);
  engine_.poll(0);
  EXPECT_FALSE(engine_.attached());
  EXPECT_TRUE(board_.running());
  EXPECT_EQ(memory_.halfword(kCode + 0x30), 0);
}

TEST_F(EngineTest, SaysThatAReleasedApplicationWithoutAFrameCannotRunOn) {
  engine_.attach();
  board_.cpu.frame_valid = false;
  engine_.interrupt();
  board_.run(1);
  engine_.release();
  EXPECT_TRUE(engine_.context_lost());
  EXPECT_FALSE(board_.running());
}

TEST_F(EngineTest, StopsARestartedApplicationAtItsFirstInstruction) {
  halt_at(kCode + 4);
  ASSERT_EQ(engine_.breakpoints().insert(kCode + 2), BreakpointError::kNone);
  engine_.before_restart();
  memory_.put(kCode, {0x2000, 0x3001});  // the supervisor made the image fresh
  board_.start(kCode);
  run_until_halted();
  engine_.restarted();
  EXPECT_EQ(engine_.reason(), Reason::kReset);
  EXPECT_EQ(pc(), kCode);
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kBreakpoint);  // breakpoints outlive a reset
  EXPECT_EQ(pc(), kCode + 2);
}

// So that a backtrace out of a handler finds the application below it.
TEST_F(EngineTest, KeepsHandlersApartFromTheSecureThreadWhileSomebodyDebugs) {
  halt_at(kCode);
  EXPECT_TRUE(board_.handlers_apart());
  engine_.release();
  ASSERT_FALSE(engine_.attached());
  EXPECT_FALSE(board_.handlers_apart());
}

}  // namespace
}  // namespace mv::debug
