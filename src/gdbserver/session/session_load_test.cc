// GDB's `load`: what it writes into flash goes to the device as one.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "gdbserver/rsp/hex.h"
#include "gdbserver/rsp/reply.h"
#include "gdbserver/session/session_fixture.h"

namespace mv::gdb {
namespace {

using test::SessionTest;

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

}  // namespace
}  // namespace mv::gdb
