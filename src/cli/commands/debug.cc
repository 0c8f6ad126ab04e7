// mvctl debug: a GDB server on this machine for the application on a device, over the air.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <vector>

#include <fmt/format.h>

#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/debug_session.h"
#include "cli/elf_choice.h"
#include "cli/key_store.h"
#include "cli/running_bundle.h"

namespace mv::cli {
namespace {

constexpr int kDefaultPort = 8001;
constexpr int kLastPort = 65535;

struct DebugOptions {
  std::string device;
  std::optional<std::string> key;
  std::optional<std::string> sign_key;
  std::optional<std::string> elf;
  int port = kDefaultPort;
  bool gdb = false;
  bool load = false;
  bool read_only = false;
};

std::string key_path(const std::string& name_or_file) {
  if (!is_key_name(name_or_file) || std::filesystem::exists(name_or_file)) return name_or_file;
  return key_files(name_or_file).private_file.string();
}

// The key that was named, if it is the one of the bundle.
Result take_named_key(DebugPlan& plan, const RunningBundle& running, const std::string& name) {
  const std::string file = key_path(name);
  auto identity = transport::DebugIdentity::load(file);
  if (!identity) {
    return fail(std::filesystem::exists(file) ? ExitCode::kFailed : ExitCode::kNotFound, identity.error(),
                "see the keys there are:  mvctl keys list");
  }
  if (identity->public_point() != running.manifest.body().policies.debug_auth_pubkey)
    return fail(ExitCode::kNotAuthorised,
                fmt::format("key {} is not the debug key of {}, which {} runs", name, running.label, plan.label),
                fmt::format("use the key it was made with, or deploy anew:  mvctl deploy . --device {} --debug-key {}",
                            plan.label, name));
  plan.key_name = name;
  plan.identity = std::move(*identity);
  return {};
}

// Without --key: the one of our keys that the bundle names.
Result find_key(DebugPlan& plan, const RunningBundle& running) {
  for (const std::string& name : key_names()) {
    auto identity = transport::DebugIdentity::load(key_files(name).private_file.string());
    if (!identity || identity->public_point() != running.manifest.body().policies.debug_auth_pubkey) continue;
    plan.key_name = name;
    plan.identity = std::move(*identity);
    return {};
  }
  return fail(ExitCode::kNotAuthorised,
              fmt::format("none of your keys is the debug key of {}, which {} runs", running.label, plan.label),
              "name the private key:  mvctl debug " + plan.label + " --key FILE");
}

Result choose_key(DebugPlan& plan, const RunningBundle& running, const DebugOptions& options) {
  if (running.manifest.body().policies.debug_auth_pubkey.empty())
    return fail(
        ExitCode::kRefusedByDevice,
        fmt::format("{} runs {}, which carries no debug key, so it cannot be debugged", plan.label, running.label),
        fmt::format("deploy a bundle made with one, for example:  mvctl deploy . --device {} --debug-key dev",
                    plan.label));
  return options.key ? take_named_key(plan, running, *options.key) : find_key(plan, running);
}

// An ELF of another build is no use before GDB has loaded it: nothing is read from it until then.
Result take_elf_to_load(DebugPlan& plan, const std::string& path, const bundle::AppInfo& runs) {
  auto elf = choose_elf(path, {.build_id = {}, .whose = {}, .hint = {}});
  if (!elf) return tl::make_unexpected(elf.error());
  plan.elf_path = path;
  if (!runs.build_id.empty() && (*elf)->image.build_id == runs.build_id) plan.image = std::move((*elf)->image);
  return {};
}

Result take_elf(DebugPlan& plan, const RunningBundle& running, const DebugOptions& options) {
  const bundle::AppInfo& runs = running.manifest.body().info;
  if (options.load && options.elf) return take_elf_to_load(plan, *options.elf, runs);
  auto elf = choose_elf(options.elf,
                        {.build_id = runs.build_id,
                         .whose = plan.label + " runs",
                         .hint = fmt::format("deploy it first, or let GDB load it:  mvctl debug {} --elf {} --load",
                                             plan.label, options.elf.value_or("FILE"))});
  if (!elf) return tl::make_unexpected(elf.error());
  if (!*elf) return {};
  plan.elf_path = (*elf)->path;
  plan.image = std::move((*elf)->image);
  return {};
}

std::string about_elf(const DebugPlan& plan) {
  if (plan.elf_path.empty()) return "no ELF of this build found here, name it with --elf";
  return "ELF " + plan.elf_path + (plan.image ? " matches" : " is of another build: type load in GDB");
}

Result make_plan(CloudClient& cloud, const DebugOptions& options, DebugPlan& plan, std::string& summary) {
  const auto device = cloud.device(options.device);
  if (!device) return tl::make_unexpected(device.error());
  plan.device_id = device->sid;
  plan.label = device->label();
  if (!device->online)
    return fail(ExitCode::kDeviceOffline, plan.label + " is offline", "see when it was last there:  mvctl devices");
  const auto running = running_bundle(cloud, *device);
  if (!running) return tl::make_unexpected(running.error());
  if (auto key = choose_key(plan, *running, options); !key) return key;
  plan.measured = measured_flash(running->manifest);
  if (auto elf = take_elf(plan, *running, options); !elf) return elf;
  summary = fmt::format("{} runs {}; {}", plan.label, running->label, about_elf(plan));
  return {};
}

Result debug(Program& program, const DebugOptions& options) {
  if (options.port < 0 || options.port > kLastPort)
    return fail(ExitCode::kUsage,
                fmt::format("{} is no port: 1 to {}, or 0 for any that is free", options.port, kLastPort));
  auto context = program.context();
  if (!context) return tl::make_unexpected(context.error());
  // The port is open before anything else is known: an editor that starts us waits for it, and GDB may connect at once.
  auto session = DebugSession::open(program, static_cast<std::uint16_t>(options.port));
  if (!session) return tl::make_unexpected(session.error());
  program.output().record({{"listening", (*session)->port()}}, fmt::format("Listening on port {}", (*session)->port()));
  program.output().terminal().out->flush();

  return (*session)->run([&](DebugPlan& plan) -> Result {
    plan.context = *context;
    plan.start_gdb = options.gdb;
    plan.read_only = options.read_only;
    plan.sign_key = options.sign_key;
    std::string summary;
    auto planned = with_cloud(program, [&](CloudClient& cloud) { return make_plan(cloud, options, plan, summary); });
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
      "GDB loads is deployed: signed, sent as far as it differs, and stopped at its first instruction.");
  auto options = std::make_shared<DebugOptions>();
  command.argument("DEVICE", &options->device, "name, id or unique prefix").complete(Completion::kDevice);
  command.option("--key,-k", "KEY", &options->key, "private debug key: a name from mvctl keys, or a PEM file")
      .shows_default("the one of your keys that the bundle names")
      .complete(Completion::kKey);
  command.option("--sign-key", "KEY", &options->sign_key, "private key that signs what GDB loads: a name or a PEM file")
      .shows_default("the one of your keys that signed the bundle")
      .complete(Completion::kKey);
  command.option("--elf,-e", "FILE", &options->elf, "the program that runs there, with its debug information")
      .shows_default("the matching one in this folder or in build/")
      .complete(Completion::kFile);
  command.option("--port,-p", "N", &options->port, "port to listen on; 0 takes any that is free")
      .shows_default(std::to_string(kDefaultPort));
  command.flag("--gdb", options->gdb, "start GDB, ready connected, and end with it");
  command.flag("--load", options->load, "the ELF is to be loaded: it need not be the build that runs");
  command.flag("--read-only", options->read_only, "look at memory while the application runs; halt and change nothing");
  command.example("mvctl debug porch --gdb", "step through the application on porch");
  command.example("mvctl debug porch --elf build/weather.elf --port 0", "for an editor: prints the port it took");
  command.example("mvctl debug porch --elf build/weather.elf --load --gdb",
                  "then type load: the program goes to porch");
  command.run([options, &program] { return debug(program, *options); });
}

}  // namespace mv::cli
