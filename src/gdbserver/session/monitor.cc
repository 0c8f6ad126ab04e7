#include "gdbserver/session/monitor.h"

#include <algorithm>
#include <array>
#include <sstream>

#include <fmt/format.h>

namespace mv::gdb {
namespace {

struct Entry {
  std::string_view name;
  MonitorCommand command;
  std::string_view help;  // empty: another name of one above
};

constexpr std::array kEntries = {
    Entry{"help", MonitorCommand::kHelp, "this list"},
    Entry{"status", MonitorCommand::kStatus, "device, link, round trips so far, breakpoints in use"},
    Entry{"reset", MonitorCommand::kReset, "restart the application and stop at its first instruction"},
    Entry{"reset halt", MonitorCommand::kReset, ""},
    Entry{"reset run", MonitorCommand::kReset, ""},
    Entry{"step-interrupts on", MonitorCommand::kStepInterruptsOn, "take the application's interrupts while stepping"},
    Entry{"step-interrupts off", MonitorCommand::kStepInterruptsOff,
          "hold them back until a step is done, as at first"},
    Entry{"faults stop", MonitorCommand::kFaultsStop, "a fault stops the application, as at first"},
    Entry{"faults reflect", MonitorCommand::kFaultsReflect, "faults go to the application's own HardFault handler"},
    Entry{"halt", MonitorCommand::kHalt, "nothing to do: the application is halted whenever GDB takes a command"},
};

std::string normal(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::string out;
  for (std::string word; words >> word;) out += (out.empty() ? "" : " ") + word;
  return out;
}

}  // namespace

MonitorCommand parse_monitor(std::string_view text) {
  const std::string name = normal(text);
  const auto found = std::find_if(kEntries.begin(), kEntries.end(), [&](const Entry& e) { return e.name == name; });
  return found == kEntries.end() ? MonitorCommand::kUnknown : found->command;
}

std::string monitor_help() {
  std::string text;
  for (const Entry& entry : kEntries)
    if (!entry.help.empty()) text += fmt::format("monitor {:<19} {}\n", entry.name, entry.help);
  return text;
}

}  // namespace mv::gdb
