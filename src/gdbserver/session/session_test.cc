#include "gdbserver/session/session.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <optional>

#include "gdbserver/rsp/hex.h"
#include "gdbserver/rsp/reply.h"
#include "gdbserver/rtos/kernels_fixture.h"
#include "gdbserver/target/manual_time.h"

namespace mv::gdb {
namespace {

// A target whose answers the test gives, or that answers at once.
class FakeTarget final : public Target {
 public:
  void attach(Handler<Stop> handler) override { attach_handler = std::move(handler); }
  void detach(Handler<void> handler) override {
    ++detached;
    handler({});
  }
  const std::vector<Region>& regions() const override { return regions_; }
  void read(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) override {
    if (hold_reads) {
      read_handler = std::move(handler);
      return;
    }
    if (address < 0x20000000) return handler(failure(ErrorCode::kBadAddress, "nothing there"));
    handler(memory_at(address, length));
  }
  // Each byte is its address's last byte, where a test has not put anything else.
  Bytes memory_at(std::uint32_t address, std::uint32_t length) const {
    Bytes bytes(length);
    std::iota(bytes.begin(), bytes.end(), static_cast<std::uint8_t>(address));
    for (std::uint32_t i = 0; i < length; ++i)
      if (const auto put = memory.find(address + i); put != memory.end()) bytes[i] = put->second;
    return bytes;
  }
  void gather(std::vector<MemoryCache::Span> pieces, Handler<std::vector<Bytes>> handler) override {
    ++gathers;
    std::vector<Bytes> out;
    for (const auto& [address, length] : pieces) out.push_back(memory_at(address, length));
    handler(out);
  }
  void expect(std::vector<MemoryCache::Span> pieces) override { expected = std::move(pieces); }
  std::shared_ptr<const rtos::System> rtos() const override { return system; }
  void peek(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) override {
    ++peeks;
    read(address, length, std::move(handler));
  }
  Stop last_stop() const override { return last; }
  void write(std::uint32_t address, Bytes bytes, Handler<void> handler) override {
    written[address] = std::move(bytes);
    handler({});
  }
  void write_registers(const arm::RegisterFile& registers, Handler<void> handler) override {
    written_registers = registers;
    handler({});
  }
  void resume(const ResumePlan& plan, Handler<Stop> handler) override {
    plans.push_back(plan);
    resume_handler = std::move(handler);
  }
  void interrupt() override { ++interrupts; }
  void reset(Handler<Stop> handler) override {
    Stop stop;
    stop.reason = StopReason::kReset;
    handler(stop);
  }
  void load(FlashContent content, Handler<Loaded> handler) override {
    loads.push_back(std::move(content));
    load_handler = std::move(handler);
  }
  Result<void> insert_breakpoint(std::uint32_t address, const BreakpointProgram& program) override {
    if (breakpoints.size() == 2) return failure(ErrorCode::kNoBreakpointFree, "all 2 breakpoints are in use");
    breakpoints.insert(address);
    programs[address] = program;
    return {};
  }
  void remove_breakpoint(std::uint32_t address) override { breakpoints.erase(address); }
  std::string elf_path() const override { return elf; }
  Result<void> insert_watchpoint(const Watchpoint& watchpoint) override {
    if (watchpoint.length > 8) return failure(ErrorCode::kUnsupported, "too long");
    watchpoints.insert(watchpoint);
    return {};
  }
  void remove_watchpoint(const Watchpoint& watchpoint) override { watchpoints.erase(watchpoint); }
  std::string watch_help() const override { return "by magic\n"; }
  ProgramLimits program_limits() const override { return limits; }
  WatchSupport watch_support() const override { return {4, stops_before}; }
  std::string status() const override { return "fine\n"; }
  void on_notice(std::function<void(const std::string&)> handler) override { notice = std::move(handler); }
  void on_console(std::function<void(const std::string&)> handler) override { console = std::move(handler); }

