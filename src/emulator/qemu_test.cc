#include "emulator/qemu.h"

#include <signal.h>

#include <algorithm>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/test_folder.h"

namespace mv::emulator {
namespace {

TEST(QemuCommandLine, HasNoSemihostingAndNoNetwork) {
  Machine machine;
  machine.flash = "flash.bin";
  const auto line = command_line(machine);
  EXPECT_EQ(std::ranges::count_if(line, [](const std::string& word) { return word.find("semihosting") != word.npos; }),
            0);
  EXPECT_THAT(line, testing::Contains("-nodefaults"));
  EXPECT_THAT(line, testing::Contains("memory-backend-file,id=flash,size=16M,share=on,mem-path=flash.bin"));
  EXPECT_EQ(std::ranges::count(line, "-serial"), 3);
}

TEST(QemuCommandLine, AnStm32u585StartsFromItsFlashFiles) {
  Machine machine;
  machine.board = find_emulated_board("stm32u585");
  machine.flash = "flash.bin";
  machine.nor = "nor.bin";
  const auto line = command_line(machine);
  EXPECT_EQ(line.front(), "qemu-stm32u585");
  EXPECT_THAT(line, testing::Contains("stm32u585,flash=flash.bin,nor=nor.bin"));
  EXPECT_THAT(line, testing::Not(testing::Contains("-kernel")));
}

TEST(QemuCommandLine, AConsoleAloneLeavesTheOtherLinesOpen) {
  Machine machine;
  machine.console_socket = "console";
  const auto line = command_line(machine);
  EXPECT_THAT(line, testing::Contains("socket,id=console,path=console,server=on,wait=off"));
  EXPECT_EQ(std::ranges::count(line, "null"), 2);
  EXPECT_EQ(std::ranges::count(line, "-serial"), 3);
}

TEST(QemuCommandLine, ThePowerOfAnStm32u585FailsAtAFlashOperation) {
  Machine machine;
  machine.board = find_emulated_board("stm32u585");
  machine.flash = "flash.bin";
  machine.nor = "nor.bin";
  machine.flash_count = "count";
  machine.cut = PowerCut{17, true};
  EXPECT_THAT(command_line(machine),
              testing::Contains("stm32u585,flash=flash.bin,nor=nor.bin,count-file=count,cut-at=17,cut-torn=on"));
}

TEST(QemuCommandLine, KeepsACommaInAPath) {
  Machine machine;
  machine.flash = "a,b/flash.bin";
  EXPECT_THAT(command_line(machine), testing::Contains(testing::HasSubstr("mem-path=a,,b/flash.bin")));
}

class QemuTest : public testing::Test {
 protected:
  tl::expected<void, std::string> start(const std::string& program) {
    Machine machine;
    machine.program = program;
    machine.qemu_log = test_.path() / "qemu.log";
    return qemu_.start(machine, [this](int status) { exit_ = describe_exit(status); });
  }

  std::string wait_for_exit() {
    context_.run_for(std::chrono::seconds(10));
    return exit_.value_or("it still runs");
  }

  TestFolder test_;
  boost::asio::io_context context_;
  Qemu qemu_{context_};
  std::optional<std::string> exit_;
};

TEST_F(QemuTest, SaysWhatToInstallWhenItCannotBeRun) {
  const auto started = start("/nowhere/qemu");
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error(),
            "cannot run /nowhere/qemu: No such file or directory; install it with apt-get install qemu-system-arm");
}

TEST_F(QemuTest, ReportsAnAbortAsALockupOfTheMicrovisor) {
  ASSERT_TRUE(start(test_.script("qemu", "kill -ABRT $$")).has_value());
  EXPECT_TRUE(wait_for_exit().starts_with("the microvisor is in lockup"));
  EXPECT_FALSE(qemu_.running());
}

TEST_F(QemuTest, CutsThePower) {
  ASSERT_TRUE(start(test_.script("qemu", "exec sleep 600")).has_value());
  EXPECT_TRUE(qemu_.running());
  EXPECT_FALSE(start("anything").has_value());
  qemu_.kill();
  EXPECT_EQ(wait_for_exit(), "power was cut");
}

TEST_F(QemuTest, LeavesNoProcessBehind) {
  pid_t pid = 0;
  {
    boost::asio::io_context context;
    Qemu qemu(context);
    Machine machine;
    machine.program = test_.script("qemu", "exec sleep 600");
    machine.qemu_log = test_.path() / "qemu.log";
    ASSERT_TRUE(qemu.start(machine, [](int) {}).has_value());
    pid = qemu.pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

}  // namespace
}  // namespace mv::emulator
