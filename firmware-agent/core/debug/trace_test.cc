// Traces through the agent: what is collected while the application runs on.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/debug/agent_fixture.h"

namespace mv::debug {
namespace {

using test::kRam;
using test::kStart;
using testing::HasSubstr;

struct Record {
  std::uint32_t number = 0;
  std::uint64_t time_us = 0;
  std::uint32_t address = 0;
  std::string rest;
};

std::uint64_t little_endian(const std::string& bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{static_cast<std::uint8_t>(bytes.at(at + i))} << 8 * i;
  return value;
}

const std::string kR0{"\0", 1};  // a list of registers

// The application counts in r0, at kLoop.
class Trace : public test::AgentTest {
 protected:
  static constexpr std::uint32_t kLoop = kStart + 2;
  static constexpr std::uint16_t kAddOne = 0x3001;  // what stands there

  static wire::AgentRequest trace(const std::string& registers, const std::vector<std::string>& collect = {},
                                  const std::string& condition = {}) {
    wire::AgentRequest request;
    auto& program = *request.mutable_trace()->add_programs();
    program.set_address(kLoop);
    program.set_registers(registers);
    for (const auto& code : collect) program.add_collect(code);
    if (!condition.empty()) program.add_conditions(condition);
    return request;
  }

  // As in the other tests, with an application that is slower: each hit of a trace costs a test time.
  void live(int turns = 20) {
    for (int i = 0; i < turns; ++i) {
      agent_.poll();
      board_.run(50);
      clock_.now_us += 100;
    }
    agent_.poll();
  }

  void begin(wire::AgentRequest request, std::uint32_t sequence = 1) {
    request.set_sequence(sequence);
    send(request);
    live(3);
  }

  // At r0 == 100.
  void begin_with_one_hit() {
    board_.cpu.core[0] = 0;
    begin(trace(kR0, {}, {"\x26\0\0\x22\x64\x13\x27", 7}));
    for (int i = 0; i < 100 && engine_.records().empty(); ++i) live(1);
    ASSERT_FALSE(engine_.records().empty());
  }

  void take_records(const wire::TraceRecords& message) {
    for (std::size_t at = 0; at < message.records().size();) {
      const std::size_t size = little_endian(message.records(), at, 2);
      records_.push_back({.number = static_cast<std::uint32_t>(little_endian(message.records(), at + 2, 4)),
                          .time_us = little_endian(message.records(), at + 6, 8),
                          .address = static_cast<std::uint32_t>(little_endian(message.records(), at + 14, 4)),
                          .rest = message.records().substr(at + 18, size - 16)});
      at += 2 + size;
    }
    hits_ = message.hits();
    ++messages_;
  }

  // Lives for a while; the first reply that is no trace record, if one comes.
  std::optional<wire::AgentReply> watch(int turns) {
    for (int i = 0; i < turns; ++i) {
      live(1);
      while (const auto reply = take_reply()) {
        if (!reply->has_trace()) return reply;
        EXPECT_EQ(reply->sequence(), 0U);
        take_records(reply->trace());
      }
    }
    return std::nullopt;
  }

