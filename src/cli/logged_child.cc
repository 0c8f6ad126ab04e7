#include "cli/logged_child.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <deque>
#include <fstream>

#include "cli/output.h"

namespace mv::cli {

tl::expected<pid_t, int> spawn_logged(std::vector<std::string> words, const std::filesystem::path& log, bool detached) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  if (detached) posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return tl::make_unexpected(error);
  return child;
}

std::vector<std::string> last_lines(const std::filesystem::path& file, std::size_t most) {
  std::ifstream in(file);
  std::deque<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (lines.size() == most) lines.pop_front();
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(printable(line));
  }
  return {lines.begin(), lines.end()};
}

}  // namespace mv::cli
