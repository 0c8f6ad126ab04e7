// For tests: a session on a target whose answers the test gives, and a client that speaks to it in packets.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "gdbserver/rsp/packet.h"
#include "gdbserver/session/session.h"
#include "gdbserver/target/manual_time.h"

namespace mv::gdb::test {

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

}  // namespace mv::gdb::test
