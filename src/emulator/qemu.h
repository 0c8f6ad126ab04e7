// One QEMU process: the machine of an emulated device.
//
// The process dies with the thread that started it (PR_SET_PDEATHSIG), and is ended by its own id, never by name.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <tl/expected.hpp>

namespace mv::emulator {

struct Machine {
  std::string program = "qemu-system-arm";
  std::filesystem::path boot_rom;        // boot-rom.elf
  std::filesystem::path flash;           // 16 MiB file, written through
  std::filesystem::path modem_socket;    // UART0 connects here
  std::filesystem::path console_socket;  // UART1, the microvisor's console, can be looked at here
  std::filesystem::path console_log;
  std::filesystem::path application_log;  // UART2, the application's console
  std::filesystem::path qemu_log;         // what QEMU itself has to say
};

// The command line, program first. Semihosting stays off: with it a BKPT 0xAB of the application would reach QEMU.
std::vector<std::string> command_line(const Machine& machine);

// How the process ended, as a sentence: "the microvisor is in lockup (QEMU ended with SIGABRT)".
std::string describe_exit(int wait_status);

class Qemu {
 public:
  using OnExit = std::function<void(int wait_status)>;

  explicit Qemu(boost::asio::io_context& context);
  ~Qemu();
  Qemu(const Qemu&) = delete;
  Qemu& operator=(const Qemu&) = delete;

  // Starts the machine; `on_exit` is called from the io_context when it has ended. Error: a sentence.
  tl::expected<void, std::string> start(const Machine& machine, OnExit on_exit);

  // Cuts the power: SIGKILL, and the machine is gone when this returns. `on_exit` is called from within.
  void kill();

  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }

 private:
  void watch();
  void reap();
  void ended(int status);

  boost::asio::signal_set child_signal_;
  OnExit on_exit_;
  pid_t pid_ = 0;
};

}  // namespace mv::emulator
