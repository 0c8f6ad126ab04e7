// A crash as GDB sees it: through a session on CrashTarget, and as a core file in the real GDB.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gdbserver/rsp/packet.h"
#include "gdbserver/session/session.h"
#include "gdbserver/target/crash.h"
#include "gdbserver/target/crash_target.h"

namespace mv::gdb {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint32_t kStack = 0x2827ff00;
constexpr std::uint32_t kFlash = 0x00100000;
constexpr std::uint32_t kPreciseBusFault = 1U << 9 | 1U << 15;

// r0 = 0x100, r1 = 0x101, ...; the stack holds 00 01 02 ...
Crash make_crash() {
  Crash crash;
  for (std::uint32_t i = 0; i < arm::kCoreCount; ++i) crash.registers.core[i] = 0x100 + i;
  crash.registers.core[arm::kSp] = kStack;
  crash.registers.core[arm::kPc] = kFlash + 2;
  crash.registers.has_system = false;
  crash.fault = {.cfsr = kPreciseBusFault, .bfar = 0x60000000};
  crash.reason = "the device's words";
  Crash::Memory stack{kStack, {}};
  for (int i = 0; i < 64; ++i) stack.bytes.push_back(static_cast<std::uint8_t>(i));
  crash.memory.push_back(std::move(stack));
  return crash;
}

// Runs what is posted when told to; no timer ever ends.
class Queue final : public Scheduler {
 public:
  std::unique_ptr<Timer> after(std::chrono::milliseconds, std::function<void()>) override {
    return std::make_unique<Timer>();
  }
  void post(std::function<void()> action) override { posted_.push_back(std::move(action)); }
  void run() {
    while (!posted_.empty()) {
      const auto action = std::move(posted_.front());
      posted_.pop_front();
      action();
    }
  }

 private:
  std::deque<std::function<void()>> posted_;
};

class CrashSessionTest : public testing::Test {
 protected:
  CrashSessionTest() {
    queue_.run();
    ask("QStartNoAckMode");
    ask("qSupported:error-message+");
  }

  static ElfImage image() {
    ElfImage image;
    image.path = "/somewhere/crasher.elf";
    image.read_only.push_back({.address = kFlash, .bytes = {0xde, 0xad, 0xbe, 0xef}, .gaps = {}});
    return image;
  }

  std::string ask(std::string_view payload) {
    sent_.clear();
    session_.receive(rsp::encode_packet(payload));
    queue_.run();
    std::string_view rest = sent_;
    rsp::PacketDecoder decoder;
    for (auto input = decoder.next(rest); input; input = decoder.next(rest))
      if (input->kind == rsp::Input::Kind::kPacket) return input->payload;
    return "no packet: " + sent_;
  }

  Queue queue_;
  CrashTarget target_{make_crash(), "crash 7 of porch", image(), queue_};
  std::string sent_;
  bool finished_ = false;
  Session session_{target_, queue_, Session::Role::kDriver, [this](std::string bytes) { sent_ += bytes; },
                   [this] { finished_ = true; }};
};

TEST_F(CrashSessionTest, StopsWithTheFaultsSignalAndTheRegistersOfTheRecord) {
  EXPECT_THAT(ask("?"), StartsWith("T0athread:1;00:00010000;01:01010000;"));  // SIGBUS
  EXPECT_EQ(ask("p0"), "00010000");
  EXPECT_EQ(ask("pf"), "02001000");
}

TEST_F(CrashSessionTest, WhatWasNotRecordedIsUnavailable) {
  EXPECT_EQ(ask("p11"), std::string(16, 'x')) << "d0";
  EXPECT_EQ(ask("p22"), "xxxxxxxx") << "msp";
}

TEST_F(CrashSessionTest, SystemRegistersAreNotEvenDescribed) {
  EXPECT_EQ(ask("qXfer:features:read:target.xml:0,ffff").find("m-system"), std::string::npos);
  EXPECT_EQ(ask("g").size(), 2 * (4 * 17 + 8 * 16 + 4)) << "r0 to xpsr, d0 to d15, fpscr";
}

TEST_F(CrashSessionTest, ReadsTheStackFromTheRecordAndFlashFromTheElf) {
  EXPECT_EQ(ask("m2827ff04,4"), "04050607");
  EXPECT_EQ(ask("m100001,2"), "adbe");
}

TEST_F(CrashSessionTest, ReadsAsFarAsItKnows) {
  EXPECT_EQ(ask("m2827ff3c,10"), "3c3d3e3f");
  EXPECT_EQ(ask("m100002,ffff"), "beef");
  EXPECT_EQ(ask("qCRC:100002,8"), "E0e") << "no checksum of a part";
}

TEST_F(CrashSessionTest, SaysWhatIsKnownWhereItKnowsNothing) {
  for (const char* packet : {"m2827ff40,4", "m2827feff,4", "m100004,4", "m0,4", "mfffffffc,4"})
    EXPECT_THAT(ask(packet), HasSubstr("was not recorded with the crash; known: 64 bytes of stack from 0x2827ff00 on"));
}

TEST_F(CrashSessionTest, RefusesWhatWouldChangeOrRunItWithASentence) {
  for (const char* packet : {"c", "s", "vCont;c", "vCont;r100000,100002", "M2827ff00,1:00", "P0=00000000",
                             "Z0,100000,2", "Z1,100000,2", "Z2,2827ff00,4"})
    EXPECT_THAT(ask(packet), HasSubstr("nothing can run or be changed")) << packet;
  EXPECT_EQ(ask("m2827ff00,1"), "00");
}

TEST_F(CrashSessionTest, LetsGo) {
  EXPECT_EQ(ask("D"), "OK");
  EXPECT_TRUE(finished_);
}

TEST(DescribeCrash, TakesTheDevicesWordsWhereThereWasNoFault) {
  Crash crash = make_crash();
  EXPECT_EQ(describe_crash(crash), "bus fault: access to 0x60000000, precise");
  crash.fault = {};
  EXPECT_EQ(describe_crash(crash), "the device's words");
}

class CoreFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "core-file-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string core() const { return (folder_ / "core").string(); }

