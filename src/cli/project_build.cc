#include "cli/project_build.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "cli/output.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownLines = 30;

// The last lines of the build's output: the compiler's words, unchanged but for control characters.
std::string last_lines(const fs::path& log) {
  std::ifstream in(log);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (lines.size() == kShownLines) lines.erase(lines.begin());
    lines.push_back(printable(line));
  }
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text + "all of it is in " + log.string();
}

Result step(const char* what, std::vector<std::string> words, const fs::path& log) {
  const std::string program = words.front();
  const int status = run_program_logged(std::move(words), log);
  if (status == 0) return {};
  if (status < 0)
    return fail(ExitCode::kFailed, "cannot run " + program, "install it: scripts/setup, or apt-get install " + program);
  return fail(ExitCode::kFailed, std::string("the project cannot be ") + what, last_lines(log));
}

// Every ELF of the build but CMake's own trials.
std::vector<fs::path> find_elfs(const fs::path& build) {
  std::vector<fs::path> found;
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(build, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->path().filename() == "CMakeFiles") entry.disable_recursion_pending();
    if (entry->path().extension() == ".elf" && entry->is_regular_file(error)) found.push_back(entry->path());
  }
  std::ranges::sort(found);
  return found;
}

tl::expected<fs::path, Failure> choose_elf(const fs::path& build, const std::string& wanted) {
  const std::vector<fs::path> found = find_elfs(build);
  std::string names;
  for (const fs::path& elf : found) {
    if (elf.filename() == wanted || elf.stem() == wanted || elf == fs::path(wanted)) return elf;
    names += (names.empty() ? "" : ", ") + elf.filename().string();
  }
  if (!wanted.empty()) return fail(ExitCode::kUsage, "the project makes no " + wanted, "it makes " + names);
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return fail(ExitCode::kUsage, "the project was built, but it makes no application (*.elf)",
                "name one with mv_add_application(NAME SOURCES ...) in its CMakeLists.txt");
  }
  return fail(ExitCode::kUsage, "the project makes several applications: " + names, "say which: --elf NAME");
}

}  // namespace

fs::path sdk_folder() {
  if (const char* given = std::getenv("MVCTL_SDK_DIR"); given != nullptr && *given != '\0') return given;
  std::error_code error;
  const fs::path beside = fs::read_symlink("/proc/self/exe", error).parent_path() / ".." / "firmware-agent" / "sdk";
  if (fs::is_directory(beside, error)) return fs::canonical(beside, error);
  return MV_SDK_DIR;
}

int run_program_logged(std::vector<std::string> words, const fs::path& log) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return -1;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

tl::expected<fs::path, Failure> build_project(const BuildRequest& request) {
  std::error_code error;
  const fs::path project = fs::absolute(request.project, error).lexically_normal();
  if (!fs::exists(project / "CMakeLists.txt", error)) {
    return fail(ExitCode::kUsage, request.project.string() + " is no project: it has no CMakeLists.txt",
                "begin one with mvctl init NAME");
  }
  const fs::path build = project / "build";
  fs::create_directories(build, error);
  const fs::path log = build / "mvctl-build.log";
  fs::remove(log, error);
  const fs::path sdk = sdk_folder();
  // Every time: it is quick when nothing changed, and the board may have.
  std::vector<std::string> configure = {"cmake",
                                        "-S",
                                        project,
                                        "-B",
                                        build,
                                        "-DMV_BOARD=" + request.board,
                                        "-DMicrovisor_DIR=" + (sdk / "cmake").string()};
  if (!fs::exists(build / "CMakeCache.txt", error)) {
    configure.insert(configure.end(), {"-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                                       "-DCMAKE_TOOLCHAIN_FILE=" + (sdk / "cmake" / "arm-none-eabi.cmake").string()});
  }
  if (auto done = step("configured", std::move(configure), log); !done) return tl::make_unexpected(done.error());
  if (auto done = step("built", {"cmake", "--build", build}, log); !done) return tl::make_unexpected(done.error());
  return choose_elf(build, request.elf);
}

}  // namespace mv::cli
