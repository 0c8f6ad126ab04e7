// For tests: an engine on a fake board, with a small program that counts.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/debug/engine.h"
#include "core/debug/fake_target.h"

namespace mv::debug::test {

using Code = std::vector<std::uint8_t>;

inline const Code kNever = {0x22, 0, 0x27};
inline const Code kAlways = {0x22, 1, 0x27};

// rN == value
inline Code equals(std::uint8_t number, std::uint8_t value) { return {0x26, 0, number, 0x22, value, 0x13, 0x27}; }

// dprintf: "r0=%u " with r0
inline const Code kPrintR0 = {0x26, 0, 0, 0x22, 0, 0x22, 0, 0x34, 1, 0, 7, 'r', '0', '=', '%', 'u', ' ', 0, 0x27};

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

}  // namespace mv::debug::test
