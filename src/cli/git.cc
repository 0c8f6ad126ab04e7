#include "cli/git.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

extern char** environ;

namespace mv::cli {
namespace {

constexpr std::size_t kLongestAnswer = 256;

// What a pipe gives until its end; more than the longest answer is read but not kept, so that the writer can end.
std::string read_to_end(int pipe) {
  std::string text;
  std::array<char, 256> piece{};
  for (;;) {
    const ssize_t got = ::read(pipe, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    if (text.size() < kLongestAnswer) text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

// The first line that `git ARGUMENTS` prints, empty if it fails.
std::string git(const std::filesystem::path& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"git", "-C", folder.string()});
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  pid_t child = -1;
  const int failed = ::posix_spawnp(&child, "git", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  std::string text = failed == 0 ? read_to_end(pipe[0]) : std::string();
  ::close(pipe[0]);
  int status = 1;
  while (failed == 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (failed != 0 || status != 0 || text.size() >= kLongestAnswer) return {};
  return text.substr(0, text.find('\n'));
}

}  // namespace

SourceState source_state(const std::filesystem::path& folder) {
  const std::filesystem::path where = folder.empty() ? "." : folder;
  SourceState state;
  // Without tags, describe names the commit alone.
  state.revision = git(where, {"describe", "--always", "--abbrev=7", "--dirty", "--exclude=*"});
  if (!state.revision.empty())
    state.description = git(where, {"describe", "--always", "--tags", "--abbrev=7", "--dirty"});
  return state;
}

}  // namespace mv::cli
