// What a client asks about the target, and what LLDB wants otherwise than GDB.
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "gdbserver/rsp/hex.h"
#include "gdbserver/rsp/reply.h"
#include "gdbserver/session/session_fixture.h"

namespace mv::gdb {
namespace {

using test::SessionTest;

TEST_F(SessionTest, AnnouncesBreakpointReasonsOnlyToClientsThatKnowThem) {
  start();
  const auto plain = reply("qSupported:multiprocess+");
  EXPECT_NE(plain.find("PacketSize=4000"), std::string::npos);
  EXPECT_NE(plain.find("qXfer:memory-map:read+"), std::string::npos);
  EXPECT_EQ(plain.find("swbreak+"), std::string::npos);
  EXPECT_NE(reply("qSupported:swbreak+;hwbreak+").find("swbreak+;hwbreak+"), std::string::npos);
}

// "reset" in hex; GDB 13 would take E.text for the hex of the command's output.
TEST_F(SessionTest, SaysWhyAMonitorCommandFailedAsOutputAndANumber) {
  target_.attach_handler(failure(ErrorCode::kBusy, "another debugger is attached"));
  give(rsp::encode_packet("QStartNoAckMode"));
  EXPECT_EQ(ask("qRcmd,7265736574"),
            rsp::encode_packet(rsp::console("another debugger is attached\n")) + rsp::encode_packet("E16"));
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

TEST_F(SessionTest, DescribesFlashAndRam) {
  start();
  const auto map = reply("qXfer:memory-map:read::0,3000");
  EXPECT_NE(map.find("type=\"flash\" start=\"0x100000\" length=\"0x100000\""), std::string::npos);
  EXPECT_NE(map.find("type=\"ram\" start=\"0x20000000\" length=\"0x8000\""), std::string::npos);
  EXPECT_EQ(map.front(), 'l');
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

}  // namespace
}  // namespace mv::gdb
