#include "emulator/qemu.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace mv::emulator {
namespace {

constexpr int kPowerFailed = 86;  // emulator/qemu-stm32u585/hw/power_cut.c

// In a list of key=value a comma ends the value; QEMU takes two for one.
std::string escaped(const std::filesystem::path& path) {
  std::string out;
  for (const char c : path.string()) out.append(c == ',' ? ",," : std::string(1, c));
  return out;
}

std::string socket_chardev(const std::string& id, const std::filesystem::path& socket,
                           const std::filesystem::path& log) {
  const std::string logged = log.empty() ? "" : ",logfile=" + escaped(log) + ",logappend=on";
  return "socket,id=" + id + ",path=" + escaped(socket) + ",server=on,wait=off" + logged;
}

// In the child, between fork and exec: only calls that are safe there (signal-safety(7)).
[[noreturn]] void become_qemu(char* const* arguments, int log, int failure, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before that took effect.
  if (::getppid() != parent) ::_exit(126);
  // Ctrl-C in the terminal is for the supervisor, which ends its machine in good order.
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  // The supervisor's sockets are not for QEMU.
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execvp(arguments[0], arguments);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(failure, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

namespace {

std::vector<std::string> machine_options(const Machine& machine) {
  if (machine.board->has_nor) {
    std::string options =
        std::string(machine.board->name) + ",flash=" + escaped(machine.flash) + ",nor=" + escaped(machine.nor);
    if (!machine.flash_count.empty()) options += ",count-file=" + escaped(machine.flash_count);
    if (machine.cut) options += ",cut-at=" + std::to_string(machine.cut->operation);
    if (machine.cut && machine.cut->torn) options += ",cut-torn=on";
    return {"-machine", options};
  }
  return {"-machine", std::string(machine.board->name) + ",memory-backend=flash",
          "-object",  "memory-backend-file,id=flash,size=16M,share=on,mem-path=" + escaped(machine.flash),
          "-kernel",  machine.boot_rom.string()};
}

}  // namespace

std::vector<std::string> command_line(const Machine& machine) {
  std::vector<std::string> line = {machine.program.empty() ? std::string(machine.board->qemu)
                                                           : machine.program.string()};
  const auto add = [&line](std::initializer_list<std::string> words) { line.insert(line.end(), words); };
  const auto options = machine_options(machine);
  line.insert(line.end(), options.begin(), options.end());
  add({"-nographic", "-monitor", "none", "-no-user-config", "-nodefaults", "-nic", "none"});
  const auto add_serial = [&](const std::filesystem::path& wanted, const std::string& id, const std::string& chardev) {
    if (wanted.empty()) return add({"-serial", "null"});
    add({"-chardev", chardev, "-serial", "chardev:" + id});
  };
  add_serial(machine.modem_socket, "modem", "socket,id=modem,path=" + escaped(machine.modem_socket));
  add({"-chardev", socket_chardev("console", machine.console_socket, machine.console_log), "-serial",
       "chardev:console"});
  add_serial(machine.application_log, "application",
             "file,id=application,append=on,path=" + escaped(machine.application_log));
  return line;
}

std::string describe_exit(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int signal = WTERMSIG(wait_status);
    // A fault inside the Secure HardFault handler locks the core up, and QEMU 7.2 aborts on that.
    if (signal == SIGABRT) return "the microvisor is in lockup (QEMU ended with SIGABRT); see its console log";
    if (signal == SIGKILL) return "power was cut";
    return std::string("QEMU was ended by signal ") + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  }
  const int code = WEXITSTATUS(wait_status);
  if (code == kPowerFailed) return "the power failed at a flash operation, as ordered";
  return code == 0 ? "the machine was switched off" : "QEMU ended with status " + std::to_string(code);
}

Qemu::Qemu(boost::asio::io_context& context) : child_signal_(context, SIGCHLD) {}

Qemu::~Qemu() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

tl::expected<void, std::string> Qemu::start(const Machine& machine, OnExit on_exit) {
  if (pid_ > 0) return tl::make_unexpected("the machine has power already");
  const std::vector<std::string> line = command_line(machine);
  std::vector<char*> arguments;
  for (const std::string& word : line) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);

  const int log = ::open(machine.qemu_log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int failure[2];
  if (log < 0 || ::pipe2(failure, O_CLOEXEC) != 0) {
    return tl::make_unexpected("cannot write " + machine.qemu_log.string() + ": " + ::strerror(errno));
  }
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become_qemu(arguments.data(), log, failure[1], parent);
  const int fork_error = errno;
  ::close(log);
  ::close(failure[1]);
  // The pipe closes by itself when exec succeeds.
  int error = 0;
  const bool failed = child > 0 && ::read(failure[0], &error, sizeof error) == sizeof error;
  ::close(failure[0]);
  if (child < 0) return tl::make_unexpected(std::string("cannot start a process: ") + ::strerror(fork_error));
  if (failed) {
    ::waitpid(child, nullptr, 0);
    return tl::make_unexpected("cannot run " + line.front() + ": " + ::strerror(error) + "; " +
                               std::string(machine.board->qemu_missing));
  }
  pid_ = child;
  on_exit_ = std::move(on_exit);
  watch();
  return {};
}

void Qemu::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  if (::waitpid(pid_, &status, 0) == pid_) ended(status);
}

void Qemu::watch() {
  child_signal_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) reap();
  });
}

void Qemu::reap() {
  if (pid_ <= 0) return;  // `kill` was faster
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return watch();
  ended(status);
}

void Qemu::ended(int status) {
  pid_ = 0;
  child_signal_.cancel();
  const auto call = std::exchange(on_exit_, nullptr);
  if (call) call(status);
}

}  // namespace mv::emulator
