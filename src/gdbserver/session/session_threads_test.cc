// Threads of the application's kernel.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "gdbserver/rsp/hex.h"
#include "gdbserver/rtos/kernels_fixture.h"
#include "gdbserver/session/session_fixture.h"

namespace mv::gdb {
namespace {

using test::SessionTest;

// An application with a kernel: two tasks, the first of which runs.
class SessionWithThreads : public SessionTest {
 protected:
  static constexpr std::uint32_t kRunner = 0x20000200, kSleeper = 0x20000280, kStack = 0x20001000;

  SessionWithThreads() {
    target_.system = std::make_shared<rtos::System>(rtos::System{&rtos::kFreeRtos, rtos::freertos_layout()});
    put(0x20000000, {kRunner, 1});
    for (const std::uint32_t list : {0x20000010U, 0x20000024U, 0x20000038U, 0x20000050U, 0x20000064U, 0x20000078U})
      put(list, {0, list + 8, 0, list + 8, list + 8});
    task(kRunner, 0x20000024, "run<ner");
    task(kSleeper, 0x20000050, "sleeper");
    put(kStack, {0, 0xffffffbc, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 12, 0x101, 0x00100200, 0x01000000});
  }
  void put(std::uint32_t address, const std::vector<std::uint32_t>& words) {
    for (const std::uint32_t word : words)
      for (int shift = 0; shift < 32; shift += 8) target_.memory[address++] = static_cast<std::uint8_t>(word >> shift);
  }
  void task(std::uint32_t at, std::uint32_t list, std::string_view name) {
    put(at, {kStack, 0, list + 8, list + 8, at, list});
    put(at + 24, {0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0});
    for (std::size_t i = 0; i < name.size(); ++i)
      target_.memory[at + 52 + static_cast<std::uint32_t>(i)] = static_cast<std::uint8_t>(name[i]);
    put(list, {1, 0, 0, at + 4, at + 4});
  }
};

TEST_F(SessionWithThreads, ListsThreadsWithNamesAndStatesAndTellsWhichRuns) {
  start();
  EXPECT_NE(reply("?").find("thread:20000200;"), std::string::npos);
  EXPECT_EQ(reply("qC"), "QC20000200");
  EXPECT_EQ(reply("qfThreadInfo"), "m20000200,20000280");
  EXPECT_EQ(reply("qsThreadInfo"), "l");
  EXPECT_EQ(reply("qThreadExtraInfo,20000280"), rsp::to_hex(std::string_view("blocked, priority 3")));
  EXPECT_EQ(reply("T20000280"), "OK");
  EXPECT_EQ(reply("T20000284"), "E16");
  const auto document = reply("qXfer:threads:read::0,fff");
  EXPECT_NE(document.find("<thread id=\"20000200\" core=\"0\" name=\"run&lt;ner\">running, priority 3</thread>"),
            std::string::npos)
      << document;
}

TEST_F(SessionWithThreads, GivesTheSelectedThreadsRegistersAndWritesOnlyTheRunningOnes) {
  start();
  EXPECT_EQ(reply("Hg20000280"), "OK");
  EXPECT_EQ(reply("pf"), "00021000");
  EXPECT_EQ(reply("p4"), "04000000");
  EXPECT_TRUE(reply("P4=00000000").starts_with("E.registers can be written of the running thread only"));
  EXPECT_FALSE(target_.written_registers);
  EXPECT_EQ(reply("Hg20000284"), "E16");
  EXPECT_EQ(reply("Hg0"), "OK");
  EXPECT_EQ(reply("pf"), "40001000");
  EXPECT_EQ(reply("P4=00000000"), "OK");
}

TEST_F(SessionWithThreads, StepsTheRunningThreadAndSaysSoIfAnotherWasMeant) {
  start();
  EXPECT_EQ(ask("vCont;c:20000280"), "");
  stop_with(StopReason::kInterrupt, 0x00100040);
  EXPECT_EQ(target_.plans.back().mode, ResumePlan::Mode::kRun);
  EXPECT_EQ(ask("vCont;s:20000200;c"), "");
  stop_with(StopReason::kStep, 0x00100042);
  EXPECT_NE(ask("vCont;r100200,100210:20000280;c").find(rsp::to_hex(std::string_view("only the thread that runs"))),
            std::string::npos);
  EXPECT_EQ(target_.plans.back().mode, ResumePlan::Mode::kStep);
  put(0x20000000, {kSleeper});
  EXPECT_NE(stop_with(StopReason::kStep, 0x00100044).find("thread:20000280;"), std::string::npos);
}

TEST_F(SessionWithThreads, ReadsTheListOnceAStopAndAsksForItWithTheNext) {
  start();
  reply("qfThreadInfo");
  const int gathers = target_.gathers;
  reply("qfThreadInfo");
  reply("qXfer:threads:read::0,fff");
  EXPECT_EQ(target_.gathers, gathers);
  ASSERT_FALSE(target_.expected.empty());
  EXPECT_EQ(target_.expected.front().address, 0x20000000U);
  reply("M20000000,1:00");  // may have been the kernel's
  reply("qfThreadInfo");
  EXPECT_GT(target_.gathers, gathers);
}

TEST_F(SessionWithThreads, FallsBackToTheRunningThreadWithANotice) {
  put(0x20000050, {1000});
  start();
  EXPECT_EQ(reply("qfThreadInfo"), "m20000200");
  EXPECT_NE(ask("vCont;c").find(rsp::to_hex(std::string_view("the threads of FreeRTOS cannot be shown"))),
            std::string::npos);
}

TEST_F(SessionTest, ReadsNothingForThreadsWithoutAKernel) {
  start();
  reply("qfThreadInfo");
  reply("qXfer:threads:read::0,fff");
  EXPECT_EQ(reply("Hg2"), "E16");
  EXPECT_EQ(reply("vCont;s:2"), "E16");
  ask("vCont;c");
  stop_with(StopReason::kStep, 0x00100042);
  EXPECT_EQ(target_.gathers, 0);
  EXPECT_TRUE(target_.expected.empty());
}

}  // namespace
}  // namespace mv::gdb
