#include "gdbserver/rsp/command.h"

#include <gtest/gtest.h>

#include "gdbserver/rsp/reply.h"

namespace mv::rsp {
namespace {

template <class T>
T parse_as(std::string_view payload) {
  const Command command = parse_command(payload);
  EXPECT_TRUE(std::holds_alternative<T>(command)) << payload;
  return std::holds_alternative<T>(command) ? std::get<T>(command) : T{};
}

TEST(ParseCommand, ReadsMemoryInEitherForm) {
  const auto hex = parse_as<ReadMemory>("m20000000,10");
  EXPECT_EQ(hex.address, 0x20000000U);
  EXPECT_EQ(hex.length, 0x10U);
  EXPECT_FALSE(hex.binary);
  EXPECT_TRUE(parse_as<ReadMemory>("x0,4").binary);
}

TEST(ParseCommand, WritesMemoryOnlyIfTheLengthIsRight) {
  EXPECT_EQ(parse_as<WriteMemory>("M10,2:abCD").bytes, (Bytes{0xab, 0xcd}));
  EXPECT_EQ(parse_as<WriteMemory>("X10,2:ab").bytes, (Bytes{'a', 'b'}));
  for (const auto* wrong : {"M10,3:abcd", "M10,2:abc", "M10,2:zz00", "X10,1:ab", "M10:00", "M,1:00"})
    parse_as<Malformed>(wrong);
}

TEST(ParseCommand, ErasesAndWritesFlash) {
  const auto erase = parse_as<FlashErase>("vFlashErase:8000000,2000");
  EXPECT_EQ(erase.address, 0x8000000U);
  EXPECT_EQ(erase.length, 0x2000U);
  const auto write = parse_as<FlashWrite>("vFlashWrite:8000000:a:,;");
  EXPECT_EQ(write.address, 0x8000000U);
  EXPECT_EQ(write.bytes, (Bytes{'a', ':', ',', ';'}));
  EXPECT_TRUE(parse_as<FlashWrite>("vFlashWrite:0:").bytes.empty());
  parse_as<FlashDone>("vFlashDone");
  for (const auto* wrong : {"vFlashErase", "vFlashErase:10", "vFlashErase:10,20,30", "vFlashErase:x,1", "vFlashWrite",
                            "vFlashWrite:10", "vFlashWrite::ab", "vFlashErase:100000000,1"})
    parse_as<Malformed>(wrong);
}

TEST(ParseCommand, AStepCountsBeforeARunAndNamesItsThread) {
  const auto range = parse_as<Resume>("vCont;r8000,8010:1;c");
  EXPECT_EQ(range.kind, Resume::Kind::kRange);
  EXPECT_EQ(range.start, 0x8000U);
  EXPECT_EQ(range.end, 0x8010U);
  EXPECT_EQ(range.thread.number, 1U);
  EXPECT_EQ(parse_as<Resume>("vCont;s:2;c").kind, Resume::Kind::kStep);
  EXPECT_EQ(parse_as<Resume>("vCont;c:2;s:20000124").thread.number, 0x20000124U);
  EXPECT_EQ(parse_as<Resume>("vCont;c;s:-1").thread.kind, ThreadId::Kind::kAll);
  EXPECT_EQ(parse_as<Resume>("vCont;S05:p1.1;c").kind, Resume::Kind::kStep);
  EXPECT_EQ(parse_as<Resume>("vCont;c:-1").kind, Resume::Kind::kContinue);
}

TEST(ParseCommand, RefusesResumesThatMeanNothing) {
  for (const auto* wrong : {"vCont", "vCont;", "vCont;q", "vCont;r80", "vCont;r80,90,a0", "vCont;s:x",
                            "vCont;s:", "vCont;s:1ffffffff", "vCont;c;", "czz", "C"})
    parse_as<Malformed>(wrong);
}

TEST(ParseCommand, KnowsBreakpointsWithoutConditions) {
  const auto insert = parse_as<Breakpoint>("Z1,100000bc,2");
  EXPECT_TRUE(insert.insert);
  EXPECT_EQ(insert.type, 1);
  EXPECT_EQ(insert.address, 0x100000bcU);
  EXPECT_FALSE(parse_as<Breakpoint>("z0,0,2").insert);
  parse_as<Unknown>("Z5,0,2");
}

TEST(ParseCommand, TakesConditionsAndCommandsOfBreakpoints) {
  const auto conditions = parse_as<Breakpoint>("Z0,100,2;X3,220127X3,220027");
  EXPECT_EQ(conditions.conditions, (std::vector<Bytes>{{0x22, 1, 0x27}, {0x22, 0, 0x27}}));
  EXPECT_TRUE(conditions.commands.empty());
  const auto both = parse_as<Breakpoint>("Z1,100,2;X1,27;cmds:1,X2,2227X1,27");
  EXPECT_EQ(both.conditions, (std::vector<Bytes>{{0x27}}));
  EXPECT_EQ(both.commands, (std::vector<Bytes>{{0x22, 0x27}, {0x27}}));
  EXPECT_EQ(parse_as<Breakpoint>("Z0,100,2;cmds:0,X1,27").commands, (std::vector<Bytes>{{0x27}}));
  EXPECT_EQ(parse_as<Breakpoint>("Z0,100,2;X1,27;X1,28").conditions.size(), 2U);
}

TEST(ParseCommand, RefusesExpressionsThatAreNotAsLongAsTheySay) {
  for (const auto* wrong : {"Z0,0,2;", "Z0,0,2;X", "Z0,0,2;X0,", "Z0,0,2;X2,27", "Z0,0,2;X1,2727", "Z0,0,2;X1,zz",
                            "Z0,0,2;Xffffffff,27", "Z0,0,2;X80000001,2727", "Z0,0,2;Y1,27", "Z0,0,2;cmds:",
                            "Z0,0,2;cmds:1", "Z0,0,2;cmds:1,X2,27", "Z0,0,2;cmds:1,X1,27;X1,27;", "z0,0,2;X1,27"})
    parse_as<Malformed>(wrong);
}

TEST(ParseCommand, SplitsTransfers) {
  const auto transfer = parse_as<Transfer>("qXfer:features:read:target.xml:0,ffb");
  EXPECT_EQ(transfer.object, "features");
  EXPECT_EQ(transfer.annex, "target.xml");
  EXPECT_EQ(transfer.length, 0xffbU);
  parse_as<Unknown>("qXfer:features:write:target.xml:0:00");
  parse_as<Malformed>("qXfer:features:read:target.xml:0");
}

TEST(ParseCommand, DoesNotTakeOneLongNameForAnother) {
  parse_as<Unknown>("qSupportedX");
  parse_as<Unknown>("vContX");
  parse_as<Unknown>("vMustReplyEmpty");
  parse_as<CurrentThread>("qC");
  parse_as<Checksum>("qCRC:0,10");
}

TEST(ParseCommand, RefusesNumbersThatDoNotFit) {
  parse_as<Malformed>("m100000000,4");
  parse_as<Malformed>("p100000000");
  parse_as<Malformed>("m00000000000000000,4");
}

TEST(Reply, CutsDocumentsIntoSlices) {
  EXPECT_EQ(transfer("abcdef", 0, 4), "mabcd");
  EXPECT_EQ(transfer("abcdef", 4, 4), "lef");
  EXPECT_EQ(transfer("abcdef", 6, 4), "l");
  EXPECT_EQ(transfer("abcdef", 0xffffffff, 4), "l");
}

TEST(Reply, KeepsErrorTextsOnOneLine) { EXPECT_EQ(error_text("no\nway\xff"), "E.no way "); }

TEST(Reply, SumsAsGdbDoes) {
  constexpr std::string_view text = "123456789";  // the check value of CRC-32/MPEG-2
  EXPECT_EQ(gdb_crc32(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())), 0x0376e6e7U);
}

}  // namespace
}  // namespace mv::rsp