  Handler<Stop> attach_handler, resume_handler;
  std::vector<FlashContent> loads;
  Handler<Loaded> load_handler;
  Handler<Bytes> read_handler;
  bool hold_reads = false;
  bool stops_before = true;
  std::string elf;
  int detached = 0, interrupts = 0, peeks = 0, gathers = 0;
  std::map<std::uint32_t, std::uint8_t> memory;
  std::vector<MemoryCache::Span> expected;
  std::shared_ptr<const rtos::System> system;
  Stop last;
  std::map<std::uint32_t, Bytes> written;
  std::optional<arm::RegisterFile> written_registers;
  std::vector<ResumePlan> plans;
  std::set<std::uint32_t> breakpoints;
  std::set<Watchpoint> watchpoints;
  std::map<std::uint32_t, BreakpointProgram> programs;
  ProgramLimits limits;
  std::function<void(const std::string&)> notice;
  std::function<void(const std::string&)> console;

 private:
  std::vector<Region> regions_ = {{0x00100000, 0x100000, MemoryKind::kFlash}, {0x20000000, 0x8000, MemoryKind::kRam}};
};

class SessionTest : public testing::Test {
 protected:
  // Connected, halted, in no-ack mode.
  void start() {
    Stop stop;
    stop.registers.core[arm::kPc] = 0x00100040;
    target_.attach_handler(stop);
    EXPECT_EQ(ask("QStartNoAckMode"), "+$OK#9a");
  }

  // What the session sends for these raw bytes.
  std::string give(std::string_view bytes) {
    sent_.clear();
    session_.receive(bytes);
    return sent_;
  }
  std::string ask(std::string_view payload) { return give(rsp::encode_packet(payload)); }

  // The payload of the one packet that answers.
  std::string reply(std::string_view payload) {
    const std::string bytes = ask(payload);
    std::string_view rest = bytes;
    rsp::PacketDecoder decoder;
    const auto found = decoder.next(rest);
    EXPECT_TRUE(found && rest.empty()) << bytes;
    return found ? found->payload : "";
  }

  // What is sent when the application stops.
  std::string stop_with(StopReason reason, std::uint32_t pc) {
    Stop stop;
    stop.reason = reason;
    stop.registers.core[arm::kPc] = pc;
    sent_.clear();
    target_.resume_handler(stop);
    return sent_;
  }

