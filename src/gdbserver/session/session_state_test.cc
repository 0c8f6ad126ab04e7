// Memory and registers.
#include <string>

#include <gtest/gtest.h>

#include "gdbserver/session/session_fixture.h"

namespace mv::gdb {
namespace {

using test::SessionTest;

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

TEST_F(SessionTest, TellsLldbOfAnUnavailableRegisterByAnError) {
  start();
  EXPECT_EQ(reply("p11"), "xxxxxxxxxxxxxxxx");
  EXPECT_EQ(reply("QThreadSuffixSupported"), "");
  EXPECT_TRUE(reply("p11").starts_with('E'));
  EXPECT_EQ(reply("pf"), "40001000");
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

}  // namespace
}  // namespace mv::gdb
