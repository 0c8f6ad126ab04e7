// Conditions and commands of breakpoints in the engine.
#include <string>

#include <gtest/gtest.h>

#include "core/debug/engine_fixture.h"

namespace mv::debug {
namespace {

using test::EngineTest;
using test::equals;
using test::kCode;
using test::kNever;
using test::kPrintR0;

TEST_F(EngineTest, StopsAtABreakpointWhenItsConditionHolds) {
  halt_at(kCode);
  insert(kCode + 2, {equals(0, 5)});
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kBreakpoint);
  EXPECT_EQ(engine_.context().core[0], 5U);
  EXPECT_EQ(engine_.context().core[1], 5U);  // the rest of the loop ran as often
}

TEST_F(EngineTest, DoesNotWakeTheSecureThreadForAConditionThatDoesNotHold) {
  halt_at(kCode);
  insert(kCode + 2, {kNever});
  resume();
  board_.run(500);
  EXPECT_EQ(board_.wakes, 0U);
  EXPECT_TRUE(board_.running());
  EXPECT_GT(board_.cpu.core[0], 50U);
}

TEST_F(EngineTest, StopsIfOneOfSeveralConditionsHolds) {
  halt_at(kCode);
  insert(kCode + 2, {kNever, equals(0, 3), kNever});
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.context().core[0], 3U);
}

TEST_F(EngineTest, TakesAConditionThatCannotBeEvaluatedForTrueAndSaysWhy) {
  halt_at(kCode);
  insert(kCode + 2, {{0x22, 1, 0x22, 0, 0x05, 0x27}});
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kBreakpoint);
  EXPECT_EQ(printed(), "[device] breakpoint at 0x00100002: its condition cannot be evaluated: division by zero\n");
}

TEST_F(EngineTest, PrintsOnceForEachTimeThatTheInstructionIsReached) {
  halt_at(kCode);
  insert(kCode + 2, {}, {kPrintR0});
  insert(kCode + 0x20, {equals(0, 4)});
  resume();
  run_until_halted();
  EXPECT_EQ(printed(), "r0=0 r0=1 r0=2 r0=3 ");
  EXPECT_EQ(board_.wakes, 1U);  // for the first piece; the rest was read along with it
  resume();
  board_.run(2000);
  EXPECT_FALSE(engine_.halted());
}

TEST_F(EngineTest, PrintsOnlyWhatItsConditionLetsThrough) {
  halt_at(kCode);
  insert(kCode + 2, {equals(0, 2), equals(0, 4)}, {kPrintR0});
  insert(kCode + 0x20, {equals(0, 6)});
  resume();
  run_until_halted();
  EXPECT_EQ(printed(), "r0=2 r0=4 ");
}

TEST_F(EngineTest, DropsWhatIsNotReadAndCountsIt) {
  halt_at(kCode);
  insert(kCode + 2, {}, {kPrintR0});
  resume();
  run_until_halted(10);
  EXPECT_FALSE(engine_.halted());
  EXPECT_GT(engine_.console().take_dropped(), 100U);
  EXPECT_LE(printed().size(), ConsoleText::kCapacity);
}

TEST_F(EngineTest, EvaluatesAtBreakpointsSideBySide) {
  halt_at(kCode);
  insert(kCode + 2, {}, {kPrintR0});
  insert(kCode + 4, {}, {kPrintR0});
  insert(kCode + 6, {equals(0, 2)});
  resume();
  run_until_halted();
  EXPECT_EQ(pc(), kCode + 6);
  EXPECT_EQ(printed(), "r0=0 r0=1 r0=1 r0=2 ");
}

TEST_F(EngineTest, InterruptsATightLoopOfFalseConditions) {
  memory_.put(kCode + 0x40, {0x3001, 0xE7FD});  // adds r0, #1; b .-2
  halt_at(kCode + 0x40);
  insert(kCode + 0x40, {kNever});
  insert(kCode + 0x42, {kNever});
  resume();
  run_until_halted(5);
  ASSERT_FALSE(engine_.halted());
  engine_.interrupt();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kInterrupt);
}

TEST_F(EngineTest, InterruptsAJumpToItselfUnderAFalseCondition) {
  memory_.put(kCode + 0x40, {0xE7FE});
  halt_at(kCode + 0x40);
  insert(kCode + 0x40, {kNever});
  resume();
  run_until_halted(5);
  ASSERT_FALSE(engine_.halted());
  engine_.interrupt();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kInterrupt);
}

TEST_F(EngineTest, StepsThroughARangeWithAFalseConditionInIt) {
  halt_at(kCode);
  insert(kCode + 4, {kNever});
  insert(kCode + 2, {}, {kPrintR0});
  step_range(kCode, kCode + 0xA);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 0x20);
  EXPECT_EQ(printed(), "r0=0 ");
}

TEST_F(EngineTest, StopsARangeWhereAConditionHolds) {
  halt_at(kCode);
  insert(kCode + 4, {equals(0, 3)});
  step_range(kCode, kCode + 0x40);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kBreakpoint);
  EXPECT_EQ(engine_.context().core[0], 3U);
}

