#include "cli/gdb_machine.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <boost/asio/write.hpp>

#include "cli/gdb_process.h"

extern char** environ;

namespace mv::cli {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kLongestLine = 1U << 20;

struct Pipe {
  int read = -1;
  int write = -1;
};

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{ends[0], ends[1]};
}

// In a process group of its own; English, because some sentences are looked at.
int spawn(const char* name, const std::string& elf, int in, int out, pid_t& process) {
  std::vector<std::string> words = {name, "-nx", "-q", "--interpreter=mi3", elf};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::string english = "LC_ALL=C.UTF-8";
  std::vector<char*> environment{english.data()};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("LC_ALL=")) environment.push_back(*variable);
  }
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const int error = posix_spawnp(&process, name, &actions, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

MiAnswer silence() {
  MiAnswer answer;
  answer.error = "it does not answer";
  return answer;
}

// Takes one character, or one escape, from the front of `text`.
char take_character(std::string_view& text) {
  const auto next = [&] {
    const char character = text.front();
    text.remove_prefix(1);
    return character;
  };
  const char first = next();
  if (first != '\\' || text.empty()) return first;
  constexpr std::string_view kLetters = "abefnrtv";
  constexpr std::string_view kMeanings = "\a\b\x1B\f\n\r\t\v";
  if (const std::size_t which = kLetters.find(text.front()); which != std::string_view::npos) {
    text.remove_prefix(1);
    return kMeanings[which];
  }
  unsigned value = 0, digits = 0;
  for (; digits < 3 && !text.empty() && text.front() >= '0' && text.front() <= '7'; ++digits)
    value = 8 * value + static_cast<unsigned>(next() - '0');
  return digits != 0 ? static_cast<char>(value) : next();
}

}  // namespace

tl::expected<std::unique_ptr<GdbMachine>, Failure> GdbMachine::start(asio::io_context& io, const std::string& elf) {
  const auto in = make_pipe(), out = make_pipe();
  if (!in || !out) return fail(ExitCode::kFailed, "there are no file descriptors left");
  pid_t process = 0;
  for (const char* name : kGdbPrograms)
    if (process == 0 && spawn(name, elf, in->read, out->write, process) != 0) process = 0;
  ::close(in->read);
  ::close(out->write);
  std::unique_ptr<GdbMachine> machine(new GdbMachine(io, process, in->write, out->read));
  if (process == 0) return no_gdb();
  machine->read();
  return machine;
}

GdbMachine::GdbMachine(asio::io_context& io, pid_t process, int in, int out)
    : io_(io), process_(process), in_(io, in), out_(io, out) {
  buffer_.resize(4096);
}

GdbMachine::~GdbMachine() {
  if (process_ == 0) return;
  ::kill(process_, SIGKILL);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

MiAnswer GdbMachine::ask(const std::string& command) {
  if (!works_) return silence();
  answer_.reset();
  console_.clear();
  boost::system::error_code error;
  asio::write(in_, asio::buffer(command + "\n"), error);
  works_ = !error;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (works_ && !answer_) {
    if (io_.stopped()) io_.restart();
    io_.run_one_until(deadline);
    works_ = works_ && std::chrono::steady_clock::now() < deadline;
  }
  if (!answer_) return silence();
  answer_->console = std::move(console_);
  return std::move(*answer_);
}

void GdbMachine::read() {
  out_.async_read_some(asio::buffer(buffer_), [this](boost::system::error_code error, std::size_t size) {
    if (error == asio::error::operation_aborted) return;
    incoming_.append(buffer_, 0, size);
    works_ = works_ && !error && incoming_.size() < kLongestLine;
    for (std::size_t end = incoming_.find('\n'); end != std::string::npos; end = incoming_.find('\n')) {
      take_line(std::string_view(incoming_).substr(0, end));
      incoming_.erase(0, end + 1);
    }
    if (works_) read();
  });
}

// ^done,results  ^connected...  ^error,msg="..."  ~"console"; all else is of no interest.
void GdbMachine::take_line(std::string_view line) {
  if (line.starts_with("~")) console_ += mi_string(line.substr(1)).value_or("");
  if (!line.starts_with("^")) return;
  MiAnswer answer;
  answer.done = !line.starts_with("^error");
  const std::size_t comma = line.find(',');
  if (comma != std::string_view::npos) answer.results = line.substr(comma + 1);
  if (!answer.done) {
    const auto messages = mi_fields(answer.results, "msg");
    answer.error = messages.empty() ? "GDB gives no reason" : messages.front();
  }
  answer_ = std::move(answer);
}

std::string mi_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char character : text) {
    if (character == '"' || character == '\\') out += '\\';
    out += character;
  }
  return out + "\"";
}

std::optional<std::string> mi_string(std::string_view text) {
  if (!text.starts_with("\"")) return std::nullopt;
  text.remove_prefix(1);
  std::string out;
  while (!text.empty() && text.front() != '"') out += take_character(text);
  return out;
}

std::vector<std::string> mi_fields(std::string_view results, std::string_view name) {
  std::vector<std::string> values;
  bool at_name = true;
  while (!results.empty()) {
    if (at_name && results.starts_with(name) && results.substr(name.size()).starts_with("=\"")) {
      values.push_back(*mi_string(results.substr(name.size() + 1)));
    }
    at_name = results.front() == ',' || results.front() == '{' || results.front() == '[';
    if (results.front() != '"') {
      results.remove_prefix(1);
      continue;
    }
    results.remove_prefix(1);
    while (!results.empty() && results.front() != '"') take_character(results);
    if (!results.empty()) results.remove_prefix(1);
  }
  return values;
}

}  // namespace mv::cli
