#include "cli/gdb_process.h"

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cli/logged_child.h"

extern char** environ;

namespace mv::cli {
namespace {

constexpr std::size_t kMostLines = 1000;

// In this terminal. 0: none of the programs there may be is installed.
pid_t start_gdb(std::vector<std::string> words) {
  for (const char* name : kGdbPrograms) {
    std::vector<char*> arguments{const_cast<char*>(name)};  // posix_spawn does not write to them
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t process = 0;
    if (::posix_spawnp(&process, name, nullptr, nullptr, arguments.data(), environ) == 0) return process;
  }
  return 0;
}

// Runs it to its end, with what it prints in `log`. False: none is installed.
bool run_gdb(const std::vector<std::string>& words, const std::filesystem::path& log) {
  for (const char* name : kGdbPrograms) {
    std::vector<std::string> line{name};
    line.insert(line.end(), words.begin(), words.end());
    const auto process = spawn_logged(std::move(line), log);
    if (!process) continue;
    while (::waitpid(*process, nullptr, 0) < 0 && errno == EINTR) {
    }
    return true;
  }
  return false;
}

}  // namespace

tl::unexpected<Failure> no_gdb() {
  return fail(ExitCode::kFailed, "neither gdb-multiarch nor arm-none-eabi-gdb is installed",
              "on Debian:  apt install gdb-multiarch");
}

Result GdbProcess::start(std::uint16_t port, const std::string& elf, std::function<void()> ended) {
  std::vector<std::string> words = {"-q", "-ex", "set remotetimeout 30", "-ex",
                                    fmt::format("target remote 127.0.0.1:{}", port)};
  if (!elf.empty()) words.push_back(elf);
  process_ = start_gdb(std::move(words));
  if (process_ == 0) return no_gdb();
  ended_ = std::move(ended);
  wait();
  return {};
}

void GdbProcess::wait() {
  children_.async_wait([this](auto error, int) {
    if (!error && process_ != 0) wait();
  });
  // It may have ended before the wait began.
  if (::waitpid(process_, nullptr, WNOHANG) != process_) return;
  process_ = 0;
  boost::system::error_code ignored;
  children_.cancel(ignored);
  ended_();
}

tl::expected<std::vector<std::string>, Failure> gdb_backtrace(const std::string& elf, const gdb::Crash& crash,
                                                              const std::filesystem::path& folder) {
  constexpr const char* kMark = "mv-backtrace";
  const std::string core = (folder / "core").string();
  const auto log = folder / "gdb.log";
  if (const auto written = gdb::write_core_file(crash, core); !written)
    return fail(ExitCode::kFailed, written.error().text);
  if (!run_gdb({"-nx", "-q", "-batch", "-ex", "set style enabled off", "-ex", "set width 0", "-ex",
                fmt::format("echo \\n{}\\n", kMark), "-ex", "backtrace 64", elf, core},
               log))
    return no_gdb();
  auto lines = last_lines(log, kMostLines);
  const auto mark = std::find(lines.begin(), lines.end(), kMark);
  if (mark == lines.end() || std::next(mark) == lines.end())
    return fail(ExitCode::kFailed, "GDB made no backtrace" + (lines.empty() ? "" : ": " + lines.back()));
  lines.erase(lines.begin(), std::next(mark));
  return lines;
}

}  // namespace mv::cli
