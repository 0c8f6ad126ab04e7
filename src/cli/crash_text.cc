#include "cli/crash_text.h"

#include <array>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "cli/cloud_command.h"
#include "cli/gdb_process.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;
namespace arm = gdb::arm;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "mvctl-crash-XXXXXX").string();
    if (!error && ::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;  // empty: it could not be made
};

std::string register_lines(const gdb::Crash& crash) {
  constexpr std::array kNames = {"r0", "r1",  "r2",  "r3",  "r4", "r5", "r6", "r7",  "r8",
                                 "r9", "r10", "r11", "r12", "sp", "lr", "pc", "xpsr"};
  constexpr std::size_t kOnALine = 4;
  std::string lines;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const bool known = crash.registers.core_valid || i == arm::kSp;
    lines += i % kOnALine == 0 ? "\n          " : "  ";
    lines += fmt::format("{:<4} ", kNames[i]) +
             (known ? fmt::format("0x{:08x}", crash.registers.core[i]) : std::string("not stored"));
  }
  return lines.substr(11);
}

// Those that say how the application was set up when it crashed.
std::string system_line(const arm::RegisterFile& file) {
  if (!file.has_system) return "";
  const auto& system = file.system;
  return fmt::format("          msp  0x{:08x}  psp  0x{:08x}  control {}\n", system[0], system[1], system[5]) +
         fmt::format("          primask {}  basepri 0x{:02x}  faultmask {}\n", system[2], system[3], system[4]);
}

std::string fault_lines(const fault::Fault& fault) {
  return fmt::format("faults    cfsr 0x{:08x}  hfsr 0x{:08x}  mmfar 0x{:08x}\n", fault.cfsr, fault.hfsr, fault.mmfar) +
         fmt::format("          bfar 0x{:08x}  sfsr 0x{:08x}  sfar  0x{:08x}\n", fault.bfar, fault.sfsr, fault.sfar);
}

}  // namespace

Answer<std::vector<std::string>> backtrace(const CrashCase& it) {
  if (!it.elf || !it.report.crash.registers.core_valid) return std::vector<std::string>{};
  const TemporaryFolder folder;
  if (folder.path().empty()) return fail(ExitCode::kFailed, "no temporary folder can be made for the backtrace");
  return gdb_backtrace(it.elf->image.path, it.report.crash, folder.path());
}

std::string crash_text(const CrashCase& it, const std::vector<std::string>& frames) {
  const CrashReport& report = it.report;
  std::string lines = fmt::format("crash     {} of {}, {} ({})\n", report.id, it.device, how_long_ago(report.received),
                                  printable(report.received));
  lines += "cause     " + printable(it.cause()) + "\n";
  lines += fmt::format("ran       {}, {:.1f} s after the microvisor booted\n",
                       it.app.empty() ? short_hash(report.manifest_hash) : printable(it.app),
                       static_cast<double>(report.uptime_us) / 1e6);
  lines += "elf       " + (it.elf ? it.elf->path : std::string("-")) + "\n";
  lines += "registers " + register_lines(report.crash) + "\n";
  lines += system_line(report.crash.registers);
  lines += fault_lines(report.crash.fault);
  for (std::size_t i = 0; i < report.crash.memory.size(); ++i)
    lines += fmt::format("{:<9} {} bytes from 0x{:08x} on\n", i < report.crash.stack_pieces ? "stack" : "memory",
                         report.crash.memory[i].bytes.size(), report.crash.memory[i].address);
  if (!frames.empty()) lines += "\n";
  for (const std::string& frame : frames) lines += frame + "\n";
  return lines;
}

ordered_json crash_document(const CrashCase& it, const std::vector<std::string>& frames) {
  ordered_json document = it.report.document;
  document["cause"] = it.cause();
  document["app"] = it.app.empty() ? ordered_json() : ordered_json(it.app);
  document["elf"] = it.elf ? ordered_json(it.elf->path) : ordered_json();
  document["source"] = ordered_json();
  if (const auto place = it.source())
    document["source"] = {{"function", place->function}, {"file", place->file}, {"line", place->line}};
  document["backtrace"] = frames;
  return document;
}

}  // namespace mv::cli
