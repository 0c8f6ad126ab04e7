#include "core/debug/engine.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/debug/fake_target.h"

namespace mv::debug {
namespace {

using test::FakeBoard;
using test::FakeMemory;
using test::kCode;
using test::kRam;

using Code = std::vector<std::uint8_t>;

const Code kNever = {0x22, 0, 0x27};
const Code kAlways = {0x22, 1, 0x27};

// rN == value
Code equals(std::uint8_t number, std::uint8_t value) { return {0x26, 0, number, 0x22, value, 0x13, 0x27}; }

// dprintf: "r0=%u " with r0
const Code kPrintR0 = {0x26, 0, 0, 0x22, 0, 0x22, 0, 0x34, 1, 0, 7, 'r', '0', '=', '%', 'u', ' ', 0, 0x27};

// r0 counts; `loop` is where the counting starts again.
//   0: movs r0, #0
//   2: adds r0, #1      loop
//   4: nop
//   6: bl 0x20
//   a: b loop
//  20: adds r1, #1
//  22: bx lr
class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    memory_.put(kCode, {0x2000, 0x3001, 0xBF00, 0xF000, 0xF80B, 0xE7FA});
    memory_.put(kCode + 0x20, {0x3101, 0x4770});
    board_.set_events(engine_);
    board_.start(kCode);
  }

  void halt_at(std::uint32_t address) {
    engine_.attach();
    engine_.interrupt();
    board_.run(1);
    ASSERT_TRUE(engine_.halted());
    engine_.context().pc() = address;
  }

  void run_until_halted(int turns = 100) {
    for (int i = 0; i < turns && !engine_.halted(); ++i) {
      board_.run(10'000);
      engine_.poll(now_us_ += 1000);
    }
  }

  // Puts a breakpoint whose conditions and commands are these.
  void insert(std::uint32_t address, std::initializer_list<Code> conditions,
              std::initializer_list<Code> commands = {}) {
    using Role = BreakpointPrograms::Role;
    ASSERT_EQ(engine_.breakpoints().insert(address), BreakpointError::kNone);
    for (const Code& code : conditions) ASSERT_TRUE(programs().add(address, Role::kCondition, code));
    for (const Code& code : commands) ASSERT_TRUE(programs().add(address, Role::kCommand, code));
  }
  BreakpointPrograms& programs() { return engine_.breakpoints().programs(); }

  // What was printed since the last call.
  std::string printed() {
    std::string text;
    for (auto part = engine_.console().front(); !part.empty(); part = engine_.console().front()) {
      text.append(part.data(), part.size());
      engine_.console().take(part.size());
    }
    return text;
  }

  std::uint32_t pc() { return engine_.context().pc(); }
  void resume(Engine::Goal goal = Engine::Goal::kRun) { EXPECT_TRUE(engine_.resume(goal, {})); }
  void step_range(std::uint32_t start, std::uint32_t end) {
    const std::array ranges = {AddressRange{start, end}};
    EXPECT_TRUE(engine_.resume(Engine::Goal::kStepRange, ranges));
  }

  FakeMemory memory_;
  FakeBoard board_{memory_};
  Engine engine_{board_, memory_};
  std::uint64_t now_us_ = 0;
};

TEST_F(EngineTest, TakesASemihostingExitForTheEndOfTheProgram) {
  constexpr std::uint32_t kApplicationExit = 0x20026;
  memory_.put(kCode + 4, {0xBEAB});
  halt_at(kCode + 4);
  for (const auto& [parameter, status] : {std::pair{kApplicationExit, 0}, std::pair{0x20023U, 1}}) {
    engine_.context().core[1] = parameter;
    engine_.context().pc() = kCode + 2;
    engine_.context().core[0] = 0x17;  // SYS_EXIT, with the one that the instruction adds
    resume();
    run_until_halted();
    ASSERT_TRUE(engine_.halted());
    EXPECT_EQ(engine_.reason(), Reason::kExited);
    EXPECT_EQ(engine_.exit_status(), status);
  }
}

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

TEST_F(EngineTest, TellsOfTheEndThatAStepCameTo) {
  memory_.put(kCode + 4, {0xBEAB});
  halt_at(kCode + 2);
  engine_.context().core[0] = 0x17;
  resume(Engine::Goal::kStep);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  resume();
  EXPECT_EQ(engine_.reason(), Reason::kExited);
  EXPECT_EQ(pc(), kCode + 4);
}

TEST_F(EngineTest, TakesAnotherSemihostingRequestForABreakpoint) {
  memory_.put(kCode + 4, {0xBEAB});
  halt_at(kCode + 2);
  engine_.context().core[0] = 0x06;  // SYS_READC, with the one that the instruction adds
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kProgramBreakpoint);
}

// The application asks once, then runs on; r1 points to kRam.
class SemihostingTextTest : public EngineTest, public LineLog {
 protected:
  SemihostingTextTest() {
    engine_.keep_lines_in(*this);
    board_.cpu.core[1] = kRam;
  }

  void application_wrote(std::string_view line) override { lines_.emplace_back(line); }

  // 0: movs r0, #request;  2: bkpt 0xAB;  4: nop;  6: b .
  void ask_for(std::uint8_t request) {
    memory_.put(kCode, {static_cast<std::uint16_t>(0x2000 | request), 0xBEAB, 0xBF00, 0xE7FE});
  }

  void put_text(std::uint32_t address, std::string_view text) {
    std::vector<std::uint8_t> bytes(text.begin(), text.end());
    bytes.push_back(0);
    ASSERT_TRUE(memory_.write(address, bytes));
  }

  void put_block(std::initializer_list<std::uint32_t> words) {
    std::uint32_t at = kRam;
    for (const std::uint32_t word : words) memory_.put_word(std::exchange(at, at + 4), word);
  }

