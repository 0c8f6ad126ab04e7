// Watchpoints in the engine, on a board that watches by attribution and on one that has comparators.
#include <gtest/gtest.h>

#include "core/debug/engine.h"
#include "core/debug/fake_target.h"

namespace mv::debug {
namespace {

using test::FakeBoard;
using test::FakeMemory;
using test::kCode;
using test::kRam;

constexpr std::uint32_t kVariable = kRam + 0x108;  // its granule begins 8 bytes before, far from the stack at 0x1000
constexpr std::uint32_t kNeighbour = kVariable + 4;
constexpr std::uint32_t kStackVariable = kRam + 0x1004;

// r1 points to the variable.
//   0: str r0, [r1, #4]   the neighbour, each round   loop
//   2: adds r0, #1
//   4: cbz r2, 8
//   6: str r0, [r1]       the variable, if r2 is set
//   8: ldr r3, [r1]
//   a: b loop
constexpr std::uint32_t kStore = kCode + 6;
constexpr std::uint32_t kLoad = kCode + 8;

class EngineWatchTest : public testing::Test {
 protected:
  EngineWatchTest() {
    memory_.put(kCode, {0x6048, 0x3001, 0xB102, 0x6008, 0x680B, 0xE7F9});
    board_.set_events(engine_);
    board_.start(kCode);
    engine_.attach();
    engine_.interrupt();
    board_.run(1);
    context().pc() = kCode;
    context().core[1] = kVariable;
    context().system[0] = context().sp();
  }

  Context& context() { return engine_.context(); }
  void watch(WatchKind kind, std::uint32_t address = kVariable, std::uint32_t length = 4) {
    ASSERT_EQ(engine_.watchpoints().insert({address, length, kind}), WatchpointError::kNone);
  }
  void resume(Engine::Goal goal = Engine::Goal::kRun) { EXPECT_TRUE(engine_.resume(goal, {})); }
  void run_until_halted(int turns = 20) {
    for (int i = 0; i < turns && !engine_.halted(); ++i) {
      board_.run(1000);
      engine_.poll(now_us_ += 1000);
    }
  }
  void expect_hit(std::uint32_t pc, WatchKind kind, std::uint32_t address = kVariable) {
    ASSERT_TRUE(engine_.halted());
    EXPECT_EQ(engine_.reason(), Reason::kWatchpoint);
    EXPECT_EQ(context().pc(), pc);
    EXPECT_EQ(engine_.watch_hit().address, address);
    EXPECT_EQ(engine_.watch_hit().kind, kind);
  }
  void expect_no_hit() {
    run_until_halted(3);
    EXPECT_FALSE(engine_.halted());
  }

