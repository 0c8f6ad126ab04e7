// mvctl crashes: what devices recorded when their applications crashed; the cause, a backtrace, GDB on it, a core file.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/crash_report.h"
#include "cli/crash_session.h"
#include "cli/elf_choice.h"
#include "cli/gdb_process.h"
#include "gdbserver/target/source_place.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;
namespace arm = gdb::arm;

constexpr int kDefaultPort = 8001;
constexpr int kLastPort = 65535;
constexpr std::size_t kLr = 14;

struct CrashOptions {
  std::string device;
  std::optional<std::string> crash;
  std::optional<std::string> elf;
  std::string out;
  int port = kDefaultPort;
  bool gdb = false;
};

// A crash with all that is known about it.
struct Case {
  std::string device;  // how to call it to a person
  CrashReport report;
  std::string app;  // "weather 1.4.2"; empty if the cloud has it no more
  std::vector<std::uint8_t> build_id;
  std::optional<ChosenElf> elf;

  std::string label() const { return fmt::format("crash {} of {}", report.id, device); }
};

std::string app_name(const App& app) { return app.name + (app.version.empty() ? "" : " " + app.version); }

std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto [end, error] = std::from_chars(&text[2 * i], &text[2 * i] + 2, bytes[i], 16);
    if (error != std::errc() || end != &text[2 * i] + 2) return {};
  }
  return bytes;
}

// ---- the crash that is meant ----

Answer<ordered_json> fetch_newest(CloudClient& cloud, const Device& device) {
  const auto page = cloud.get("/Devices/" + device.sid + "/Crashes", {{"PageSize", "1"}});
  if (!page) return tl::make_unexpected(page.error());
  if (page->contains("crashes") && (*page)["crashes"].is_array() && !(*page)["crashes"].empty())
    return (*page)["crashes"][0];
  return fail(ExitCode::kNotFound, "no crash of " + device.label() + " is recorded");
}

Answer<ordered_json> fetch_crash(CloudClient& cloud, const Device& device, const std::optional<std::string>& crash) {
  if (!crash) return fetch_newest(cloud, device);
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(crash->data(), crash->data() + crash->size(), id);
  if (error != std::errc() || end != crash->data() + crash->size())
    return fail(ExitCode::kUsage, "'" + *crash + "' names no crash: it is a number",
                "see them:  mvctl crashes list " + device.label());
  return cloud.crash(device.sid, id);
}

// A crash outlives its application in the cloud: then nothing but the hash is known of it.
Result take_app(CloudClient& cloud, Case& it) {
  const auto apps = cloud.apps();
  if (!apps) return tl::make_unexpected(apps.error());
  const auto app =
      std::find_if(apps->begin(), apps->end(), [&](const App& a) { return a.hash == it.report.manifest_hash; });
  if (app == apps->end()) return {};
  it.app = app_name(*app);
  it.build_id = from_hex(text_of(app->document, "build_id"));
  return {};
}

Answer<Case> open_case(Program& program, CloudClient& cloud, const CrashOptions& options) {
  const auto device = cloud.device(options.device);
  if (!device) return tl::make_unexpected(device.error());
  auto document = fetch_crash(cloud, *device, options.crash);
  if (!document) return tl::make_unexpected(document.error());
  auto report = parse_crash_report(std::move(*document));
  if (!report) return tl::make_unexpected(report.error());
  Case it{printable(device->label()), std::move(*report), "", {}, std::nullopt};
  if (auto taken = take_app(cloud, it); !taken) return tl::make_unexpected(taken.error());
  auto elf = choose_elf(
      options.elf,
      {.build_id = it.build_id, .whose = it.label() + " is of", .hint = "name the ELF of that build with --elf"});
  if (!elf) return tl::make_unexpected(elf.error());
  it.elf = std::move(*elf);
  if (!it.elf) program.output().note("no ELF of the build that crashed is found here: name it with --elf");
  if (it.elf && it.build_id.empty())
    program.output().warning("the cloud does not know which build crashed: lines are right only if " + it.elf->path +
                             " is the one");
  return it;
}

