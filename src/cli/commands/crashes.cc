// mvctl crashes: what devices recorded when their applications crashed; the cause, a backtrace, GDB on it, a core file.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/crash_session.h"
#include "cli/crash_text.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;
namespace arm = gdb::arm;

constexpr int kDefaultPort = 8001;
constexpr int kLastPort = 65535;

struct CrashOptions {
  WantedCrash wanted;
  std::string out;
  int port = kDefaultPort;
  bool gdb = false;
};

// ---- list ----

Result list_crashes(Program& program, CloudClient& cloud, const std::string& name) {
  const auto device = cloud.device(name);
  if (!device) return tl::make_unexpected(device.error());
  const auto documents = cloud.crashes(device->sid);
  if (!documents) return tl::make_unexpected(documents.error());
  const auto apps = cloud.apps();
  if (!apps) return tl::make_unexpected(apps.error());
  Table table({"CRASH", "WHEN", "CAUSE", "PC", "RAN"});
  for (const ordered_json& document : *documents) {
    const auto report = parse_crash_report(document);
    if (!report) return tl::make_unexpected(report.error());
    const auto app =
        std::find_if(apps->begin(), apps->end(), [&](const App& a) { return a.hash == report->manifest_hash; });
    table.row({std::to_string(report->id), how_long_ago(report->received), printable(describe_crash(report->crash)),
               report->crash.registers.core_valid ? fmt::format("0x{:08x}", report->crash.registers.core[arm::kPc])
                                                  : std::string("-"),
               app == apps->end() ? short_hash(report->manifest_hash) : printable(app_name(*app))});
  }
  program.output().result({{"crashes", *documents}}, documents->empty()
                                                         ? "no crash of " + printable(device->label()) + " is recorded"
                                                         : table.text(program.output()));
  return {};
}

// ---- show ----

Result show_crash(Program& program, const CrashOptions& options) {
  return with_crash(program, options.wanted, [&](CrashCase& it) -> Result {
    auto frames = backtrace(it);
    // What is known without GDB is worth showing.
    if (!frames) program.output().warning("no backtrace: " + frames.error().message);
    const std::vector<std::string> shown = frames ? std::move(*frames) : std::vector<std::string>();
    program.output().result(crash_document(it, shown), crash_text(it, shown));
    return {};
  });
}

// ---- debug, core ----

Result debug_crash(Program& program, const CrashOptions& options) {
  if (options.port < 0 || options.port > kLastPort)
    return fail(ExitCode::kUsage,
                fmt::format("{} is no port: 1 to {}, or 0 for any that is free", options.port, kLastPort));
  return with_crash(program, options.wanted, [&](CrashCase& it) {
    program.output().step("crash", printable(it.device + ": " + it.cause()));
    if (it.elf) program.output().step("elf", it.elf->path);
    return serve_crash(program, {.crash = it.report.crash,
                                 .label = it.label(),
                                 .elf = std::move(it.elf),
                                 .port = static_cast<std::uint16_t>(options.port),
                                 .start_gdb = options.gdb});
  });
}

Result write_core(Program& program, const CrashOptions& options) {
  return with_crash(program, options.wanted, [&](CrashCase& it) -> Result {
    if (const auto written = gdb::write_core_file(it.report.crash, options.out); !written)
      return fail(ExitCode::kFailed, written.error().text);
    program.output().result({{"core", options.out}, {"elf", it.elf ? ordered_json(it.elf->path) : ordered_json()}},
                            fmt::format("{} is in {}; next: gdb-multiarch {} {}", it.label(), options.out,
                                        it.elf ? it.elf->path : "YOUR.elf", options.out));
    return {};
  });
}

// ---- the tree ----

void add_device_argument(Command& command, CrashOptions& options) {
  command.argument("DEVICE", &options.wanted.device, "name, id or unique prefix").complete(Completion::kDevice);
}

void add_crash_arguments(Command& command, CrashOptions& options) {
  add_device_argument(command, options);
  command.argument("CRASH", &options.wanted.crash, "its number in mvctl crashes list").shows_default("the newest");
  command.option("--elf,-e", "FILE", &options.wanted.elf, "the program that crashed, with its debug information")
      .shows_default("the matching one in this folder or in build/")
      .complete(Completion::kFile);
}

void add_list_verb(Command& crashes, Program& program) {
  Command& list = crashes.add("list", "the recorded crashes of a device, newest first");
  auto options = std::make_shared<CrashOptions>();
  add_device_argument(list, *options);
  list.example("mvctl crashes list porch", "when, why, where");
  list.example("mvctl crashes list porch --output json", "the whole records");
  list.run([options, &program] {
    return with_cloud(program,
                      [&](CloudClient& cloud) { return list_crashes(program, cloud, options->wanted.device); });
  });
}

void add_show(Command& crashes, Program& program) {
  Command& show = crashes.add("show", "why and where an application crashed, with a backtrace");
  show.describe(
      "Source lines and backtrace need the ELF of the build that crashed; the backtrace is made by GDB, from the part "
      "of "
      "the stack that the device recorded (mvctl bundle create --include-stack-bytes).");
  auto options = std::make_shared<CrashOptions>();
  add_crash_arguments(show, *options);
  show.example("mvctl crashes show porch", "the newest crash of porch");
  show.example("mvctl crashes show porch 12 --elf old/weather.elf", "an older one, of another build");
  show.run([options, &program] { return show_crash(program, *options); });
}

void add_debug_crash(Command& crashes, Program& program) {
  Command& debug = crashes.add("debug", "open a crash in GDB");
  debug.describe(
      "Opens a GDB server on this machine that shows the application as it crashed: registers and stack from the "
      "record, "
      "flash from the ELF. Nothing else can be read, and nothing can run or be changed. The device is not needed.");
  auto options = std::make_shared<CrashOptions>();
  add_crash_arguments(debug, *options);
  debug.option("--port,-p", "N", &options->port, "port to listen on; 0 takes any that is free")
      .shows_default(std::to_string(kDefaultPort));
  debug.flag("--gdb", options->gdb, "start GDB, ready connected, and end with it");
  debug.example("mvctl crashes debug porch --gdb", "look around in the newest crash of porch");
  debug.example("mvctl crashes debug porch 12 --port 0", "for an editor: prints the port it took");
  debug.run([options, &program] { return debug_crash(program, *options); });
}

void add_core(Command& crashes, Program& program) {
  Command& core = crashes.add("core", "write a crash as an ELF core file");
  auto options = std::make_shared<CrashOptions>();
  add_crash_arguments(core, *options);
  core.option("--out,-o", "FILE", &options->out, "where it goes").required().complete(Completion::kFile);
  core.example("mvctl crashes core porch --out core", "then: gdb-multiarch build/weather.elf core");
  core.example("mvctl crashes core porch 12 --out core.12", "an older one");
  core.run([options, &program] { return write_core(program, *options); });
}

}  // namespace

void add_crashes(Command& root, Program& program) {
  Command& crashes = root.add("crashes", "what devices recorded when their applications crashed");
  crashes.example("mvctl crashes list porch", "the recorded crashes of porch");
  crashes.example("mvctl crashes show porch", "why and where the last one happened");
  add_list_verb(crashes, program);
  add_show(crashes, program);
  add_debug_crash(crashes, program);
  add_core(crashes, program);
}

}  // namespace mv::cli
