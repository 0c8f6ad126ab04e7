// What a program asks for by Arm semihosting: text for its log, and its end.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/debug/engine_fixture.h"

namespace mv::debug {
namespace {

using test::EngineTest;
using test::kCode;
using test::kRam;

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

}  // namespace
}  // namespace mv::debug
