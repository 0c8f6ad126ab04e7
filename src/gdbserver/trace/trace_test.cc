// What GDB 13 really sends for a tracepoint, what a device records, and what GDB is told of it.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gdbserver/trace/definition.h"
#include "gdbserver/trace/record.h"
#include "gdbserver/trace/stub.h"

namespace mv::gdb {
namespace {

using rsp::Bytes;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(TraceDefinition, TakesRegistersExpressionsAndRanges) {
  TraceDefinition definition;
  ASSERT_TRUE(definition.add("1:000000000010002e:E:0:0-"));
  ASSERT_TRUE(definition.add("-1:000000000010002e:R2080-"));
  ASSERT_TRUE(definition.add("-1:000000000010002e:M-1,28200018,CX00000004,22042927M7,10,4"));

  ASSERT_THAT(definition.points(), SizeIs(1));
  const Tracepoint& point = definition.points().at(0x10002e);
  EXPECT_THAT(point.condition, IsEmpty());
  EXPECT_THAT(point.registers, ElementsAre(7, 13));
  ASSERT_THAT(point.collect, SizeIs(3));
  // const32 address; const32 length; trace; end
  EXPECT_THAT(point.collect[0], ElementsAre(0x24, 0x28, 0x20, 0x00, 0x18, 0x24, 0, 0, 0, 0x0C, 0x0C, 0x27));
  EXPECT_THAT(point.collect[1], ElementsAre(0x22, 0x04, 0x29, 0x27));
  // const32 offset; reg 7; add; const32 length; trace; end
  EXPECT_THAT(point.collect[2], ElementsAre(0x24, 0, 0, 0, 0x10, 0x26, 0, 7, 0x02, 0x24, 0, 0, 0, 4, 0x0C, 0x27));
  EXPECT_EQ(point.bytes(), 2U + 12U + 4U + 16U);
  EXPECT_EQ(point.expressions(), 4U);
}

TEST(TraceDefinition, TakesAConditionAndSeveralPlaces) {
  TraceDefinition definition;
  ASSERT_TRUE(definition.add("1:0000000000100020:E:0:0:X3,220127-"));
  ASSERT_TRUE(definition.add("1:0000000000100041:E:0:0"));
  EXPECT_THAT(definition.points().at(0x100020).condition, ElementsAre(0x22, 0x01, 0x27));
  EXPECT_TRUE(definition.points().contains(0x100040));  // without the Thumb bit
}

TEST(TraceDefinition, TakesFloatingPointRegisters) {
  TraceDefinition definition;
  ASSERT_TRUE(definition.add("-1:100020:R200020000"));
  EXPECT_THAT(definition.points().at(0x100020).registers, ElementsAre(17, 33));
}

TEST(TraceDefinition, RefusesWhatMakesNoSense) {
  for (const char* wrong :
       {"", "x", "1", "1:", "1:zz:E:0:0", "1:123456789:E:0:0", "-1:100020:S", "-1:100020:R", "-1:100020:Rg",
        "-1:100020:R80000000000", "-1:100020:X4,2204", "-1:100020:X0,", "-1:100020:X", "-1:100020:M-1,10",
        "-1:100020:M-1,10,10000", "-1:100020:M2a,10,4", "1:100020:E:0:0:X9,22"})
    EXPECT_FALSE(TraceDefinition().add(wrong)) << wrong;
}

const Bytes kRecord = {32,   0,                                // bytes that follow
                       3,    0,    0,    0,                    // number
                       0x89, 0x67, 0x45, 0x23, 1,    0, 0, 0,  // time
                       0x20, 0x00, 0x10, 0x00,                 // address
                       7,    0x00, 0x01, 0x20, 0x28,           // r7
                       255,  0x00, 0x00, 0x20, 0x28, 4, 0, 1, 2, 3, 4};

TEST(TraceRecord, SaysNumberTimePlaceRegistersAndMemory) {
  const auto hits = parse_records(kRecord);
  ASSERT_TRUE(hits && hits->size() == 1);
  const TraceHit& hit = hits->front();
  EXPECT_EQ(hit.number, 3U);
  EXPECT_EQ(hit.time_us, 0x123456789U);
  EXPECT_EQ(hit.address, 0x100020U);
  EXPECT_THAT(hit.registers.at(7), ElementsAre(0x00, 0x01, 0x20, 0x28));
  EXPECT_THAT(hit.read(0x28200001, 2), ElementsAre(2, 3));
}

TEST(TraceRecord, ComesWithOthers) {
  Bytes two = kRecord;
  two.insert(two.end(), kRecord.begin(), kRecord.end());
  EXPECT_THAT(*parse_records(two), SizeIs(2));
  EXPECT_THAT(*parse_records({}), IsEmpty());
}

TEST(TraceRecord, IsRefusedIfItIsNotWhole) {
  for (std::size_t size = 1; size < kRecord.size(); ++size)
    EXPECT_EQ(parse_records(std::span(kRecord).first(size)), std::nullopt) << size;
  for (std::size_t length = 0; length < 32; ++length) {
    Bytes shorter = kRecord;
    shorter[0] = static_cast<std::uint8_t>(length);
    if (length == 16 || length == 21) continue;
    EXPECT_EQ(parse_records(shorter), std::nullopt) << length;
  }
  Bytes unnumbered = kRecord;
  unnumbered[2] = 0;
  EXPECT_EQ(parse_records(unnumbered), std::nullopt);
  Bytes unknown = kRecord;
  unknown[18] = 60;  // no such register
  EXPECT_EQ(parse_records(unknown), std::nullopt);
}

TEST(TraceRecord, JoinsBlocksThatTouchAndStopsAtAGap) {
  TraceHit hit;
  hit.memory = {{0x104, {5, 6}}, {0x100, {1, 2, 3, 4}}, {0x108, {9}}};
  EXPECT_THAT(hit.read(0x102, 8), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(hit.read(0xFF, 4), IsEmpty());
  EXPECT_THAT(hit.read(0x108, 4), ElementsAre(9));
}

class Stub : public testing::Test {
 protected:
  static std::string registers_of(const std::string& g, std::size_t number) { return g.substr(8 * number, 8); }
  TraceStub stub_;
};

TEST_F(Stub, SaysThatItTraces) {
  EXPECT_THAT(stub_.answer("qSupported:xmlRegisters=i386"), testing::HasSubstr("ConditionalTracepoints+"));
  EXPECT_EQ(stub_.answer("qTStatus"), "T0;tnotrun:0");
  EXPECT_EQ(stub_.answer("QTStart"), "OK");
  EXPECT_EQ(stub_.answer("vMustReplyEmpty"), "");
  EXPECT_THAT(stub_.answer("qXfer:features:read:target.xml:0,1000"), testing::StartsWith("l<?xml"));
}

TEST_F(Stub, KeepsWhatTheLastStartAskedFor) {
  stub_.answer("QTinit");
  EXPECT_EQ(stub_.answer("QTDP:1:100020:E:0:0-"), "OK");
  stub_.answer("QTinit");
  EXPECT_EQ(stub_.answer("QTDP:1:100040:E:0:0"), "OK");
  EXPECT_TRUE(stub_.understood());
  EXPECT_THAT(stub_.definition().points(), ElementsAre(testing::Key(0x100040)));
  EXPECT_EQ(stub_.answer("QTDP:-1:100040:S"), "E16");
  EXPECT_FALSE(stub_.understood());
}

TEST_F(Stub, ShowsTheHitUnderItsNumberAndNothingElse) {
  stub_.show(parse_records(kRecord)->front());
  EXPECT_EQ(stub_.answer("QTFrame:4"), "F-1");
  EXPECT_EQ(stub_.answer("m28200000,4"), "E0e");
  EXPECT_EQ(stub_.answer("QTFrame:3"), "F3T1");
  const std::string g = stub_.answer("g");
  EXPECT_EQ(registers_of(g, 7), "00012028");
  EXPECT_EQ(registers_of(g, 15), "20001000");
  EXPECT_EQ(registers_of(g, 13), "xxxxxxxx");
  EXPECT_EQ(stub_.answer("m28200000,8"), "01020304");
  EXPECT_EQ(stub_.answer("m0,4"), "E0e");
  EXPECT_EQ(stub_.answer("QTFrame:ffffffff"), "F-1");
}

TEST_F(Stub, ShowsWhatNamesMeanBeforeAnythingWasHit) {
  stub_.show_scope(0x100020);
  EXPECT_EQ(stub_.answer("QTFrame:0"), "F0T1");
  EXPECT_EQ(registers_of(stub_.answer("g"), 15), "20001000");
  EXPECT_EQ(registers_of(stub_.answer("g"), 0), "00000000");
  EXPECT_EQ(stub_.answer("m28200000,4"), "00000000");
}

TEST_F(Stub, LetsNothingBeWritten) {
  EXPECT_EQ(stub_.answer("M28200000,1:00"), "E0e");
  EXPECT_EQ(stub_.answer("X28200000,1:a"), "E0e");
  EXPECT_EQ(stub_.answer("P0=00000000"), "E0e");
  EXPECT_EQ(stub_.answer("mzz"), "E16");
}

}  // namespace
}  // namespace mv::gdb
