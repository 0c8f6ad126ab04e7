#include "cli/project_build.h"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "cli/logged_child.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownLines = 30;

// The compiler's words, and where all of them are.
std::string end_of(const fs::path& log) {
  std::string text;
  for (const std::string& line : last_lines(log, kShownLines)) text += line + "\n";
  return text + "all of it is in " + log.string();
}

Result step(const char* what, std::vector<std::string> words, const fs::path& log) {
  const std::string program = words.front();
  const int status = run_program_logged(std::move(words), log);
  if (status == 0) return {};
  if (status < 0)
    return fail(ExitCode::kFailed, "cannot run " + program, "install it: scripts/setup, or apt-get install " + program);
  return fail(ExitCode::kFailed, std::string("the project cannot be ") + what, end_of(log));
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
  const auto child = spawn_logged(std::move(words), log);
  if (!child) return -1;
  int status = 0;
  while (::waitpid(*child, &status, 0) < 0 && errno == EINTR) {
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
