// The `monitor` commands: names, help, and what each one is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mv::gdb {

enum class MonitorCommand : std::uint8_t {
  kUnknown,
  kHelp,
  kStatus,
  kReset,
  kHalt,
  kStepInterruptsOn,
  kStepInterruptsOff,
  kFaultsStop,
  kFaultsReflect
};

// Blanks around and between the words do not matter. `reset`, `reset halt` and `reset run` are one: GDB believes that
// the application stands still, so it does.
MonitorCommand parse_monitor(std::string_view text);

std::string monitor_help();

}  // namespace mv::gdb