Result with_case(Program& program, const CrashOptions& options, const std::function<Result(Case&)>& work) {
  std::optional<Case> it;
  const auto opened = with_cloud(program, [&](CloudClient& cloud) -> Result {
    auto found = open_case(program, cloud, options);
    if (!found) return tl::make_unexpected(found.error());
    it = std::move(*found);
    return {};
  });
  return opened ? work(*it) : opened;
}

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

std::optional<gdb::SourcePlace> source_of(const Case& it, std::uint32_t address) {
  return it.elf ? gdb::find_source(it.elf->image.path, address & ~1U) : std::nullopt;
}

std::string file_and_line(const gdb::SourcePlace& place) {
  return fmt::format("{}:{}", std::filesystem::path(place.file).filename().string(), place.line);
}

bool in_image(const gdb::ElfImage& image, std::uint32_t address) {
  return std::any_of(image.read_only.begin(), image.read_only.end(), [&](const gdb::ElfImage::Piece& piece) {
    return address >= piece.address && address - piece.address < piece.bytes.size();
  });
}

std::uint32_t word_at(const std::vector<std::uint8_t>& bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16) |
         static_cast<std::uint32_t>(bytes[at + 3]) << 24;
}

// The call that the first thing on the stack that may be a return address came from: an odd address behind code.
std::optional<gdb::SourcePlace> first_caller_on_stack(const Case& it) {
  if (!it.elf) return std::nullopt;
  for (const gdb::Crash::Memory& memory : it.report.crash.memory) {
    for (std::size_t at = 0; at + 4 <= memory.bytes.size(); at += 4) {
      const std::uint32_t word = word_at(memory.bytes, at);
      if ((word & 1U) == 0 || !in_image(it.elf->image, word - 2)) continue;
      if (auto place = source_of(it, word - 2)) return place;
    }
  }
  return std::nullopt;
}

// "bus fault: precise data access at 0x60000000, from main.c:88". After a call of an address that is no code the line
// of the call says more.
std::string cause(const Case& it) {
  const gdb::Crash& crash = it.report.crash;
  const std::string what = describe_crash(crash);
  const std::uint32_t pc = crash.registers.core[arm::kPc];
  if (!crash.registers.core_valid) {
    const auto caller = first_caller_on_stack(it);
    return what + ", no pc could be stored" +
           (caller
                ? fmt::format("; the stack begins with a call from {} ({})", file_and_line(*caller), caller->function)
                : "");
  }
  if (const auto place = source_of(it, pc)) return what + ", from " + file_and_line(*place);
  // A return address is behind the call.
  if (const auto caller = source_of(it, (crash.registers.core[kLr] & ~1U) - 1))
    return what + fmt::format(", from 0x{:08x}, last called from {}", pc, file_and_line(*caller));
  return what + fmt::format(", from 0x{:08x}", pc);
}

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

// By the real GDB, which unwinds what nobody else does: leaf functions, exception frames.
Answer<std::vector<std::string>> backtrace(const Case& it) {
  if (!it.elf || !it.report.crash.registers.core_valid) return std::vector<std::string>{};
  const TemporaryFolder folder;
  if (folder.path().empty()) return fail(ExitCode::kFailed, "no temporary folder can be made for the backtrace");
  return gdb_backtrace(it.elf->image.path, it.report.crash, folder.path());
}

std::string register_lines(const gdb::Crash& crash) {
  constexpr std::array kNames = {"r0", "r1",  "r2",  "r3",  "r4", "r5", "r6", "r7",  "r8",
                                 "r9", "r10", "r11", "r12", "sp", "lr", "pc", "xpsr"};
  constexpr std::size_t kOnALine = 4;
  std::string lines;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const bool known = arm::read_register(crash.registers, static_cast<std::uint32_t>(i)).has_value();
    lines += i % kOnALine == 0 ? "\n          " : "  ";
    lines += fmt::format("{:<4} ", kNames[i]) +
             (known ? fmt::format("0x{:08x}", crash.registers.core[i]) : std::string("not stored"));
  }
  return lines.substr(11);
}