  FakeMemory memory_;
  FakeBoard board_{memory_};
  Engine engine_{board_, memory_};
  std::uint64_t now_us_ = 0;
};

TEST_F(EngineWatchTest, StopsBeforeEachWriteThatChangesTheBytes) {
  watch(WatchKind::kWrite);
  context().core[2] = 1;
  for (std::uint32_t round = 0; round < 3; ++round) {
    resume();
    run_until_halted();
    expect_hit(kStore, WatchKind::kWrite);
    EXPECT_EQ(memory_.word(kVariable), round);  // the last round's, for this write is still to come
    EXPECT_EQ(memory_.word(kNeighbour), round);
  }
}

TEST_F(EngineWatchTest, LetsTheNeighboursOfWatchedBytesChange) {
  watch(WatchKind::kWrite);
  resume();
  expect_no_hit();
  EXPECT_GT(memory_.word(kNeighbour), 100U);
  EXPECT_TRUE(board_.guarding());
  EXPECT_FALSE(board_.masked());
}

TEST_F(EngineWatchTest, LetsAWritePassThatChangesNothing) {
  memory_.put(kCode + 2, {0xBF00});  // r0 stays 0, as the variable is
  watch(WatchKind::kWrite);
  context().core[2] = 1;
  resume();
  expect_no_hit();
}

TEST_F(EngineWatchTest, StopsBeforeAReadOnlyForThoseWhoWaitForReads) {
  watch(WatchKind::kRead);
  context().core[2] = 1;
  resume();
  run_until_halted();
  expect_hit(kLoad, WatchKind::kRead);
}

TEST_F(EngineWatchTest, StopsBeforeReadsAndWritesOfAnAccessWatchpoint) {
  watch(WatchKind::kAccess, kVariable + 2, 1);
  context().core[2] = 1;
  resume();
  run_until_halted();
  expect_hit(kStore, WatchKind::kAccess, kVariable + 2);
  resume();
  run_until_halted();
  expect_hit(kLoad, WatchKind::kAccess, kVariable + 2);
}

TEST_F(EngineWatchTest, StopsAStepThatIsGoingToHit) {
  watch(WatchKind::kWrite);
  context().core[2] = 1;
  context().core[0] = 7;
  context().pc() = kStore;
  resume(Engine::Goal::kStep);
  expect_hit(kStore, WatchKind::kWrite);
  resume(Engine::Goal::kStep);  // the same place again: now it is executed
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(memory_.word(kVariable), 7U);
}

TEST_F(EngineWatchTest, StopsWithinARange) {
  watch(WatchKind::kWrite);
  context().core[2] = 1;
  const std::array ranges = {AddressRange{kCode, kCode + 0x20}};
  EXPECT_TRUE(engine_.resume(Engine::Goal::kStepRange, ranges));
  run_until_halted();
  expect_hit(kStore, WatchKind::kWrite);
}

TEST_F(EngineWatchTest, StopsInAnInterruptHandlerThatWrites) {
  memory_.put(kCode + 0x40, {0x6008, 0xBF00});  // the handler: str r0, [r1]
  watch(WatchKind::kWrite);
  context().core[0] = 1;
  resume();
  board_.interrupt_pending = true;
  board_.interrupt_handler = [this] { board_.cpu.pc() = kCode + 0x40; };
  run_until_halted();
  expect_hit(kCode + 0x40, WatchKind::kWrite);
}

TEST_F(EngineWatchTest, StepsAllTheWayForAVariableOnTheStack) {
  watch(WatchKind::kWrite, kStackVariable);
  context().core[1] = kStackVariable;
  context().core[2] = 1;
  resume();
  EXPECT_FALSE(board_.guarding());
  run_until_halted();
  expect_hit(kStore, WatchKind::kWrite, kStackVariable);
  resume();
  run_until_halted();
  expect_hit(kStore, WatchKind::kWrite, kStackVariable);
}

TEST_F(EngineWatchTest, FindsThatAnInterruptHandlerChangedAVariableOnTheStack) {
  watch(WatchKind::kWrite, kStackVariable);
  board_.interrupt_handler = [this] { memory_.put_word(kStackVariable, 5); };
  board_.interrupt_pending = true;
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kWatchpoint);
  EXPECT_EQ(engine_.watch_hit().address, kStackVariable);
}

TEST_F(EngineWatchTest, GuardsNothingWhileTheApplicationStands) {
  watch(WatchKind::kWrite);
  resume();
  board_.run(50);
  EXPECT_TRUE(board_.guarding());
  engine_.interrupt();
  run_until_halted();
  EXPECT_FALSE(board_.guarding());
}

TEST_F(EngineWatchTest, ForgetsWatchpointsThatAreRemovedOrReleased) {
  watch(WatchKind::kWrite);
  engine_.watchpoints().remove({kVariable, 4, WatchKind::kWrite});
  context().core[2] = 1;
  resume();
  expect_no_hit();
  engine_.interrupt();
  run_until_halted();
  watch(WatchKind::kWrite);
  engine_.release();
  board_.run(50);
  EXPECT_FALSE(board_.guarding());
  EXPECT_TRUE(engine_.watchpoints().empty());
}

TEST_F(EngineWatchTest, KeepsWatchpointsOverARestart) {
  watch(WatchKind::kWrite);
  resume();
  board_.run(50);
  engine_.before_restart();
  EXPECT_FALSE(board_.guarding());
  board_.start(kCode);
  run_until_halted();
  engine_.restarted();
  context().core[1] = kVariable;
  context().core[2] = 1;
  resume();
  run_until_halted();
  expect_hit(kStore, WatchKind::kWrite);
}

TEST_F(EngineWatchTest, CallsAnAccessToSecureMemoryAFaultAlsoWhileItWatches) {
  watch(WatchKind::kWrite);
  resume();
  board_.run(10);
  board_.cpu.core[1] = kRam + 0x400;
  board_.cpu.pc() = kCode;
  FaultRegisters fault{.sfsr = 8};
  EXPECT_EQ(engine_.on_event(Event::kWatchpoint, board_.cpu, fault), DebugEvents::Verdict::kHalt);
  EXPECT_EQ(engine_.reason(), Reason::kFault);
  EXPECT_EQ(engine_.fault().sfsr, 8U);
}

TEST_F(EngineWatchTest, RefusesWatchpointsThatCannotBe) {
  Watchpoints& list = engine_.watchpoints();
  EXPECT_EQ(list.insert({kVariable, 0, WatchKind::kWrite}), WatchpointError::kBadRange);
  EXPECT_EQ(list.insert({kVariable, 65, WatchKind::kWrite}), WatchpointError::kBadRange);
  EXPECT_EQ(list.insert({0x50000000, 4, WatchKind::kWrite}), WatchpointError::kBadRange);
  EXPECT_EQ(list.insert({kVariable, 4, WatchKind::kWrite}), WatchpointError::kNone);
  EXPECT_EQ(list.insert({kVariable, 4, WatchKind::kWrite}), WatchpointError::kNone);
  EXPECT_EQ(list.insert({kVariable, 4, WatchKind::kRead}), WatchpointError::kNone);
  EXPECT_EQ(list.insert({kVariable + 4, 4, WatchKind::kRead}), WatchpointError::kNoneFree);
}

TEST_F(EngineWatchTest, BelievesComparatorsAndStopsAfterTheAccess) {
  board_.watching = Watching::kComparators;
  watch(WatchKind::kWrite);
  resume();
  EXPECT_TRUE(board_.guarding());
  memory_.put_word(kVariable, 1);  // the access was made
  board_.comparator_hit = {kVariable, 4, WatchKind::kWrite};
  board_.cpu.pc() = kLoad;
  EXPECT_EQ(engine_.on_event(Event::kWatchpoint, board_.cpu, {}), DebugEvents::Verdict::kHalt);
  expect_hit(kLoad, WatchKind::kWrite);
}

TEST_F(EngineWatchTest, PassesAnInterruptHandlerThatRunsTheCodeBeingStepped) {
  memory_.put(kCode + 0x40, {0xE7FE});  // b .
  watch(WatchKind::kWrite);
  context().pc() = kCode + 2;
  // Another thread of the application, deeper on another stack, runs through the place of the window.
  board_.interrupt_pending = true;
  Context interrupted;
  board_.interrupt_handler = [this, &interrupted] {
    interrupted = board_.cpu;
    board_.cpu.sp() -= 0x40;
    memory_.put(kCode + 0x60, {0xBF00});
  };
  memory_.put(kCode + 2, {0xBF30});  // wfi: its step opens a window
  board_.interrupts_taken = 1;
  resume(Engine::Goal::kStep);
  board_.run(3);
  EXPECT_FALSE(engine_.halted());  // it stood at the stop, but was somebody else
  board_.cpu = interrupted;
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(context().pc(), kCode + 4);
}

}  // namespace
}  // namespace mv::debug
