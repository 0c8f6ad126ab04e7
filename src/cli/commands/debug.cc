// mvctl debug: a GDB server on this machine for the application on a device, over the air.
#include <memory>
#include <optional>
#include <ostream>

#include <fmt/format.h>

#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/crash_session.h"
#include "cli/debug_session.h"
#include "cli/elf_choice.h"
#include "gdbserver/target/cause.h"

namespace mv::cli {
namespace {

constexpr int kDefaultPort = 8001;
constexpr int kLastPort = 65535;

struct DebugOptions {
  DebugChoice choice;
  std::optional<std::string> sign_key;
  std::optional<std::string> core;
  int port = kDefaultPort;
  bool gdb = false;
  bool read_only = false;
  bool usb = false;
  LineChoice line;
};

// What `mvctl crashes core` wrote, without a cloud.
Result debug_core(Program& program, const DebugOptions& options) {
  auto crash = gdb::load_core_file(*options.core);
  if (!crash)
    return fail(crash.error().code == gdb::ErrorCode::kNotFound ? ExitCode::kNotFound : ExitCode::kFailed,
                crash.error().text, "mvctl crashes core writes one");
  auto elf = choose_elf(options.choice.elf, {});
  if (!elf) return tl::make_unexpected(elf.error());
  const gdb::ElfImage* image = *elf ? &(*elf)->image : nullptr;
  program.output().step("core", printable(describe_cause(*crash, image ? image->path : "", image)));
  if (image == nullptr)
    program.output().note("name the ELF of the build that crashed with --elf to have flash as well");
  return serve_crash(program, {.crash = std::move(*crash),
                               .label = "core file " + *options.core,
                               .elf = std::move(*elf),
                               .port = static_cast<std::uint16_t>(options.port),
                               .start_gdb = options.gdb});
}

// One of a device, a core file, a board.
Result check_choice(const DebugOptions& options) {
  constexpr const char* kWays = "mvctl debug DEVICE, mvctl debug --usb, or mvctl debug --core FILE";
  if (options.usb && (!options.choice.device.empty() || options.core)) {
    return fail(ExitCode::kUsage, "--usb debugs the board on this machine: it takes no device and no core file",
                "several boards: name one with --serial");
  }
  if (options.usb && (options.choice.load || options.sign_key)) {
    return fail(ExitCode::kUsage, "a program is deployed through the cloud, so nothing is loaded over --usb",
                "mvctl deploy . --device DEVICE, then mvctl debug --usb");
  }
  if (!options.usb && (!options.line.tty.empty() || !options.line.serial.empty()))
    return fail(ExitCode::kUsage, "--tty and --serial go with --usb", kWays);
  if (!options.line.tty.empty() && !options.line.serial.empty())
    return fail(ExitCode::kUsage, "--tty and --serial both name the line", "leave one out");
  if (options.usb || options.choice.device.empty() == options.core.has_value()) return {};
  return fail(ExitCode::kUsage, options.core ? "a core file is debugged without a device" : "which device?", kWays);
}

Result debug_over_usb(Program& program, const DebugOptions& options, const Context& context, DebugSession& session) {
  DebugPlan plan;
  plan.context = context;
  plan.start_gdb = options.gdb;
  plan.read_only = options.read_only;
  return session.run_over_line(options.line, std::move(plan),
                               [&](DebugPlan& found, const Greeting& greeting, const std::string& board) -> Result {
                                 std::string summary;
                                 auto planned = plan_debug(greeting, options.choice, found, summary);
                                 if (planned)
                                   program.output().step("device", printable(fmt::format("{} is {}", board, summary)));
                                 return planned;
                               });
}

Result debug(Program& program, const DebugOptions& options) {
  if (options.port < 0 || options.port > kLastPort)
    return fail(ExitCode::kUsage,
                fmt::format("{} is no port: 1 to {}, or 0 for any that is free", options.port, kLastPort));
  if (auto chosen = check_choice(options); !chosen) return chosen;
  if (options.core) return debug_core(program, options);
  auto context = program.context();
  if (!context) return tl::make_unexpected(context.error());
  // The port is open before anything else is known: an editor that starts us waits for it, and GDB may connect at once.
  auto session = DebugSession::open(program, static_cast<std::uint16_t>(options.port));
  if (!session) return tl::make_unexpected(session.error());
  program.output().record({{"listening", (*session)->port()}}, fmt::format("Listening on port {}", (*session)->port()));
  program.output().terminal().out->flush();
  if (options.usb) return debug_over_usb(program, options, *context, **session);

  return (*session)->run([&](DebugPlan& plan) -> Result {
    plan.context = *context;
    plan.start_gdb = options.gdb;
    plan.read_only = options.read_only;
    plan.sign_key = options.sign_key;
    std::string summary;
    auto planned =
        with_cloud(program, [&](CloudClient& cloud) { return plan_debug(cloud, options.choice, plan, summary); });
    if (planned) program.output().step("device", printable(summary));
    return planned;
  });
}

}  // namespace

void add_debug(Command& root, Program& program) {
  Command& command = root.add("debug", "debug the application on a device with GDB");
  command.describe(
      "Opens a GDB server on this machine and connects it, end to end encrypted, to the debug agent of the device. "
      "Only a key that the running bundle names is let in. The application is halted when GDB connects, and runs on "
      "when GDB leaves. A second GDB on the same port may read memory meanwhile, also while the application runs. What "
      "GDB loads is deployed: signed, sent as far as it differs, and stopped at its first instruction.\n\n"
      "With --usb this machine takes the modem's place on the board's serial line, as mvctl usb bridge does, and calls "
      "the device. The cloud is not asked, and the device cannot reach it meanwhile; key and ELF are found by what the "
      "device says that it runs. The context's CA certificate proves that it is the device.");
  auto options = std::make_shared<DebugOptions>();
  add_debug_choice(command, options->choice, DeviceArgument::kOptional);
  command.option("--sign-key", "KEY", &options->sign_key, "private key that signs what GDB loads: a name or a PEM file")
      .shows_default("the one of your keys that signed the bundle")
      .complete(Completion::kKey);
  command.option("--port,-p", "N", &options->port, "port to listen on; 0 takes any that is free")
      .shows_default(std::to_string(kDefaultPort));
  command.option("--core", "FILE", &options->core, "open a core file of mvctl crashes core instead of a device")
      .complete(Completion::kFile);
  command.flag("--usb", options->usb, "debug the board on this machine's USB, without a cloud between");
  command
      .option("--serial", "SERIAL", &options->line.serial,
              "with --usb: a board by its serial number, a beginning of it, or its path")
      .shows_default("the only one");
  command.option("--tty", "DEVICE", &options->line.tty, "with --usb: a serial port of the kernel, as /dev/ttyACM0")
      .complete(Completion::kFile);
  command.option("--baud", "RATE", &options->line.baud, "with --usb: bits a second of the line")
      .shows_default("115200");
  command.flag("--gdb", options->gdb, "start GDB, ready connected, and end with it");
  command.flag("--load", options->choice.load, "the ELF is to be loaded: it need not be the build that runs");
  command.flag("--read-only", options->read_only, "look at memory while the application runs; halt and change nothing");
  command.example("mvctl debug porch --gdb", "step through the application on porch");
  command.example("mvctl debug porch --elf build/weather.elf --port 0", "for an editor: prints the port it took");
  command.example("mvctl debug porch --elf build/weather.elf --load --gdb",
                  "then type load: the program goes to porch");
  command.example("mvctl debug --usb --gdb", "the board that is plugged in");
  command.example("mvctl debug --core core.12 --elf build/weather.elf --gdb",
                  "look around in a crash, without a cloud");
  command.run([options, &program] { return debug(program, *options); });
}

}  // namespace mv::cli