TEST_F(EngineTest, EndsAStepAtABreakpointWhoseConditionIsFalse) {
  halt_at(kCode);
  insert(kCode + 2, {kNever});
  resume(Engine::Goal::kStep);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 2);
}

TEST_F(EngineTest, PrintsOnceThoughInterruptsAreLetThroughBeforeTheInstruction) {
  halt_at(kCode);
  insert(kCode + 4, {}, {kPrintR0});
  board_.interrupt_handler = [] {};
  step_range(kCode, kCode + 0x40);
  for (int i = 0; i < 10; ++i) {  // many windows, at least one of them at the breakpoint
    board_.interrupt_pending = true;
    board_.run(37);
    engine_.poll(now_us_ += 1000);
  }
  engine_.interrupt();
  run_until_halted();
  const std::uint32_t rounds = engine_.context().core[0];
  std::string expected;
  for (std::uint32_t i = 1; i <= rounds; ++i) expected += "r0=" + std::to_string(i) + " ";
  const std::string last = "r0=" + std::to_string(rounds) + " ";
  const std::string text = printed();
  EXPECT_GT(rounds, 20U);
  EXPECT_TRUE(text == expected || text + last == expected) << text;  // it may stand before the last one
}

// The board's interrupts run all at once and hit nothing, so the handler is played here: it hits a breakpoint while the
// step waits for it to return.
class InHandler : public EngineTest {
 protected:
  static constexpr std::uint32_t kHandler = kCode + 0x60;

  void SetUp() override {
    memory_.put(kHandler, {0x3201, 0xBF00, 0x3201, 0x4770});  // adds r2, #1; nop; adds r2, #1; bx lr
    memory_.put(kCode + 0x40, {0xDF00, 0xBF00});              // svc 0; nop
  }

  // The processor enters the handler before the instruction that is waited for is done.
  void enter() {
    left_ = board_.cpu;
    board_.cpu.pc() = kHandler;
    board_.cpu.xpsr() |= 15;
    board_.run(3);
  }
  void leave() {
    EXPECT_EQ(board_.cpu.pc(), kHandler + 6);
    board_.cpu = left_;
  }

  Context left_;
};

TEST_F(InHandler, AFalseConditionDoesNotEndTheStepThatWaitsForIt) {
  halt_at(kCode + 0x40);
  insert(kHandler, {kNever});
  insert(kHandler + 2, {}, {kPrintR0});
  resume(Engine::Goal::kStep);
  enter();
  EXPECT_FALSE(engine_.halted());
  leave();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 0x42);
  EXPECT_EQ(printed().substr(0, 3), "r0=");
}

TEST_F(InHandler, AConditionThatHoldsStopsThere) {
  halt_at(kCode + 0x40);
  insert(kHandler + 4, {equals(2, 1)});
  resume(Engine::Goal::kStep);
  enter();
  EXPECT_EQ(engine_.reason(), Reason::kBreakpoint);
  EXPECT_EQ(pc(), kHandler + 4);
  EXPECT_EQ(memory_.halfword(kCode + 0x42), 0xBF00);  // the step's stop is gone
}

TEST_F(InHandler, AnInterruptStopsThereToo) {
  halt_at(kCode + 0x40);
  insert(kHandler, {kNever});
  resume(Engine::Goal::kStep);
  engine_.interrupt();
  board_.cpu.pc() = kHandler;
  board_.run(1);
  EXPECT_EQ(engine_.reason(), Reason::kInterrupt);
}

TEST_F(InHandler, AStepThroughTheSecureSideStillEnds) {
  memory_.put(kCode + 0x40, {0x4770});  // bx lr, with an EXC_RETURN into Secure code
  halt_at(kCode + 0x40);
  engine_.context().lr() = 0xFFFFFFFD;
  engine_.context().xpsr() |= 15;
  insert(kHandler, {kNever});
  resume(Engine::Goal::kStep);
  board_.cpu.xpsr() = test::kThumb | 16;
  board_.cpu.pc() = kHandler;
  board_.run(1);
  engine_.poll(now_us_ += 1000);  // asks for a halt, which comes while the breakpoint is passed
  board_.run(1);
  EXPECT_FALSE(engine_.halted());
  board_.cpu.pc() = kCode + 2;
  board_.cpu.xpsr() = test::kThumb;
  engine_.poll(now_us_ += Engine::kHaltRetryUs);
  board_.run(1);
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 2);
}

TEST_F(EngineTest, ForgetsAProgramWithItsBreakpoint) {
  halt_at(kCode);
  insert(kCode + 2, {kNever});
  insert(kCode + 4, {equals(0, 2)});
  engine_.breakpoints().remove(kCode + 2);
  EXPECT_EQ(programs().size(), 1U);
  ASSERT_EQ(engine_.breakpoints().insert(kCode + 2), BreakpointError::kNone);
  resume();
  run_until_halted();
  EXPECT_EQ(pc(), kCode + 2);
  engine_.breakpoints().remove(kCode + 2);
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.context().core[0], 2U);  // the other one's bytes moved up
}

}  // namespace
}  // namespace mv::debug