  std::vector<Record> records_;
  std::uint32_t hits_ = 0;
  int messages_ = 0;
};

TEST_F(Trace, IsAnnouncedWithTheLongestRecord) {
  EXPECT_EQ(attach(false).attached().capabilities().max_record(), TraceRecords::kLongest);
}

TEST_F(Trace, BeginsAndCollectsWhileTheApplicationRunsOn) {
  attach(false);
  ASSERT_TRUE(board_.running());
  begin(trace(kR0));
  EXPECT_EQ(watch(2000), std::nullopt);

  ASSERT_GE(records_.size(), 10U);
  EXPECT_TRUE(board_.running());
  EXPECT_FALSE(engine_.halted());
  for (std::size_t i = 0; i < records_.size(); ++i) {
    EXPECT_EQ(records_[i].address, kLoop);
    EXPECT_EQ(records_[i].rest[0], 0);  // r0
  }
  // Each hit saw the value that the one before it left, plus one.
  const auto r0 = [&](std::size_t i) { return little_endian(records_[i].rest, 1, 4); };
  EXPECT_EQ(records_[0].number, 1U);
  EXPECT_EQ(records_[1].number, 2U);
  EXPECT_EQ(r0(1), r0(0) + 1);
}

TEST_F(Trace, SaysThatItHasBegunBeforeAnythingIsHit) {
  attach(false);
  begin(trace(kR0, {}, {"\x22\0\x27", 3}));
  EXPECT_EQ(watch(10), std::nullopt);
  EXPECT_EQ(messages_, 1);
  EXPECT_TRUE(records_.empty());
  EXPECT_TRUE(board_.running());
}

TEST_F(Trace, CollectsWhatItsConditionLetsThrough) {
  attach(false);
  begin_with_one_hit();
  watch(2000);
  ASSERT_EQ(records_.size(), 1U);
  EXPECT_EQ(records_[0].number, 1U);
  EXPECT_EQ(little_endian(records_[0].rest, 1, 4), 100U);
}

TEST_F(Trace, CollectsMemoryAndGoesOnWhereItCannotBeRead) {
  memory_.put_word(kRam, 0x04030201);
  attach(false);
  // const32 0; trace_quick 4; end, then const32 kRam; const8 2; trace; end
  begin(trace(kR0, {{"\x24\0\0\0\0\x0D\4\x27", 8}, {"\x24\x28\x20\0\0\x22\2\x0C\x27", 9}}));
  watch(2000);
  ASSERT_FALSE(records_.empty());
  EXPECT_EQ(records_[0].rest.substr(5), std::string("\xFF\0\0\x20\x28\2\0\1\2", 9));
}

TEST_F(Trace, NotesTheTimeOfEachHit) {
  attach(false);
  begin(trace(kR0));
  watch(2000);
  ASSERT_GE(records_.size(), 2U);
  EXPECT_GE(records_.front().time_us, 1'000'000U);
  EXPECT_GT(records_.back().time_us, records_.front().time_us);
  EXPECT_LE(records_.back().time_us, clock_.now_us);
}

TEST_F(Trace, SendsHitsTogetherButNotLate) {
  attach(false);
  begin_with_one_hit();
  watch(1);
  const std::uint64_t since = clock_.now_us;
  EXPECT_TRUE(agent_.deadline_us().has_value());
  while (records_.empty() && clock_.now_us < since + 1'000'000) watch(1);
  EXPECT_GE(clock_.now_us - since, Agent::kRecordsWaitUs - 1000);
  EXPECT_LE(clock_.now_us - since, Agent::kRecordsWaitUs + 1000);
}

TEST_F(Trace, CountsHitsThatFoundNoRoom) {
  attach(false);
  begin(trace(kR0));
  for (int i = 0; i < 10; ++i) board_.run(10'000);  // nobody takes them
  ASSERT_TRUE(engine_.records().half_full());
  const std::uint32_t hits = engine_.records().hits();
  board_.cpu.pc() = kStart + 6;
  engine_.breakpoints().remove(kLoop);
  watch(2000);
  ASSERT_FALSE(records_.empty());
  EXPECT_LT(records_.size(), hits);
  EXPECT_EQ(hits_, hits);
}

TEST_F(Trace, AnInterruptEndsItWithoutAHaltAndWithoutBreakpoints) {
  attach(false);
  begin(trace(kR0));
  watch(100);
  send(interrupt());
  const auto reply = watch(200);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->sequence(), 1U);
  EXPECT_TRUE(reply->has_done());
  EXPECT_TRUE(board_.running());
  EXPECT_FALSE(engine_.attached());
  EXPECT_EQ(memory_.halfword(kLoop), kAddOne);
}

TEST_F(Trace, TellsWhatWasRecordedBeforeItEnds) {
  attach(false);
  begin_with_one_hit();
  send(interrupt());
  EXPECT_TRUE(watch(200)->has_done());
  EXPECT_EQ(records_.size(), 1U);
}

TEST_F(Trace, CanBeBegunAgain) {
  attach(false);
  begin(trace(kR0));
  send(interrupt());
  EXPECT_TRUE(watch(200)->has_done());
  records_.clear();
  begin(trace(kR0), 2);
  watch(2000);
  ASSERT_FALSE(records_.empty());
  EXPECT_EQ(records_[0].number, 1U);
}

TEST_F(Trace, LeavesTheDeviceFreeForTheNextSession) {
  attach(false);
  begin(trace(kR0));
  send(interrupt());
  EXPECT_TRUE(watch(200)->has_done());
  wire::AgentRequest request = detach();
  request.set_sequence(2);
  send(request);
  EXPECT_TRUE(watch(200)->has_done());
  EXPECT_TRUE(attach(true, "fedcba9876543210").attached().has_stopped());
}

TEST_F(Trace, DetachEndsItToo) {
  attach(false);
  begin(trace(kR0));
  wire::AgentRequest request = detach();
  request.set_sequence(2);
  send(request);
  EXPECT_TRUE(watch(200)->has_done());
  EXPECT_TRUE(board_.running());
  EXPECT_FALSE(engine_.attached());
  EXPECT_EQ(memory_.halfword(kLoop), kAddOne);
}

TEST_F(Trace, GoesOnOverALostLink) {
  attach(false);
  begin(trace(kR0));
  watch(100);
  records_.clear();
  agent_.disconnected(Agent::Loss::kLink);
  received_.clear();
  live(20);
  agent_.connected();
  wire::AgentRequest again;
  again.mutable_attach()->set_session("0123456789abcdef");
  send(again);
  const auto attached = watch(200);
  ASSERT_TRUE(attached.has_value());
  EXPECT_TRUE(attached->attached().resumed());
  EXPECT_FALSE(attached->attached().has_stopped());
  begin(trace(kR0), 1);  // the open request, asked again: nothing begins anew
  watch(2000);
  ASSERT_FALSE(records_.empty());
  EXPECT_GT(records_[0].number, 1U);
}

TEST_F(Trace, GoesWithItsSessionWhenNobodyComesBack) {
  attach(false);
  begin(trace(kR0));
  agent_.disconnected(Agent::Loss::kLink);
  clock_.now_us += std::uint64_t{Agent::kHaltLimitS} * 1'000'000 + 1;
  live(20);
  EXPECT_TRUE(board_.running());
  EXPECT_FALSE(engine_.attached());
  EXPECT_EQ(memory_.halfword(kLoop), kAddOne);
}

TEST_F(Trace, GoesSoonWhenItsDebuggerWasKilled) {
  attach(false);
  begin(trace(kR0));
  agent_.disconnected(Agent::Loss::kDebugger);
  clock_.now_us += std::uint64_t{Agent::kTraceLimitS - 1} * 1'000'000;
  live(20);
  EXPECT_TRUE(engine_.attached());
  clock_.now_us += 1'000'000;
  live(20);
  EXPECT_TRUE(board_.running());
  EXPECT_FALSE(engine_.attached());
  EXPECT_EQ(memory_.halfword(kLoop), kAddOne);
}

TEST_F(Trace, MakesRoomForANewSessionAtOnceWhenItsDebuggerWasKilled) {
  attach(false);
  begin(trace(kR0));
  agent_.disconnected(Agent::Loss::kDebugger);
  agent_.connected();
  received_.clear();
  EXPECT_FALSE(attach(false, "fedcba9876543210").attached().resumed());
  EXPECT_TRUE(board_.running());
  EXPECT_EQ(memory_.halfword(kLoop), kAddOne);
}

TEST_F(Trace, LetsAnApplicationRunThatAVanishedDebuggerLeftHalted) {
  attach(true);
  agent_.disconnected(Agent::Loss::kLink);
  agent_.connected();
  ASSERT_TRUE(attach(false, "fedcba9876543210").attached().has_stopped());
  begin(trace(kR0));
  watch(2000);
  EXPECT_TRUE(board_.running());
  EXPECT_FALSE(records_.empty());
}

TEST_F(Trace, AFaultIsACrashAsIfNobodyDebugged) {
  attach(false);
  board_.cpu.pc() = kStart;
  memory_.put(kStart + 4, {0xFFFF, 0xFFFF});
  begin(trace(kR0));
  EXPECT_TRUE(board_.crashed());
  agent_.application_stopped();
  EXPECT_EQ(watch(200)->stopped().reason(), wire::STOP_EXITED);
  EXPECT_FALSE(records_.empty());  // what led to it
}

TEST_F(Trace, ABreakpointOfTheProgramsOwnIsACrashToo) {
  attach(false);
  board_.cpu.pc() = kStart;
  memory_.put(kStart + 4, {0xBE01});
  begin(trace(kR0));
  live(10);
  EXPECT_TRUE(board_.crashed());
  EXPECT_FALSE(engine_.halted());
}

TEST_F(Trace, RefusesWhatIsNoCodeAndLeavesTheApplicationAlone) {
  attach(false);
  wire::AgentRequest request = trace(kR0);
  request.mutable_trace()->mutable_programs(0)->set_address(0x40000000);
  request.set_sequence(1);
  send(request);
  const auto reply = watch(200);
  EXPECT_EQ(reply->error(), wire::AGENT_NO_BREAKPOINT_FREE);
  EXPECT_THAT(reply->detail(), HasSubstr("no code of the application"));
  EXPECT_TRUE(board_.running());
  EXPECT_FALSE(engine_.attached());
}

TEST_F(Trace, RefusesMoreThanThereIsRoomFor) {
  attach(false);
  wire::AgentRequest request = trace(kR0, {std::string(BreakpointPrograms::kMaxBytes, '\x27')});
  request.set_sequence(1);
  send(request);
  const auto reply = watch(200);
  EXPECT_EQ(reply->error(), wire::AGENT_NO_BREAKPOINT_FREE);
  EXPECT_THAT(reply->detail(), HasSubstr("too much to collect"));
  EXPECT_TRUE(board_.running());
  EXPECT_EQ(memory_.halfword(kLoop), kAddOne);
}

TEST_F(Trace, SaysSoWhenTheApplicationWaitsForItsRestart) {
  attach(false);
  supervisor_.crashed = true;
  wire::AgentRequest request = trace(kR0);
  request.set_sequence(1);
  send(request);
  agent_.poll();
  clock_.now_us += Agent::kHaltLimitUs;
  agent_.poll();  // it has not run since
  const auto reply = take_reply();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->error(), wire::AGENT_NOT_RUNNING);
  EXPECT_THAT(reply->detail(), HasSubstr("waits for its restart"));
  live(10);  // and when it does at last, nobody holds it
  EXPECT_TRUE(board_.running());
  EXPECT_FALSE(engine_.attached());
}

TEST_F(Trace, AnAttachIsAnsweredThoughTheApplicationDoesNotRun) {
  attach(false);
  agent_.disconnected(Agent::Loss::kLink);
  ASSERT_TRUE(engine_.attached());
  engine_.release();  // which waits for the application, too
  wire::AgentRequest request;
  request.mutable_attach()->set_session("fedcba9876543210");
  agent_.connected();
  send(request);
  agent_.poll();
  EXPECT_EQ(take_reply(), std::nullopt);
  clock_.now_us += Agent::kHaltLimitUs;
  agent_.poll();
  EXPECT_EQ(take_reply().value_or(wire::AgentReply{}).error(), wire::AGENT_NOT_RUNNING);
}

TEST_F(Trace, SaysWhyWhatItCollectsCannotBeEvaluated) {
  attach(false);
  begin(trace(kR0, {{"\x22\1\x22\0\x05\x27", 6}}));  // 1 / 0
  const auto reply = watch(200);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->console().text().substr(0, 83),
            "[device] breakpoint at 0x00100012: what it collects cannot be evaluated: division b");
}

}  // namespace
}  // namespace mv::debug
