// One run of `mvctl crashes debug`: the GDB server on a port, and a crash record behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/elf_choice.h"
#include "cli/program.h"
#include "gdbserver/target/crash.h"

namespace mv::cli {

struct CrashPlan {
  gdb::Crash crash;
  std::string label;  // "crash 7 of porch"
  std::optional<ChosenElf> elf;
  std::uint16_t port = 0;  // 0: any that is free
  bool start_gdb = false;
};

// Serves until Ctrl-C, or until GDB ends if it was started here. kFailed: the port is taken, or there is no GDB.
Result serve_crash(Program& program, CrashPlan plan);

}  // namespace mv::cli
