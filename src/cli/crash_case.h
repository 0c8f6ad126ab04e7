// The crash that a person means, with all that is known about it: the cloud's record and the ELF of the build.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/cloud_client.h"
#include "cli/crash_report.h"
#include "cli/elf_choice.h"
#include "cli/program.h"
#include "gdbserver/target/source_place.h"

namespace mv::cli {

struct WantedCrash {
  std::string device;
  std::optional<std::string> crash;  // its number in `mvctl crashes list`; none: the newest
  std::optional<std::string> elf;    // none: the matching one that lies here
};

struct CrashCase {
  std::string device;  // how to call it to a person
  CrashReport report;
  std::string app;  // "weather 1.4.2"; empty if the cloud has it no more
  std::vector<std::uint8_t> build_id;
  std::optional<ChosenElf> elf;

  std::string label() const;  // "crash 7 of porch"

  // "bus fault: write to 0x40004400, precise, from main.c:88"
  std::string cause() const;

  // Of the instruction that is to blame.
  std::optional<gdb::SourcePlace> source() const;
};

// "weather 1.4.2"
std::string app_name(const App& app);

// Asks the cloud, then does `work` without it. Errors: what the cloud says, kUsage, kNotFound, those of choose_elf and
// of `work`.
Result with_crash(Program& program, const WantedCrash& wanted, const std::function<Result(CrashCase&)>& work);

}  // namespace mv::cli
