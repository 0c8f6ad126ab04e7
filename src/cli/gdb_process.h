// The real GDB: started in the terminal, ready connected to our server, or run over a core file for what it prints.
#pragma once

#include <sys/types.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "cli/failure.h"
#include "gdbserver/target/crash.h"

namespace mv::cli {

// What GDB may be called, the best first; and the failure that none of them is installed.
inline constexpr std::array kGdbPrograms = {"gdb-multiarch", "arm-none-eabi-gdb"};
tl::unexpected<Failure> no_gdb();

// A GDB that has the terminal, and Ctrl-C as its own, until it ends.
class GdbProcess {
 public:
  // The context outlives the process.
  explicit GdbProcess(boost::asio::io_context& context) : children_(context, SIGCHLD) {}

  // `elf` may be empty. `ended` is called once, from the event loop or from within this call.
  //
  // kFailed: no GDB is installed.
  Result start(std::uint16_t port, const std::string& elf, std::function<void()> ended);

  bool running() const { return process_ != 0; }

 private:
  void wait();

  boost::asio::signal_set children_;
  std::function<void()> ended_;
  pid_t process_ = 0;
};

// The frames that GDB's `backtrace` prints for a crash, one a line, the innermost first; a last line may say why it
// stopped. Reads no settings of the person. `folder` is for files on the way, which stay.
//
// kFailed: no GDB is installed, or it cannot read the files.
tl::expected<std::vector<std::string>, Failure> gdb_backtrace(const std::string& elf, const gdb::Crash& crash,
                                                              const std::filesystem::path& folder);

}  // namespace mv::cli
