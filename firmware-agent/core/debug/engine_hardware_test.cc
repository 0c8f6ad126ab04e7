// The engine where the core has comparators and a step of its own.
#include "core/debug/engine_fixture.h"

namespace mv::debug::test {
namespace {

class EngineHardwareTest : public EngineTest {
 protected:
  EngineHardwareTest() {
    board_.breakpoints = 4;
    board_.hardware_step = true;
    board_.patches = false;
    memory_.flash = true;
  }
};

TEST_F(EngineHardwareTest, BreaksInCodeThatCannotBePatched) {
  halt_at(kCode);
  insert(kCode + 4, {});
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kBreakpoint);
  EXPECT_EQ(pc(), kCode + 4);
  resume();
  run_until_halted();
  EXPECT_EQ(pc(), kCode + 4);  // once round
  EXPECT_EQ(engine_.context().core[0], 2U);
}

TEST_F(EngineHardwareTest, KeepsOneComparatorForItself) {
  halt_at(kCode);
  for (std::uint32_t n = 0; n < 3; ++n) insert(kCode + 2 * n, {});
  EXPECT_EQ(engine_.breakpoints().insert(kCode + 0x20), BreakpointError::kNoneFree);
  EXPECT_EQ(engine_.breakpoints().capacity(), 3U);
}

TEST_F(EngineHardwareTest, PatchesWhereTheComparatorsRunOut) {
  board_.patches = true;
  memory_.flash = false;
  halt_at(kCode);
  for (std::uint32_t n = 0; n < 5; ++n) insert(kCode + 2 * n, {});
  EXPECT_EQ(memory_.halfword(kCode), 0x2000);
  EXPECT_EQ(memory_.halfword(kCode + 8), 0xBE00);
}

TEST_F(EngineHardwareTest, StepsWithoutAComparator) {
  halt_at(kCode);
  for (std::uint32_t n = 0; n < 3; ++n) insert(kCode + 0x20 + 2 * n, {});
  for (const std::uint32_t next : {2U, 4U, 6U}) {
    resume(Engine::Goal::kStep);
    run_until_halted();
    EXPECT_EQ(engine_.reason(), Reason::kStep);
    EXPECT_EQ(pc(), kCode + next);
  }
}

// bl to a veneer: the instruction alone ends in front of it.
TEST_F(EngineHardwareTest, ShowsNothingOfACallOfTheSecureSide) {
  halt_at(kCode + 6);
  resume(Engine::Goal::kStep);
  board_.cpu.pc() = 0x10000000;
  EXPECT_EQ(engine_.on_event(Event::kStep, board_.cpu, {}), DebugEvents::Verdict::kResume);
  EXPECT_TRUE(board_.masked());
}

TEST_F(EngineHardwareTest, StepsThroughARange) {
  halt_at(kCode + 2);
  step_range(kCode + 2, kCode + 6);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 6);
  EXPECT_EQ(engine_.steps(), 2U);
}

TEST_F(EngineHardwareTest, StopsAStepAtABreakpoint) {
  halt_at(kCode);
  insert(kCode + 4, {});
  step_range(kCode, kCode + 6);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kBreakpoint);
  EXPECT_EQ(pc(), kCode + 4);
}

TEST_F(EngineHardwareTest, PassesAConditionThatDoesNotHold) {
  halt_at(kCode);
  insert(kCode + 4, {equals(0, 3)});
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kBreakpoint);
  EXPECT_EQ(engine_.context().core[0], 3U);
}

// A write that changes nothing, told by a comparator after it was made.
TEST_F(EngineHardwareTest, TellsAWriteThatChangesNothingApart) {
  board_.watching = Watching::kComparators;
  halt_at(kCode);
  const Watchpoint watchpoint{kRam + 0x100, 4, WatchKind::kWrite};
  ASSERT_EQ(engine_.watchpoints().insert(watchpoint), WatchpointError::kNone);
  resume();
  board_.comparator_hit = watchpoint;
  EXPECT_EQ(engine_.on_event(Event::kWatchpoint, board_.cpu, {}), DebugEvents::Verdict::kResume);
  EXPECT_TRUE(board_.guarding());
  const std::array<std::uint8_t, 4> changed = {1, 0, 0, 0};
  memory_.flash = false;
  memory_.write(kRam + 0x100, changed);
  EXPECT_EQ(engine_.on_event(Event::kWatchpoint, board_.cpu, {}), DebugEvents::Verdict::kHalt);
  EXPECT_EQ(engine_.reason(), Reason::kWatchpoint);
}

TEST_F(EngineHardwareTest, TellsAStepEndedThoughItsWriteChangedNothing) {
  board_.watching = Watching::kComparators;
  halt_at(kCode);
  const Watchpoint watchpoint{kRam + 0x100, 4, WatchKind::kWrite};
  ASSERT_EQ(engine_.watchpoints().insert(watchpoint), WatchpointError::kNone);
  resume(Engine::Goal::kStep);
  board_.comparator_hit = watchpoint;
  board_.cpu.pc() = kCode + 2;
  EXPECT_EQ(engine_.on_event(Event::kWatchpoint, board_.cpu, {}), DebugEvents::Verdict::kHalt);
  EXPECT_EQ(engine_.reason(), Reason::kStep);
}

}  // namespace
}  // namespace mv::debug::test
