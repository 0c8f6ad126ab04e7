// One QEMU process: the machine of an emulated device.
//
// The process dies with the thread that started it (PR_SET_PDEATHSIG), and is ended by its own id, never by name.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <tl/expected.hpp>

#include "emulator/board.h"

namespace mv::emulator {

// Power that fails at an operation on flash or NOR, counted from 1 at power-on: before it begins, or in its midst,
// which leaves half of it behind.
struct PowerCut {
  std::uint64_t operation = 0;
  bool torn = false;
};

struct Machine {
  const EmulatedBoard* board = find_emulated_board("mps2-an505");
  std::filesystem::path program;          // QEMU; empty: the board's, from the PATH
  std::filesystem::path boot_rom;         // boot-rom.elf, of boards whose flash does not hold it
  std::filesystem::path flash;            // written through
  std::filesystem::path nor;              // likewise, of boards that have one
  std::filesystem::path modem_socket;     // the first UART connects here; empty: nothing is on it
  std::filesystem::path console_socket;   // the second, the microvisor's console, can be looked at here
  std::filesystem::path console_log;      // and here; empty: nowhere
  std::filesystem::path application_log;  // the third, the application's console; empty: nothing is on it
  std::filesystem::path qemu_log;         // what QEMU itself has to say
  std::filesystem::path flash_count;  // of boards that count: the operations since power-on, in decimal; empty: nowhere
  std::optional<PowerCut> cut;        // only for boards that count
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
