#include <gtest/gtest.h>

#include <algorithm>

#include "gdbserver/rtos/kernels_fixture.h"

namespace mv::gdb::rtos {
namespace {

constexpr std::uint32_t kStack = kFixtureBase + 0x1000;
constexpr std::uint32_t kBasic = 0xffffffbc;   // EXC_RETURN without floating-point state
constexpr std::uint32_t kWithFp = 0xffffffac;  // and with

// RAM that a test writes words into, wholly known.
class Ram {
 public:
  explicit Ram(Layout of) : layout(std::move(of)) {
    memory.store(kFixtureBase, std::vector<std::uint8_t>(kFixtureRam));
  }

  void put(std::uint32_t address, std::vector<std::uint32_t> words) {
    for (const std::uint32_t word : words) {
      const std::uint8_t bytes[] = {static_cast<std::uint8_t>(word), static_cast<std::uint8_t>(word >> 8),
                                    static_cast<std::uint8_t>(word >> 16), static_cast<std::uint8_t>(word >> 24)};
      memory.store(address, bytes);
      address += 4;
    }
  }
  void put_text(std::uint32_t address, std::string_view text) {
    memory.store(address, std::vector<std::uint8_t>(text.begin(), text.end()));
  }
  Found walk(const Kernel& kernel) {
    Found found;
    memory.begin_walk();
    kernel.walk(layout, memory, found);
    return found;
  }

  Layout layout;
  Memory memory{{{kFixtureBase, kFixtureRam, MemoryKind::kRam}}};
};

std::vector<std::uint32_t> counted(std::uint32_t first, std::size_t count) {
  std::vector<std::uint32_t> out(count);
  for (auto& word : out) word = first++;
  return out;
}

const Thread* named(const Found& found, std::string_view name) {
  const auto at =
      std::find_if(found.threads().begin(), found.threads().end(), [&](const auto& t) { return t.name == name; });
  return at == found.threads().end() ? nullptr : &*at;
}

// r4 is 4, r0 is 100, pc is 0x00100200, and so on; xpsr with the bit that says a word was left out.
void expect_frame(const arm::RegisterFile& file, std::uint32_t sp) {
  EXPECT_EQ(file.core[0], 100U);
  EXPECT_EQ(file.core[3], 103U);
  EXPECT_EQ(file.core[4], 4U);
  EXPECT_EQ(file.core[11], 11U);
  EXPECT_EQ(file.core[12], 112U);
  EXPECT_EQ(file.core[arm::kSp], sp);
  EXPECT_EQ(file.core[14], 0x00100101U);
  EXPECT_EQ(file.core[arm::kPc], 0x00100200U);
  EXPECT_EQ(file.core[16], 0x61000000U);
  EXPECT_EQ(file.system[1], sp);
  EXPECT_TRUE(file.core_valid);
}
const std::vector<std::uint32_t> kPushed = {100, 101, 102, 103, 112, 0x00100101, 0x00100200, 0x61000200};

class FreeRtos : public testing::Test, protected Ram {
 protected:
  static constexpr std::uint32_t kLists =
      kFixtureBase + 0x10;  // three of ready ones, two of sleepers, one of suspended
  static constexpr std::uint32_t kList = 20;

  FreeRtos() : Ram(freertos_layout()) {
    for (std::uint32_t i = 0; i < 6; ++i) empty(list(i));
    put(kFixtureBase, {task(0), 1});
  }
  static std::uint32_t list(std::uint32_t number) {
    return number < 3 ? kLists + kList * number : kFixtureBase + 0x50 + kList * (number - 3);
  }
  static std::uint32_t task(std::uint32_t number) { return kFixtureBase + 0x200 + 0x48 * number; }
  static std::uint32_t item(std::uint32_t number) { return task(number) + 4; }

