// Steps of one instruction and through ranges.
#include <gtest/gtest.h>

#include "core/debug/engine_fixture.h"

namespace mv::debug {
namespace {

using test::EngineTest;
using test::kCode;

TEST_F(EngineTest, StepsOneInstructionWithInterruptsMasked) {
  halt_at(kCode + 2);
  board_.interrupt_pending = true;
  board_.interrupt_handler = [] { ADD_FAILURE() << "an interrupt was taken"; };
  resume(Engine::Goal::kStep);
  EXPECT_TRUE(board_.masked());
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 4);
  EXPECT_FALSE(board_.masked());
  EXPECT_EQ(engine_.steps(), 1U);
  EXPECT_EQ(memory_.halfword(kCode + 4), 0xBF00);  // no stop is left behind
}

TEST_F(EngineTest, StepsIntoACallAndOutOfIt) {
  halt_at(kCode + 6);
  resume(Engine::Goal::kStep);
  run_until_halted();
  EXPECT_EQ(pc(), kCode + 0x20);
  resume(Engine::Goal::kStep);
  run_until_halted();
  resume(Engine::Goal::kStep);
  run_until_halted();
  EXPECT_EQ(pc(), kCode + 0xA);
}

TEST_F(EngineTest, StepsThroughARangeUntilItIsLeft) {
  halt_at(kCode);
  step_range(kCode, kCode + 0xA);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 0x20);
  EXPECT_EQ(engine_.steps(), 4U);
}

TEST_F(EngineTest, StopsARangeAtABreakpointWithinIt) {
  halt_at(kCode);
  ASSERT_EQ(engine_.breakpoints().insert(kCode + 4), BreakpointError::kNone);
  step_range(kCode, kCode + 0x40);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kBreakpoint);
  EXPECT_EQ(pc(), kCode + 4);
}

TEST_F(EngineTest, InterruptsAnEndlessRange) {
  halt_at(kCode);
  step_range(kCode, kCode + 0x40);
  run_until_halted(5);
  ASSERT_FALSE(engine_.halted());
  engine_.interrupt();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kInterrupt);
  EXPECT_GT(engine_.steps(), Engine::kStepsPerSlice);
}

TEST_F(EngineTest, GivesTheSecureThreadATurnWithinALongRange) {
  halt_at(kCode);
  step_range(kCode, kCode + 0x40);
  board_.run(100'000);
  EXPECT_EQ(engine_.state(), Engine::State::kPaused);
  EXPECT_LE(engine_.steps(), Engine::kStepsPerSlice);
  EXPECT_EQ(engine_.deadline_us(), 0U);
}

TEST_F(EngineTest, InterruptsARangeThatIsPaused) {
  halt_at(kCode);
  step_range(kCode, kCode + 0x40);
  board_.run(100'000);
  ASSERT_EQ(engine_.state(), Engine::State::kPaused);
  engine_.interrupt();
  engine_.poll(0);
  EXPECT_EQ(engine_.reason(), Reason::kInterrupt);
  EXPECT_TRUE(engine_.halted());
}

TEST_F(EngineTest, LetsInterruptsThroughWhileALoopWaitsForThem) {
  memory_.put(kCode + 0x40, {0xB900, 0xE7FD, 0xBF00});  // cbnz r0, +4; b .-2; nop
  halt_at(kCode + 0x40);
  engine_.context().core[0] = 0;
  board_.interrupt_pending = true;
  board_.interrupt_handler = [this] { board_.cpu.core[0] = 1; };
  step_range(kCode + 0x40, kCode + 0x44);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 0x44);
  EXPECT_EQ(board_.interrupts_taken, 1U);
}

TEST_F(EngineTest, StepsOverAWaitWithoutWaiting) {
  memory_.put(kCode + 0x40, {0xBF30, 0xBF00});
  halt_at(kCode + 0x40);
  resume(Engine::Goal::kStep);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 0x42);
}

TEST_F(EngineTest, StepsASupervisorCallWithInterruptsOpen) {
  memory_.put(kCode + 0x40, {0xDF00, 0xBF00});
  halt_at(kCode + 0x40);
  const std::uint32_t before = engine_.context().core[0];
  resume(Engine::Goal::kStep);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 0x42);
  EXPECT_EQ(engine_.context().core[0], before + 1);
}

TEST_F(EngineTest, InterruptsAStepOfAJumpToItself) {
  memory_.put(kCode + 0x40, {0xE7FE});
  halt_at(kCode + 0x40);
  step_range(kCode + 0x40, kCode + 0x42);
  run_until_halted(5);
  ASSERT_FALSE(engine_.halted());
  engine_.interrupt();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kInterrupt);
}

TEST_F(EngineTest, ReportsTheProgramsOwnBreakpointWithinARange) {
  memory_.put(kCode + 4, {0xBE01});
  halt_at(kCode);
  step_range(kCode, kCode + 0x40);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kProgramBreakpoint);
  EXPECT_EQ(pc(), kCode + 4);
}

TEST_F(EngineTest, AStepThatFaultsEndsAtTheHandlersFirstInstruction) {
  memory_.put(kCode + 4, {0xDE00});
  memory_.put(kCode + 0x40, {0x3101, 0xE7FE});
  board_.fault_handler = kCode + 0x40;
  halt_at(kCode + 4);
  engine_.reflect_faults(true);
  resume(Engine::Goal::kStep);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 0x40);
}

TEST_F(EngineTest, LeavesNoStopBehindWhenAStepFaults) {
  memory_.put(kCode + 4, {0xDE00});
  halt_at(kCode + 4);
  resume(Engine::Goal::kStep);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kFault);
  EXPECT_EQ(memory_.halfword(kCode + 6), 0xF000);
  EXPECT_FALSE(board_.masked());
}

TEST_F(EngineTest, EndsAStepThroughTheSecureSideWhereTheApplicationGoesOn) {
  memory_.put(kCode + 0x40, {0x4770});  // bx lr, with an EXC_RETURN into Secure code
  halt_at(kCode + 0x40);
  engine_.context().lr() = 0xFFFFFFFD;
  engine_.context().xpsr() |= 15;
  resume(Engine::Goal::kStep);
  EXPECT_FALSE(board_.masked());
  board_.cpu.pc() = kCode + 2;  // the Secure side came back to the application
  board_.cpu.xpsr() = test::kThumb;
  engine_.poll(0);
  board_.run(1);
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 2);
}

TEST_F(EngineTest, WaitsUntilTheSecureSideWasReached) {
  memory_.put(kCode + 0x40, {0x4770});
  halt_at(kCode + 0x40);
  engine_.context().lr() = 0xFFFFFFFD;
  engine_.context().xpsr() |= 15;
  resume(Engine::Goal::kStep);
  engine_.poll(0);  // too early: the handler has not returned yet
  board_.run(1);
  EXPECT_FALSE(engine_.halted());
  EXPECT_EQ(engine_.deadline_us(), Engine::kHaltRetryUs);
}

}  // namespace
}  // namespace mv::debug