  // What GDB prints upon `commands` with the core file open.
  std::string gdb(const std::vector<std::string>& commands) const {
    std::string line = "gdb-multiarch -nx -batch -ex 'set style enabled off' -core " + core();
    for (const std::string& command : commands) line += " -ex '" + command + "'";
    FILE* pipe = ::popen((line + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return "gdb-multiarch cannot be started";
    std::string text;
    std::array<char, 4096> piece{};
    while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), pipe)) text.append(piece.data(), count);
    ::pclose(pipe);
    return text;
  }

  std::string contents() const {
    std::ifstream file(core(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static Result<Crash> parse(const std::string& file) {
    return parse_core_file({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()});
  }

  std::filesystem::path folder_;
};

TEST_F(CoreFileTest, GdbReadsEveryRegisterAndTheSignal) {
  ASSERT_TRUE(write_core_file(make_crash(), core()));
  const std::string text = gdb({"printf \"%x %x %x %x %x\\n\", $r0, $r12, $sp, $lr, $pc", "info registers r7"});
  EXPECT_THAT(text, HasSubstr("100 10c 2827ff00 10e 100002")) << text;
  EXPECT_THAT(text, testing::ContainsRegex("r7 +0x107")) << text;
  EXPECT_THAT(text, HasSubstr("SIGBUS")) << text;
}

TEST_F(CoreFileTest, ABreakpointOfTheApplicationsOwnIsATrap) {
  Crash crash = make_crash();
  crash.fault = {};
  ASSERT_TRUE(write_core_file(crash, core()));
  EXPECT_THAT(gdb({}), HasSubstr("SIGTRAP"));
}

TEST_F(CoreFileTest, GdbReadsEachPieceOfMemoryAndNothingBesides) {
  Crash crash = make_crash();
  crash.memory.push_back({0x28200010, {0xaa, 0xbb, 0xcc}});  // no whole word
  ASSERT_TRUE(write_core_file(crash, core()));
  EXPECT_THAT(gdb({"x/4xb 0x2827ff3c"}), HasSubstr("0x3c\t0x3d\t0x3e\t0x3f"));
  EXPECT_THAT(gdb({"x/3xb 0x28200010"}), HasSubstr("0xaa\t0xbb\t0xcc"));
  EXPECT_THAT(gdb({"x/1xb 0x28200013"}), HasSubstr("Cannot access memory"));
  EXPECT_THAT(gdb({"x/1xb 0x2827ff40"}), HasSubstr("Cannot access memory"));
}

TEST_F(CoreFileTest, WithoutMemoryThereAreRegisters) {
  Crash crash = make_crash();
  crash.memory.clear();
  ASSERT_TRUE(write_core_file(crash, core()));
  EXPECT_THAT(gdb({"print/x $r3"}), HasSubstr("0x103"));
}

TEST_F(CoreFileTest, ComesBackAsItWasWritten) {
  Crash crash = make_crash();
  crash.fault.access = {.address = 0x60000000, .size = 4, .writes = true};
  crash.registers.core[16] = 1U << 24 | 6;
  crash.registers.has_system = true;
  crash.registers.system = {1, 2, 3, 4, 5, 6, 7, 8};
  crash.memory.push_back({0x28200010, {0xaa, 0xbb, 0xcc}});
  ASSERT_TRUE(write_core_file(crash, core()));
  const auto read = load_core_file(core());
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->registers, crash.registers);
  EXPECT_EQ(describe_crash(*read), "bus fault: write to 0x60000000, precise, escalated in the UsageFault handler");
  EXPECT_EQ(read->reason, "the device's words");
  EXPECT_EQ(read->stack_pieces, 1u);
  ASSERT_EQ(read->memory.size(), 2u);
  EXPECT_EQ(read->memory[1].address, 0x28200010u);
  EXPECT_EQ(read->memory[1].bytes, crash.memory[1].bytes);
}

TEST_F(CoreFileTest, WithoutOurNoteThereAreRegistersMemoryAndTheSignal) {
  ASSERT_TRUE(write_core_file(make_crash(), core()));
  std::string file = contents();
  const auto owner = file.find("Microvisor");
  ASSERT_NE(owner, std::string::npos);
  file[owner] = 'm';
  const auto read = parse(file);
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->registers.core[12], 0x10cu);
  EXPECT_FALSE(read->registers.has_system);
  EXPECT_EQ(describe_crash(*read), "signal 7") << "SIGBUS of this machine";
}

TEST_F(CoreFileTest, WhatIsCutShortOrNoCoreFileIsRefusedWithASentence) {
  ASSERT_TRUE(write_core_file(make_crash(), core()));
  const std::string file = contents();
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{51}, std::size_t{100}, std::size_t{200}})
    EXPECT_FALSE(parse(file.substr(0, size))) << size;
  std::string executable = file;
  executable[16] = 2;  // e_type: ET_EXEC
  EXPECT_THAT(parse(executable).error().text, HasSubstr("is not the core file of"));
  EXPECT_THAT(load_core_file((folder_ / "none").string()).error().text, HasSubstr("cannot be opened"));
}

TEST_F(CoreFileTest, SaysWhereItCannotBeWritten) {
  const auto written = write_core_file(make_crash(), (folder_ / "none/core").string());
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().text, HasSubstr("none/core cannot be written: No such file"));
}

}  // namespace
}  // namespace mv::gdb