  void empty(std::uint32_t at) { put(at, {0, at + 8, 0xffffffff, at + 8, at + 8}); }
  void make(std::uint32_t number, std::string_view name, std::uint32_t priority, std::uint32_t container = 0) {
    put(task(number), {kStack});
    put(task(number) + 24 + 16, {container, priority});
    put_text(task(number) + 52, name);
  }
  void fill(std::uint32_t at, const std::vector<std::uint32_t>& numbers) {
    put(at, {static_cast<std::uint32_t>(numbers.size())});
    std::uint32_t from = at + 8;
    for (const std::uint32_t number : numbers) {
      put(from + 4, {item(number)});
      put(item(number) + 12, {task(number), at});
      from = item(number);
    }
    put(from + 4, {at + 8});
  }
};

TEST_F(FreeRtos, ListsTheTasksOfAllListsWithTheirStates) {
  make(0, "main", 1), make(1, "other", 1), make(2, "sleeper", 2), make(3, "stopped", 0),
      make(4, "listener", 0, 0x20000300);
  fill(list(1), {0, 1});
  fill(list(4), {2});
  fill(list(5), {3, 4});
  const Found found = walk(kFreeRtos);
  EXPECT_EQ(found.broken(), "");
  ASSERT_EQ(found.threads().size(), 5U);
  EXPECT_EQ(named(found, "main")->state, State::kReady);
  EXPECT_EQ(named(found, "sleeper")->state, State::kBlocked);
  EXPECT_EQ(named(found, "sleeper")->priority, 2);
  EXPECT_EQ(named(found, "stopped")->state, State::kSuspended);
  EXPECT_EQ(named(found, "listener")->state, State::kBlocked);
  EXPECT_EQ(named(found, "main")->id, task(0));
  EXPECT_EQ(kFreeRtos.running(layout, memory), task(0));
}

TEST_F(FreeRtos, RunsNoTaskBeforeTheSchedulerIsStarted) {
  put(kFixtureBase + 4, {0});
  EXPECT_EQ(kFreeRtos.running(layout, memory), 0U);
  EXPECT_TRUE(walk(kFreeRtos).threads().empty());
}

TEST_F(FreeRtos, BreaksOffListsThatMakeNoSense) {
  make(0, "main", 1), make(1, "other", 1);
  fill(list(1), {0, 1});
  put(list(1), {3});  // goes through the list's end, which belongs to no task
  EXPECT_NE(walk(kFreeRtos).broken(), "");
  put(list(1), {1000});
  EXPECT_EQ(walk(kFreeRtos).broken(), "a list says that it has more than 64 threads");
  fill(list(1), {0, 1});
  put(list(1), {1});
  EXPECT_EQ(walk(kFreeRtos).broken(), "a list is longer than it says");
  put(list(1), {64});
  put(item(1) + 4, {item(0)});  // round and round
  EXPECT_EQ(walk(kFreeRtos).broken(), "a thread is in its lists twice");
  fill(list(1), {0, 1});
  fill(list(0), {1});
  EXPECT_EQ(walk(kFreeRtos).broken(), "a thread is in its lists twice");
  empty(list(0));
  put(item(0) + 12, {0x40000000});
  EXPECT_EQ(walk(kFreeRtos).broken(), "a list has an item that belongs to no task");
}

TEST_F(FreeRtos, ReadsNoPeripheralAndNoOddAddress) {
  for (const std::uint32_t wild : {0x40000000U, 0x20000301U, 0xfffffffcU, 0U}) {
    put(list(0), {1, 0, 0, wild, wild});
    const Found found = walk(kFreeRtos);
    EXPECT_TRUE(found.threads().empty());
    EXPECT_TRUE(memory.unreadable()) << wild;
    EXPECT_TRUE(memory.missing().empty());
  }
}

TEST_F(FreeRtos, UnstacksTheRegistersOfATaskThatWaits) {
  put(kStack, {0x20000900, kBasic});
  put(kStack + 8, counted(4, 8));
  put(kStack + 40, kPushed);
  const auto file = kFreeRtos.registers(layout, memory, {.id = 4, .name = "", .stack_pointer = kStack}, {});
  ASSERT_TRUE(file);
  expect_frame(*file, kStack + 40 + 32 + 4);
  EXPECT_EQ(file->system[7], 0x20000900U);
  EXPECT_FALSE(file->has_fp);
}

TEST_F(FreeRtos, UnstacksFloatingPointRegistersIfThereAreAny) {
  put(kStack, {0x20000900, kWithFp});
  put(kStack + 8, counted(4, 8));
  put(kStack + 40, counted(1016, 16));
  put(kStack + 104, kPushed);
  put(kStack + 136, counted(1000, 16));
  put(kStack + 200, {0x03000000});
  const auto file = kFreeRtos.registers(layout, memory, {.id = 4, .name = "", .stack_pointer = kStack}, {});
  ASSERT_TRUE(file);
  expect_frame(*file, kStack + 104 + 104 + 4);
  ASSERT_TRUE(file->has_fp);
  for (std::uint32_t i = 0; i < 32; ++i) EXPECT_EQ(file->fp[i], 1000 + i);
  EXPECT_EQ(file->fp[32], 0x03000000U);
}

TEST_F(FreeRtos, KnowsOnlySpWhereThereIsNoFrame) {
  put(kStack, {0x20000900, 0x12345678});
  const auto file = kFreeRtos.registers(layout, memory, {.id = 4, .name = "", .stack_pointer = kStack}, {});
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->core_valid);
  EXPECT_EQ(file->core[arm::kSp], kStack);
}

class ThreadX : public testing::Test, protected Ram {
 protected:
  ThreadX() : Ram(threadx_layout()) {
    put(kFixtureBase, {thread(1), thread(0), 3});
    make(0, "timer", 0, 3), make(1, "main", 8, 0), make(2, "net", 4, 5);
  }
  static std::uint32_t thread(std::uint32_t number) { return kFixtureBase + 0x200 + 0x100 * number; }
  void make(std::uint32_t number, std::string_view name, std::uint32_t priority, std::uint32_t state) {
    put(thread(number) + 8, {kStack, 0x20000800});
    put(thread(number) + 40, {thread(number) + 0xc0, priority, state});
    put_text(thread(number) + 0xc0, name);
    put(thread(number) + 136, {thread((number + 1) % 3)});
  }
};

TEST_F(ThreadX, ListsTheRingOfThreads) {
  const Found found = walk(kThreadX);
  EXPECT_EQ(found.broken(), "");
  ASSERT_EQ(found.threads().size(), 3U);
  EXPECT_EQ(named(found, "timer")->state, State::kSuspended);
  EXPECT_EQ(named(found, "main")->state, State::kReady);
  EXPECT_EQ(named(found, "net")->state, State::kBlocked);
  EXPECT_EQ(named(found, "net")->priority, 4);
  EXPECT_EQ(kThreadX.running(layout, memory), thread(1));
}

TEST_F(ThreadX, BreaksOffRingsThatMakeNoSense) {
  put(thread(2) + 136, {thread(1)});
  EXPECT_EQ(walk(kThreadX).broken(), "its list of threads does not close");
  put(kFixtureBase + 8, {4});
  EXPECT_EQ(walk(kThreadX).broken(), "a thread is in its lists twice");
  put(kFixtureBase + 8, {65});
  EXPECT_EQ(walk(kThreadX).broken(), "there are more than 64 threads");
}

TEST_F(ThreadX, UnstacksWithAndWithoutFloatingPoint) {
  put(kStack, {kBasic});
  put(kStack + 4, counted(4, 8));
  put(kStack + 36, kPushed);
  const auto basic = kThreadX.registers(layout, memory, {.id = thread(0), .name = "", .stack_pointer = kStack}, {});
  ASSERT_TRUE(basic);
  expect_frame(*basic, kStack + 36 + 32 + 4);
  EXPECT_EQ(basic->system[7], 0x20000800U);
  put(kStack, {kWithFp});
  put(kStack + 4, counted(1016, 16));
  put(kStack + 68, counted(4, 8));
  put(kStack + 100, kPushed);
  put(kStack + 132, counted(1000, 17));
  const auto extended = kThreadX.registers(layout, memory, {.id = thread(0), .name = "", .stack_pointer = kStack}, {});
  ASSERT_TRUE(extended);
  expect_frame(*extended, kStack + 100 + 104 + 4);
  for (std::uint32_t i = 0; i < 32; ++i) EXPECT_EQ(extended->fp[i], 1000 + i);
}

class Zephyr : public testing::Test, protected Ram {
 protected:
  Zephyr() : Ram(zephyr_layout()) {
    put(kFixtureBase + 8, {thread(1)});
    put(kFixtureBase + 40, {thread(0)});
    make(0, "idle", 15, 0x80, thread(1)), make(1, "main", 0, 0, thread(2)), make(2, "logging", 0xfe, 2, 0);
  }
  static std::uint32_t thread(std::uint32_t number) { return kFixtureBase + 0x200 + 0x100 * number; }
  void make(std::uint32_t number, std::string_view name, std::uint32_t priority, std::uint32_t state,
            std::uint32_t next) {
    put(thread(number) + 12, {priority << 16 | state << 8});
    put(thread(number) + 80, {kStack});
    put(thread(number) + 116, {next});
    put_text(thread(number) + 120, name);
    put(thread(number) + 244, {0xbc00});
  }
};

TEST_F(Zephyr, ListsTheThreadsThatItMonitors) {
  const Found found = walk(kZephyr);
  EXPECT_EQ(found.broken(), "");
  ASSERT_EQ(found.threads().size(), 3U);
  EXPECT_EQ(named(found, "idle")->state, State::kReady);
  EXPECT_EQ(named(found, "logging")->state, State::kBlocked);
  EXPECT_EQ(named(found, "logging")->priority, -2);
  EXPECT_EQ(kZephyr.running(layout, memory), thread(1));
}

TEST_F(Zephyr, BreaksOffAListThatLeadsInACircle) {
  put(thread(2) + 116, {thread(0)});
  EXPECT_EQ(walk(kZephyr).broken(), "a thread is in its lists twice");
}

TEST_F(Zephyr, TakesRegistersFromThreadAndStack) {
  put(thread(0) + 48, counted(4, 8));
  put(thread(0) + 152, {0x20000700});
  put(kStack, kPushed);
  const auto file = kZephyr.registers(layout, memory, {.id = thread(0), .name = "", .stack_pointer = kStack}, {});
  ASSERT_TRUE(file);
  expect_frame(*file, kStack + 32 + 4);
  EXPECT_EQ(file->system[7], 0x20000700U);
  EXPECT_FALSE(file->has_fp);
  put(thread(0) + 244, {0xac00});
  put(thread(0) + 180, counted(1016, 16));
  put(kStack + 32, counted(1000, 17));
  const auto extended = kZephyr.registers(layout, memory, {.id = thread(0), .name = "", .stack_pointer = kStack}, {});
  ASSERT_TRUE(extended);
  for (std::uint32_t i = 0; i < 32; ++i) EXPECT_EQ(extended->fp[i], 1000 + i);
}

TEST(Kernels, ArePickedByTheirVariablesAndNeedTheirStructures) {
  Layout layout = freertos_layout();
  EXPECT_EQ(find_kernel(layout), &kFreeRtos);
  EXPECT_TRUE(complete(kFreeRtos, layout));
  layout.members.erase("xLIST_ITEM.pvOwner");
  EXPECT_FALSE(complete(kFreeRtos, layout));
  layout.variables.erase("pxCurrentTCB");
  EXPECT_EQ(find_kernel(layout), nullptr);
  EXPECT_EQ(find_kernel(threadx_layout()), &kThreadX);
  EXPECT_EQ(find_kernel(zephyr_layout()), &kZephyr);
}

TEST(Memory, AsksForAllThatAWalkMissedInFewPieces) {
  Memory memory({{kFixtureBase, kFixtureRam, MemoryKind::kRam}});
  memory.begin_walk();
  EXPECT_FALSE(memory.word(kFixtureBase + 4));
  EXPECT_FALSE(memory.word(kFixtureBase + 0x50));
  EXPECT_FALSE(memory.word(kFixtureBase + 0x804));
  EXPECT_EQ(memory.missing(), (std::vector<Memory::Span>{{kFixtureBase, 0x80}, {kFixtureBase + 0x800, 0x40}}));
  memory.store(kFixtureBase, std::vector<std::uint8_t>(0x80));
  memory.begin_walk();
  EXPECT_EQ(memory.word(kFixtureBase + 4), 0U);
  EXPECT_TRUE(memory.missing().empty());
  memory.store_unreadable({kFixtureBase + 0x800, 0x40});
  EXPECT_FALSE(memory.word(kFixtureBase + 0x804));
  EXPECT_EQ(memory.unreadable(), kFixtureBase + 0x804);
}

TEST(Memory, ShowsOnlyPrintableTextAndNoMoreThanAsked) {
  Memory memory({{kFixtureBase, 0x40, MemoryKind::kRam}});
  memory.store(kFixtureBase, std::vector<std::uint8_t>{'a', 0x07, 0xff, 'b', 0, 'c'});
  EXPECT_EQ(memory.text(kFixtureBase, 32), "a??b");
  EXPECT_EQ(memory.text(kFixtureBase, 2), "a?");
}

}  // namespace
}  // namespace mv::gdb::rtos