  ManualTime time_;
  FakeTarget target_;
  std::string sent_;
  int finished_ = 0;
  Session session_{target_, time_, Session::Role::kDriver, [this](std::string bytes) { sent_ += bytes; },
                   [this] { ++finished_; }};
};

TEST_F(SessionTest, HoldsTheFirstPacketUntilTheDeviceIsHaltedAndKeepsGdbPatient) {
  EXPECT_EQ(ask("?"), "+");
  sent_.clear();
  time_.pass(std::chrono::milliseconds(2100));
  EXPECT_EQ(sent_, "%mv-alive:0#8b%mv-alive:0#8b");
  sent_.clear();
  target_.attach_handler(Stop{});
  EXPECT_TRUE(sent_.starts_with("$T05thread:1;00:00000000;")) << sent_;
}

TEST_F(SessionTest, SaysWhyThereIsNoTarget) {
  target_.attach_handler(failure(ErrorCode::kBusy, "another debugger is attached"));
  EXPECT_EQ(ask("QStartNoAckMode"), "+$OK#9a");
  EXPECT_EQ(reply("?"), "E.another debugger is attached");
  EXPECT_EQ(reply("D"), "OK");
  EXPECT_EQ(finished_, 1);
  EXPECT_EQ(target_.detached, 0);
}

TEST_F(SessionTest, AnnouncesBreakpointReasonsOnlyToClientsThatKnowThem) {
  start();
  const auto plain = reply("qSupported:multiprocess+");
  EXPECT_NE(plain.find("PacketSize=4000"), std::string::npos);
  EXPECT_NE(plain.find("qXfer:memory-map:read+"), std::string::npos);
  EXPECT_EQ(plain.find("swbreak+"), std::string::npos);
  EXPECT_NE(reply("qSupported:swbreak+;hwbreak+").find("swbreak+;hwbreak+"), std::string::npos);
}

TEST_F(SessionTest, IgnoresNaksInNoAckMode) {
  start();
  EXPECT_EQ(give("---"), "");
}

TEST_F(SessionTest, ResendsThePacketWhileAcksAreUsed) {
  target_.attach_handler(Stop{});
  EXPECT_EQ(ask("qAttached"), "+$1#31");
  EXPECT_EQ(give("-"), "$1#31");
}

TEST_F(SessionTest, ReadsMemoryInHexAndBinary) {
  start();
  EXPECT_EQ(reply("m20000001,3"), "010203");
  EXPECT_EQ(reply("x20000001,3"), "b\x01\x02\x03");
  EXPECT_EQ(reply("m0,4"), "E0e");
}

TEST_F(SessionTest, GivesTextsForMemoryErrorsToThoseWhoTakeThem) {
  start();
  reply("qSupported:error-message+");
  EXPECT_EQ(reply("m0,4"), "E.nothing there");
}

TEST_F(SessionTest, WritesMemoryAndAnswersTheProbeForBinaryWrites) {
  start();
  EXPECT_EQ(reply("X20000000,0:"), "OK");
  EXPECT_TRUE(target_.written.empty());
  EXPECT_EQ(reply("M20000000,2:abcd"), "OK");
  EXPECT_EQ(target_.written.at(0x20000000), (Bytes{0xab, 0xcd}));
}

TEST_F(SessionTest, LoadsWhatWasWrittenIntoFlashAsOne) {
  start();
  EXPECT_EQ(reply("vFlashErase:100000,4000"), "OK");
  EXPECT_EQ(reply("vFlashWrite:100000:abc"), "OK");
  EXPECT_EQ(reply("vFlashWrite:100003:de"), "OK");
  EXPECT_TRUE(target_.loads.empty());
  EXPECT_EQ(ask("vFlashDone"), "");
  ASSERT_EQ(target_.loads.size(), 1U);
  ASSERT_EQ(target_.loads[0].size(), 1U);
  EXPECT_EQ(target_.loads[0][0].bytes, (Bytes{'a', 'b', 'c', 'd', 'e'}));
  Loaded loaded{{}, "5 bytes were sent"};
  loaded.stop.registers.core[arm::kPc] = 0x00100200;
  sent_.clear();
  target_.load_handler(loaded);
  EXPECT_EQ(sent_, rsp::encode_packet("OK"));
  EXPECT_TRUE(target_.written.empty());
  EXPECT_EQ(reply("pf"), "00021000");
  // What was done is told when the client listens.
  EXPECT_EQ(ask("vCont;c"), rsp::encode_packet(rsp::console("[mvctl] load: 5 bytes were sent\n")));
}

TEST_F(SessionTest, KeepsGdbPatientForAsLongAsALoadTakes) {
  start();
  reply("vFlashErase:100000,4000");
  reply("vFlashWrite:100000:abc");
  ask("vFlashDone");
  sent_.clear();
  for (int i = 0; i < 600; ++i) time_.pass(std::chrono::seconds(1));
  std::string alive;
  for (int i = 0; i < 600; ++i) alive += "%mv-alive:0#8b";
  EXPECT_EQ(sent_, alive);
  for (int i = 0; i < 300; ++i) time_.pass(std::chrono::seconds(1));
  EXPECT_TRUE(sent_.ends_with(rsp::encode_packet("E.the device did not answer within 900 s: try again")));
}

TEST_F(SessionTest, SaysWhyALoadFailedAlsoWhenTheClientListens) {
  start();
  reply("vFlashErase:100000,4000");
  reply("vFlashWrite:100000:abc");
  ask("vFlashDone");
  sent_.clear();
  target_.load_handler(failure(ErrorCode::kRefused, "no key signs"));
  EXPECT_EQ(sent_, rsp::encode_packet("E.no key signs"));
  EXPECT_TRUE(ask("qRcmd," + rsp::to_hex(std::string_view("status")))
                  .starts_with(rsp::encode_packet(rsp::console("[mvctl] load failed: no key signs\n"))));
  EXPECT_EQ(reply("qAttached"), "1");
}

TEST_F(SessionTest, TakesNoFlashThatIsNotThereOrWasNotErased) {
  start();
  EXPECT_EQ(reply("vFlashDone"), "E.nothing was written into flash");
  EXPECT_EQ(reply("vFlashWrite:100000:abc"), "E.flash was not erased before it is written");
  EXPECT_TRUE(reply("vFlashErase:20000000,2000").starts_with("E.0x20000000 "));
  EXPECT_TRUE(reply("vFlashErase:1ff000,2000").starts_with("E.0x001ff000 "));
  EXPECT_EQ(reply("vFlashErase:100000,2000"), "OK");
  EXPECT_EQ(reply("vFlashWrite:101fff:ab"), "E.0x00101fff was not erased before it is written");
  EXPECT_EQ(reply("vFlashDone"), "E.nothing was written into flash");
  EXPECT_TRUE(target_.loads.empty());
}

TEST_F(SessionTest, KeepsWatchpointsAndNamesTheOneThatWasHit) {
  start();
  EXPECT_EQ(reply("Z2,20000010,4"), "OK");
  EXPECT_EQ(reply("Z3,20000010,2"), "OK");
  EXPECT_EQ(reply("Z4,20000010,1"), "OK");
  EXPECT_EQ(target_.watchpoints.size(), 3U);
  EXPECT_EQ(reply("z3,20000010,2"), "OK");
  EXPECT_EQ(target_.watchpoints,
            (std::set<Watchpoint>{{0x20000010, 4, WatchKind::kWrite}, {0x20000010, 1, WatchKind::kAccess}}));
  EXPECT_EQ(reply("Z2,20000010,9"), "E.too long");
  for (const auto& [kind, name] :
       {std::pair(WatchKind::kWrite, "watch:20000012;"), std::pair(WatchKind::kRead, "rwatch:20000012;"),
        std::pair(WatchKind::kAccess, "awatch:20000012;")}) {
    give(rsp::encode_packet("vCont;c"));
    Stop stop;
    stop.reason = StopReason::kWatchpoint;
    stop.watch = WatchHit{0x20000012, kind};
    sent_.clear();
    target_.resume_handler(stop);
    EXPECT_TRUE(sent_.starts_with(std::string("$T05thread:1;") + name)) << sent_;
  }
}

TEST_F(SessionTest, GivesFaultsToTheApplicationsOwnHandlerWhenAskedTo) {
  start();
  give(rsp::encode_packet("vCont;c"));
  stop_with(StopReason::kFault, 0x00100042);
  reply("qRcmd," + rsp::to_hex(std::string_view("faults reflect")));
  give(rsp::encode_packet("vCont;c"));
  stop_with(StopReason::kBreakpoint, 0x00100044);
  reply("qRcmd," + rsp::to_hex(std::string_view("faults stop")));
  give(rsp::encode_packet("vCont;c"));
  ASSERT_EQ(target_.plans.size(), 3U);
  EXPECT_FALSE(target_.plans[0].reflect_faults);
  EXPECT_TRUE(target_.plans[1].reflect_faults);
  EXPECT_FALSE(target_.plans[2].reflect_faults);
}

TEST_F(SessionTest, StepsWithInterruptsWhenAskedTo) {
  start();
  give(rsp::encode_packet("vCont;s:1"));
  stop_with(StopReason::kStep, 0x00100042);
  reply("qRcmd," + rsp::to_hex(std::string_view("step-interrupts  on")));
  give(rsp::encode_packet("vCont;s:1"));
  stop_with(StopReason::kStep, 0x00100044);
  reply("qRcmd," + rsp::to_hex(std::string_view("step-interrupts off")));
  give(rsp::encode_packet("vCont;s:1"));
  ASSERT_EQ(target_.plans.size(), 3U);
  EXPECT_FALSE(target_.plans[0].step_interrupts);
  EXPECT_TRUE(target_.plans[1].step_interrupts);
  EXPECT_FALSE(target_.plans[2].step_interrupts);
}

TEST_F(SessionTest, StepsThroughARangeOnTheDevice) {
  start();
  EXPECT_EQ(ask("vCont;r100040,100050:1;c"), "");
  ASSERT_EQ(target_.plans.size(), 1U);
  EXPECT_EQ(target_.plans[0].mode, ResumePlan::Mode::kStepRange);
  EXPECT_EQ(target_.plans[0].start, 0x100040U);
  EXPECT_EQ(target_.plans[0].end, 0x100050U);
  const auto sent = stop_with(StopReason::kStep, 0x100050);
  EXPECT_NE(sent.find("T05thread:1;"), std::string::npos);
  EXPECT_NE(sent.find("0f:50001000;"), std::string::npos);
}

TEST_F(SessionTest, NamesTheKindOfBreakpointThatWasHit) {
  start();
  reply("qSupported:swbreak+;hwbreak+");
  EXPECT_EQ(reply("Z1,100040,2"), "OK");
  EXPECT_EQ(reply("Z0,100050,2"), "OK");
  ask("vCont;c");
  EXPECT_NE(stop_with(StopReason::kBreakpoint, 0x100040).find("hwbreak:;"), std::string::npos);
  ask("vCont;c");
  EXPECT_NE(stop_with(StopReason::kBreakpoint, 0x100050).find("swbreak:;"), std::string::npos);
}

TEST_F(SessionTest, RefusesABreakpointTooManyWithASentence) {
  start();
  EXPECT_EQ(reply("Z1,100040,2"), "OK");
  EXPECT_EQ(reply("Z1,100050,2"), "OK");
  EXPECT_EQ(reply("Z1,100060,2"), "E.all 2 breakpoints are in use");
  EXPECT_EQ(reply("z1,100040,2"), "OK");
  EXPECT_EQ(reply("Z1,100060,2"), "OK");
}

TEST_F(SessionTest, PassesCtrlCOnWhileTheApplicationRuns) {
  start();
  ask("vCont;c");
  EXPECT_EQ(give("\x03"), "");
  EXPECT_EQ(target_.interrupts, 1);
  EXPECT_NE(stop_with(StopReason::kInterrupt, 0x100040).find("$T02"), std::string::npos);
}

// GDB manual, "Interrupts". GDB's `next` over calls resumes many times; Ctrl-C may come between two of them.
TEST_F(SessionTest, KeepsACtrlCThatComesBetweenTwoResumesForTheNext) {
  start();
  EXPECT_EQ(give("\x03"), "");
  EXPECT_EQ(target_.interrupts, 0);
  EXPECT_TRUE(reply("vCont;c").starts_with("T02thread:1;"));
  EXPECT_TRUE(target_.plans.empty());
  ask("vCont;c");
  EXPECT_EQ(target_.plans.size(), 1U);
}

TEST_F(SessionTest, ForgetsACtrlCFromBeforeTheRestart) {
  start();
  give("\x03");
  ask("qRcmd,7265736574");
  ask("vCont;c");
  EXPECT_EQ(target_.plans.size(), 1U);
}

TEST_F(SessionTest, IgnoresLldbsInterruptOfWhatHasStoppedMeanwhile) {
  start();
  reply("QThreadSuffixSupported");
  give("\x03");
  ask("vCont;c");
  EXPECT_EQ(target_.plans.size(), 1U);
}

TEST_F(SessionTest, ExplainsAFaultOnTheConsoleAndWithItsSignal) {
  start();
  ask("vCont;c");
  Stop stop;
  stop.reason = StopReason::kFault;
  stop.fault = fault::Fault{.cfsr = 0x8200, .bfar = 0x40004400, .access = {0x40004400, 4, true}};
  stop.registers.core[arm::kPc] = 0x100042;
  sent_.clear();
  target_.resume_handler(stop);
  const auto text = rsp::to_hex(std::string_view("bus fault: write to 0x40004400, precise, from 0x00100042"));
  EXPECT_NE(sent_.find(text), std::string::npos);
  EXPECT_NE(sent_.find("$T0a"), std::string::npos);
}

TEST_F(SessionTest, TellsOfALostLinkOnlyWhileGdbWaitsForAStop) {
  start();
  sent_.clear();
  target_.notice("link lost");
  EXPECT_EQ(sent_, "");
  ask("vCont;c");
  target_.notice("link lost");
  EXPECT_TRUE(sent_.starts_with("$O")) << sent_;
}

TEST_F(SessionTest, AnnouncesConditionsAndCommandsIfTheDeviceTakesThem) {
  start();
  EXPECT_EQ(reply("qSupported").find("ConditionalBreakpoints+"), std::string::npos);
  target_.limits = {16, 1024};
  const auto features = reply("qSupported");
  EXPECT_NE(features.find(";ConditionalBreakpoints+;BreakpointCommands+"), std::string::npos);
}

TEST_F(SessionTest, PassesConditionsAndCommandsOnAndReplacesThem) {
  start();
  EXPECT_EQ(reply("Z0,100100,2;X3,220127;cmds:1,X1,27"), "OK");
  EXPECT_EQ(target_.programs[0x100100], (BreakpointProgram{{{0x22, 1, 0x27}}, {{0x27}}}));
  EXPECT_EQ(reply("Z1,100100,2"), "OK");
  EXPECT_EQ(target_.programs[0x100100], BreakpointProgram{});
}

TEST_F(SessionTest, ShowsWhatTheDevicePrintsWhileGdbWaits) {
  start();
  target_.console("nobody waits\n");
  ask("vCont;c");
  sent_.clear();
  target_.console("r0=1\n");
  EXPECT_EQ(sent_, rsp::encode_packet("O" + rsp::to_hex(std::string_view("r0=1\n"))));
}

TEST_F(SessionTest, LeavesOutConsoleTextThatAClientDoesNotRead) {
  std::size_t backlog = 1U << 20;
  session_.watch_backlog([&] { return backlog; });
  start();
  ask("vCont;c");
  sent_.clear();
  target_.console("one\n");
  target_.console("two\n");
  EXPECT_EQ(sent_, "");
  backlog = 0;
  target_.console("three\n");
  const std::string missing = "[mvctl] 2 pieces of output are missing here: they were not read\n";
  EXPECT_EQ(sent_, rsp::encode_packet("O" + rsp::to_hex(std::string_view(missing))) +
                       rsp::encode_packet("O" + rsp::to_hex(std::string_view("three\n"))));
}

TEST_F(SessionTest, GivesUpAReadAfterTwentySecondsAndDropsTheLateAnswer) {
  start();
  target_.hold_reads = true;
  ask("m20000000,4");
  sent_.clear();
  time_.pass(std::chrono::seconds(20));
  EXPECT_NE(sent_.find("$E.the device did not answer"), std::string::npos) << sent_;
  sent_.clear();
  target_.read_handler(Bytes{1, 2, 3, 4});
  EXPECT_EQ(sent_, "");
}

TEST_F(SessionTest, WaitsWithPacketsThatComeBeforeTheirTurn) {
  start();
  target_.hold_reads = true;
  EXPECT_EQ(give(rsp::encode_packet("m20000000,4") + rsp::encode_packet("qC")), "");
  target_.read_handler(Bytes{1, 2, 3, 4});
  EXPECT_EQ(sent_, rsp::encode_packet("01020304") + rsp::encode_packet("QC1"));
}

TEST_F(SessionTest, EndsAClientThatFloodsIt) {
  start();
  target_.hold_reads = true;
  for (int i = 0; i < 100; ++i) ask("m20000000,4");
  EXPECT_EQ(finished_, 1);
  EXPECT_EQ(target_.detached, 1);
}

TEST_F(SessionTest, DetachKillAndALostClientLetTheApplicationRun) {
  start();
  EXPECT_EQ(reply("D"), "OK");
  EXPECT_EQ(target_.detached, 1);
  EXPECT_EQ(finished_, 1);
  session_.end();
  EXPECT_EQ(target_.detached, 1);
}

TEST_F(SessionTest, LeavesWhileTheApplicationRuns) {
  start();
  ask("vCont;c");
  session_.end();
  EXPECT_EQ(target_.detached, 1);
  EXPECT_EQ(finished_, 1);
}

TEST_F(SessionTest, WritesARegisterOnceTheDeviceHasIt) {
  start();
  EXPECT_EQ(reply("P0=78563412"), "OK");
  EXPECT_EQ(target_.written_registers->core[0], 0x12345678U);
  EXPECT_EQ(reply("p0"), "78563412");
  EXPECT_EQ(reply("p11"), "xxxxxxxxxxxxxxxx");  // no floating-point state
  EXPECT_EQ(reply("P11=0000000000000000"), "E16");
  EXPECT_EQ(reply("pff"), "E16");
}

TEST_F(SessionTest, WritesTheStackPointerUnderBothItsNames) {
  start();
  EXPECT_EQ(reply("Pd=00100020"), "OK");
  EXPECT_EQ(target_.written_registers->system[0], 0x20001000U);
  EXPECT_EQ(reply("P22=00200020"), "OK");  // msp
  EXPECT_EQ(target_.written_registers->core[arm::kSp], 0x20002000U);
  EXPECT_EQ(reply("P23=00300020"), "OK");  // psp, which is not in use
  EXPECT_EQ(target_.written_registers->core[arm::kSp], 0x20002000U);
}

TEST_F(SessionTest, TellsOfTheProgramsEndWithItsStatus) {
  start();
  ask("vCont;c");
  Stop stop;
  stop.reason = StopReason::kExited;
  stop.exit_status = 0x2A;
  sent_.clear();
  target_.resume_handler(stop);
  EXPECT_EQ(sent_, rsp::encode_packet("W2a"));
}

TEST_F(SessionTest, LetsInWhoComesWhenTheProgramEnds) {
  Stop stop;
  stop.reason = StopReason::kExited;
  stop.registers.core[arm::kPc] = 0x00100040;
  target_.attach_handler(stop);
  give(rsp::encode_packet("QStartNoAckMode"));
  EXPECT_TRUE(reply("?").starts_with("T05thread:1;"));
}

// "reset" in hex; GDB 13 would take E.text for the hex of the command's output.
TEST_F(SessionTest, SaysWhyAMonitorCommandFailedAsOutputAndANumber) {
  target_.attach_handler(failure(ErrorCode::kBusy, "another debugger is attached"));
  give(rsp::encode_packet("QStartNoAckMode"));
  EXPECT_EQ(ask("qRcmd,7265736574"),
            rsp::encode_packet(rsp::console("another debugger is attached\n")) + rsp::encode_packet("E16"));
}

TEST_F(SessionTest, RestartsForExtendedRemote) {
  start();
  EXPECT_EQ(reply("!"), "OK");
  EXPECT_TRUE(reply("vRun;").starts_with("T05"));
}

TEST_F(SessionTest, AnswersWhatItDoesNotKnowWithNothing) {
  start();
  for (const auto* unknown : {"vMustReplyEmpty", "jThreadsInfo", "qTStatus", "Z5,20000000,4", "bs", ""})
    EXPECT_EQ(reply(unknown), "") << unknown;
}

TEST_F(SessionTest, SendsLldbNoNotificationsAndNoBinaryReads) {
  start();
  EXPECT_EQ(reply("QThreadSuffixSupported"), "");
  EXPECT_EQ(reply("x0,0"), "");
  target_.hold_reads = true;
  ask("m20000000,4");
  sent_.clear();
  time_.pass(std::chrono::seconds(3));
  EXPECT_EQ(sent_, "");
}

TEST_F(SessionTest, TellsLldbWhenWatchpointsStop) {
  start();
  EXPECT_EQ(reply("qWatchpointSupportInfo:"), "num:4;");
  EXPECT_EQ(reply("qHostInfo"), "endian:little;ptrsize:4;watchpoint_exceptions_received:before;");
  target_.stops_before = false;
  EXPECT_EQ(reply("qHostInfo"), "endian:little;ptrsize:4;watchpoint_exceptions_received:after;");
}

TEST_F(SessionTest, TellsLldbOfAnUnavailableRegisterByAnError) {
  start();
  EXPECT_EQ(reply("p11"), "xxxxxxxxxxxxxxxx");
  EXPECT_EQ(reply("QThreadSuffixSupported"), "");
  EXPECT_TRUE(reply("p11").starts_with('E'));
  EXPECT_EQ(reply("pf"), "40001000");
}

TEST_F(SessionTest, DescribesFlashAndRam) {
  start();
  const auto map = reply("qXfer:memory-map:read::0,3000");
  EXPECT_NE(map.find("type=\"flash\" start=\"0x100000\" length=\"0x100000\""), std::string::npos);
  EXPECT_NE(map.find("type=\"ram\" start=\"0x20000000\" length=\"0x8000\""), std::string::npos);
  EXPECT_EQ(map.front(), 'l');
}

// The fake's memory at an address A reads A, A+1, A+2 and so on, as bytes.
TEST_F(SessionTest, SearchesMemoryAlsoAcrossThePiecesItReads) {
  start();
  EXPECT_EQ(reply(std::string("qSearch:memory:20000000;10000;") + std::string("\x10\x11\x12", 3)), "1,20000010");
  EXPECT_EQ(reply("qSearch:memory:20000000;10000;ba"), "0");
  // Pieces end at 0x1ff8, so this one lies across the first seam.
  EXPECT_EQ(reply("qSearch:memory:200001f7;10000;" + std::string("\xf7\xf8", 2)), "1,200001f7");
  EXPECT_EQ(reply("qSearch:memory:10;20;a"), "E0e");
  EXPECT_EQ(reply("qSearch:memory:10;20;"), "E16");
}

class SessionWithElfTest : public SessionTest {
 protected:
  SessionWithElfTest() {
    std::ofstream(path_) << "the program";
    target_.elf = path_;
    session_.emplace(
        target_, time_, Session::Role::kDriver, [this](std::string bytes) { sent_ += bytes; }, [] {});
  }
  ~SessionWithElfTest() override { std::filesystem::remove(path_); }

