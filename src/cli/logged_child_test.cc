#include "cli/logged_child.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "emulator/test_folder.h"

namespace mv::cli {
namespace {

class LoggedChildTest : public testing::Test {
 protected:
  // Runs a line of shell to its end.
  int run(const std::string& line, bool detached = false) {
    const auto child = spawn_logged({"sh", "-c", line}, log(), detached);
    if (!child) return -1;
    int status = 0;
    ::waitpid(*child, &status, 0);
    return status;
  }
  std::filesystem::path log() const { return folder_.path() / "log"; }

  emulator::TestFolder folder_;
};

TEST_F(LoggedChildTest, KeepsBothStreamsOfTheChildBehindWhatWasThere) {
  std::ofstream(log()) << "before\n";
  run("echo out; echo error >&2");
  EXPECT_EQ(last_lines(log(), 10), (std::vector<std::string>{"before", "out", "error"}));
}

TEST_F(LoggedChildTest, KeepsTheLogToTheUserAndGivesTheChildNothingToRead) {
  run("cat; echo end");
  EXPECT_EQ(last_lines(log(), 10), std::vector<std::string>{"end"});
  EXPECT_EQ(std::filesystem::status(log()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(LoggedChildTest, GivesTheChildNoOtherDescriptor) {
  ASSERT_GE(::dup2(STDIN_FILENO, 9), 0);
  run("if (: >&9) 2>/dev/null || (: <&9) 2>/dev/null; then echo open; else echo shut; fi");
  ::close(9);
  EXPECT_EQ(last_lines(log(), 1), std::vector<std::string>{"shut"});
}

TEST_F(LoggedChildTest, ADetachedChildLeadsASessionOfItsOwn) {
  run("[ \"$(ps -o sid= -p $$ | tr -d ' ')\" = $$ ] && echo leads", true);
  run("[ \"$(ps -o sid= -p $$ | tr -d ' ')\" = $$ ] || echo follows");
  EXPECT_EQ(last_lines(log(), 10), (std::vector<std::string>{"leads", "follows"}));
}

TEST_F(LoggedChildTest, SaysWhyAProgramCannotBeStarted) {
  EXPECT_EQ(spawn_logged({"no-such-program-of-this-name"}, log()).error(), ENOENT);
  EXPECT_EQ(spawn_logged({"true"}, folder_.path() / "nowhere" / "log").error(), ENOENT);
}

TEST_F(LoggedChildTest, TheLastLinesAreTheLastOnesAndCannotDriveTheTerminal) {
  std::ofstream(log(), std::ios::binary) << "one\ntwo\r\nth\x1b[2Jree";
  const auto lines = last_lines(log(), 2);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "two");
  EXPECT_EQ(lines[1].find('\x1b'), std::string::npos);
  EXPECT_TRUE(last_lines(folder_.path() / "nothing", 5).empty());
}

}  // namespace
}  // namespace mv::cli