std::string describe(const Case& it, const std::vector<std::string>& frames) {
  const CrashReport& report = it.report;
  const arm::FaultRegisters& fault = report.crash.fault;
  std::string lines = fmt::format("crash     {} of {}, {} ({})\n", report.id, it.device, how_long_ago(report.received),
                                  printable(report.received));
  lines += "cause     " + printable(cause(it)) + "\n";
  lines += fmt::format("ran       {}, {:.1f} s after the microvisor booted\n",
                       it.app.empty() ? short_hash(report.manifest_hash) : printable(it.app),
                       static_cast<double>(report.uptime_us) / 1e6);
  lines += "elf       " + (it.elf ? it.elf->path : std::string("-")) + "\n";
  lines += "registers " + register_lines(report.crash) + "\n";
  lines += fmt::format(
      "faults    cfsr 0x{:08x}  hfsr 0x{:08x}  mmfar 0x{:08x}\n          bfar 0x{:08x}  sfsr 0x{:08x}  sfar  "
      "0x{:08x}\n",
      fault.cfsr, fault.hfsr, fault.mmfar, fault.bfar, fault.sfsr, fault.sfar);
  for (const auto& memory : report.crash.memory)
    lines += fmt::format("stack     {} bytes from 0x{:08x} on\n", memory.bytes.size(), memory.address);
  if (!frames.empty()) lines += "\n";
  for (const std::string& frame : frames) lines += frame + "\n";
  return lines;
}

ordered_json document_of(const Case& it, const std::vector<std::string>& frames) {
  ordered_json document = it.report.document;
  document["cause"] = cause(it);
  document["app"] = it.app.empty() ? ordered_json() : ordered_json(it.app);
  document["elf"] = it.elf ? ordered_json(it.elf->path) : ordered_json();
  document["source"] = ordered_json();
  if (const auto place = source_of(it, it.report.crash.registers.core[arm::kPc]))
    document["source"] = {{"function", place->function}, {"file", place->file}, {"line", place->line}};
  document["backtrace"] = frames;
  return document;
}

Result show_crash(Program& program, const CrashOptions& options) {
  return with_case(program, options, [&](Case& it) -> Result {
    auto frames = backtrace(it);
    // What is known without GDB is worth showing.
    if (!frames) program.output().warning("no backtrace: " + frames.error().message);
    const std::vector<std::string> shown = frames ? std::move(*frames) : std::vector<std::string>();
    program.output().result(document_of(it, shown), describe(it, shown));
    return {};
  });
}

// ---- debug, core ----

Result debug_crash(Program& program, const CrashOptions& options) {
  if (options.port < 0 || options.port > kLastPort)
    return fail(ExitCode::kUsage,
                fmt::format("{} is no port: 1 to {}, or 0 for any that is free", options.port, kLastPort));
  return with_case(program, options, [&](Case& it) {
    program.output().step("crash", printable(it.device + ": " + cause(it)));
    if (it.elf) program.output().step("elf", it.elf->path);
    return serve_crash(program, {.crash = it.report.crash,
                                 .label = it.label(),
                                 .elf = std::move(it.elf),
                                 .port = static_cast<std::uint16_t>(options.port),
                                 .start_gdb = options.gdb});
  });
}

Result write_core(Program& program, const CrashOptions& options) {
  return with_case(program, options, [&](Case& it) -> Result {
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
  command.argument("DEVICE", &options.device, "name, id or unique prefix").complete(Completion::kDevice);
}

void add_crash_arguments(Command& command, CrashOptions& options) {
  add_device_argument(command, options);
  command.argument("CRASH", &options.crash, "its number in mvctl crashes list").shows_default("the newest");
  command.option("--elf,-e", "FILE", &options.elf, "the program that crashed, with its debug information")
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
    return with_cloud(program, [&](CloudClient& cloud) { return list_crashes(program, cloud, options->device); });
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