  std::string ask_elf(std::string_view payload) {
    sent_.clear();
    session_->receive(rsp::encode_packet(payload));
    std::string_view rest = sent_;
    rsp::PacketDecoder decoder;
    while (auto input = decoder.next(rest))
      if (input->kind == rsp::Input::Kind::kPacket) return input->payload;
    return "";
  }

  const std::string path_ = testing::TempDir() + "session_test.elf";
  std::optional<Session> session_;
};

TEST_F(SessionWithElfTest, HandsItsElfAndNoOtherFileToAClientThatHasNone) {
  target_.attach_handler(Stop{});
  EXPECT_NE(ask_elf("qSupported").find(";qXfer:exec-file:read+"), std::string::npos);
  EXPECT_EQ(ask_elf("qXfer:exec-file:read::0,fff"), "l" + path_);
  EXPECT_EQ(ask_elf("vFile:setfs:0"), "F0");
  const auto open = [&](const std::string& name, const char* flags) {
    return ask_elf("vFile:open:" + rsp::to_hex(std::string_view(name)) + "," + flags + ",0");
  };
  EXPECT_EQ(ask_elf("vFile:pread:3,10,0"), "F-1,9");
  EXPECT_EQ(open("/etc/passwd", "0"), "F-1,2");
  EXPECT_EQ(open(path_, "1"), "F-1,d");
  EXPECT_EQ(open(path_, "0"), "F3");
  EXPECT_EQ(ask_elf("vFile:pread:3,7,4"), "F7;program");
  EXPECT_EQ(ask_elf("vFile:pread:3,ffffffff,ffffffff"), "F0;");
  const std::string status = ask_elf("vFile:fstat:3");
  ASSERT_EQ(status.size(), 4 + 64U);
  EXPECT_EQ(status.substr(4 + 28, 8), std::string("\0\0\0\0\0\0\0\x0b", 8));
  EXPECT_EQ(ask_elf("vFile:unlink:" + rsp::to_hex(std::string_view(path_))), "F-1,26");
  EXPECT_EQ(open(path_, "0"), "F3");
  EXPECT_EQ(ask_elf("vFile:close:3"), "F0");
  EXPECT_EQ(ask_elf("vFile:pread:3,7,4"), "F7;program") << "one of two openings is closed";
  EXPECT_EQ(ask_elf("vFile:close:3"), "F0");
  EXPECT_EQ(ask_elf("vFile:fstat:3"), "F-1,9");
}

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

// A second client while the first has the application running.
TEST_F(SessionTest, AnObserverReadsWhileTheDriverRunsAndChangesNothing) {
  start();
  give(rsp::encode_packet("vCont;c"));
  target_.last.registers.core[arm::kPc] = 0x00100044;
  std::string sent;
  int finished = 0;
  Session observer(
      target_, time_, Session::Role::kObserver, [&](std::string bytes) { sent = std::move(bytes); },
      [&] { ++finished; });
  const auto observed = [&](std::string_view payload) {
    observer.receive(rsp::encode_packet(payload));
    return sent;
  };
  observer.receive(rsp::encode_packet("QStartNoAckMode"));
  EXPECT_NE(observed("?").find("0f:44001000;"), std::string::npos) << sent;
  EXPECT_EQ(observed("m20000000,2"), rsp::encode_packet("0001"));
  EXPECT_EQ(target_.peeks, 1);
  for (const char* change : {"vCont;c", "s", "Z0,100000,2", "M20000000,1:00", "P0=00000000", "R00"})
    EXPECT_TRUE(observed(change).starts_with("$E.this GDB may only read")) << change << sent;
  EXPECT_EQ(observed("D"), rsp::encode_packet("OK"));
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(target_.detached, 0);
  EXPECT_TRUE(target_.written.empty());
  EXPECT_EQ(target_.plans.size(), 1U);
}

}  // namespace
}  // namespace mv::gdb