  std::vector<std::string> lines_;
};

TEST_F(SemihostingTextTest, IsTheLogOfWhatNobodyDebugs) {
  put_text(kRam, "one\r\ntwo\nthr");
  ask_for(0x04);  // SYS_WRITE0
  board_.run(10);
  EXPECT_FALSE(board_.crashed());
  EXPECT_EQ(board_.cpu.pc(), kCode + 6);
  EXPECT_EQ(lines_, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(printed(), "");  // for a debugger that comes later it is old
}

TEST_F(SemihostingTextTest, CutsALineThatIsTooLong) {
  put_text(kRam, std::string(300, 'x') + "\n");
  ask_for(0x04);
  board_.run(10);
  EXPECT_EQ(lines_, (std::vector{std::string(256, 'x'), std::string(44, 'x')}));
}

TEST_F(SemihostingTextTest, GoesToTheDebuggersConsoleTooWhileTheApplicationRuns) {
  put_text(kRam, "a line\n");
  ask_for(0x04);
  halt_at(kCode);
  ASSERT_EQ(engine_.breakpoints().insert(kCode + 4), BreakpointError::kNone);
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kBreakpoint);
  EXPECT_EQ(pc(), kCode + 4);
  EXPECT_EQ(printed(), "a line\n");
  EXPECT_EQ(lines_, std::vector<std::string>{"a line"});
}

TEST_F(SemihostingTextTest, IsOneStepForWhoStepsOverIt) {
  put_text(kRam, "x");
  ask_for(0x03);  // SYS_WRITEC
  halt_at(kCode);
  for (const std::uint32_t next : {2U, 4U, 6U}) {
    resume(Engine::Goal::kStep);
    run_until_halted();
    EXPECT_EQ(engine_.reason(), Reason::kStep);
    EXPECT_EQ(pc(), kCode + next);
  }
  EXPECT_EQ(printed(), "x");
}

TEST_F(SemihostingTextTest, DoesNotEndTheStepOfALine) {
  put_text(kRam, "x\n");
  ask_for(0x04);
  halt_at(kCode);
  step_range(kCode, kCode + 6);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kStep);
  EXPECT_EQ(pc(), kCode + 6);
  EXPECT_EQ(printed(), "x\n");
  EXPECT_EQ(lines_.size(), 1U);
}

TEST_F(SemihostingTextTest, TellsSysWriteHowMuchIsLeft) {
  put_text(kRam + 0x100, "hello\n");
  ask_for(0x05);
  put_block({1, kRam + 0x100, 6});
  board_.run(10);
  EXPECT_EQ(board_.cpu.core[0], 0U);
  EXPECT_EQ(lines_, std::vector<std::string>{"hello"});
  put_block({1, kRam, 2000});  // more than one request takes
  board_.start(kCode);
  board_.cpu.core[1] = kRam;
  board_.run(10);
  EXPECT_EQ(board_.cpu.core[0], 2000U - 1024U);
  put_block({1, 0xF0000000, 4});
  board_.start(kCode);
  board_.cpu.core[1] = kRam;
  board_.run(10);
  EXPECT_EQ(board_.cpu.core[0], 4U);
}

TEST_F(SemihostingTextTest, OpensTheConsoleAndNoFile) {
  for (const auto& [name, handle] : {std::pair(":tt", 1U), std::pair("a.b", 0xFFFFFFFFU)}) {
    put_text(kRam + 0x100, name);
    put_block({kRam + 0x100, 4, 3});
    ask_for(0x01);
    board_.start(kCode);
    board_.cpu.core[1] = kRam;
    board_.run(10);
    EXPECT_EQ(board_.cpu.core[0], handle) << name;
  }
}

TEST_F(SemihostingTextTest, SurvivesAParameterThatIsNoMemory) {
  for (const int request : {0x01, 0x02, 0x03, 0x04, 0x05, 0x09}) {
    ask_for(static_cast<std::uint8_t>(request));
    board_.start(kCode);
    board_.cpu.core[1] = 0xFFFFFFFE;
    board_.run(10);
    EXPECT_FALSE(board_.crashed()) << request;
    EXPECT_EQ(board_.cpu.pc(), kCode + 6);
  }
  EXPECT_TRUE(lines_.empty());
}

TEST_F(SemihostingTextTest, KeepsTheLastLineOfAProgramThatEnds) {
  put_text(kRam, "bye");
  memory_.put(kCode, {0x2004, 0xBEAB, 0x2018, 0xBEAB});
  board_.run(10);
  EXPECT_TRUE(board_.crashed());
  EXPECT_EQ(lines_, std::vector<std::string>{"bye"});
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
  board_.breakpoints = 2;  // one of them is for steps
  EXPECT_EQ(engine_.breakpoints().insert(kCode), BreakpointError::kNone);
  EXPECT_EQ(engine_.breakpoints().insert(kCode), BreakpointError::kNone);
  EXPECT_EQ(engine_.breakpoints().insert(kCode + 2), BreakpointError::kNoneFree);
}

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

TEST_F(EngineTest, ReportsTheProgramsOwnBreakpointWithinARange) {
  memory_.put(kCode + 4, {0xBE01});
  halt_at(kCode);
  step_range(kCode, kCode + 0x40);
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kProgramBreakpoint);
  EXPECT_EQ(pc(), kCode + 4);
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

TEST_F(EngineTest, StopsAtAFaultThatTheApplicationHasNoHandlerFor) {
  memory_.put(kCode + 4, {0xDE00});
  halt_at(kCode);
  engine_.reflect_faults(true);
  resume();
  run_until_halted();
  EXPECT_EQ(engine_.reason(), Reason::kFault);
  EXPECT_EQ(pc(), kCode + 4);
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
