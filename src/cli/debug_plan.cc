#include "cli/debug_plan.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "cli/elf_choice.h"
#include "cli/key_store.h"
#include "cli/running_bundle.h"

namespace mv::cli {
namespace {

std::string key_path(const std::string& name_or_file) {
  if (!is_key_name(name_or_file) || std::filesystem::exists(name_or_file)) return name_or_file;
  return key_files(name_or_file).private_file.string();
}

Result load_named_key(DebugPlan& plan, const std::string& name) {
  const std::string file = key_path(name);
  auto identity = transport::DebugIdentity::load(file);
  if (!identity) {
    return fail(std::filesystem::exists(file) ? ExitCode::kFailed : ExitCode::kNotFound, identity.error(),
                "see the keys there are:  mvctl keys list");
  }
  plan.key_name = name;
  plan.identity = std::move(*identity);
  return {};
}

// The key that was named, if it is the one of the bundle.
Result take_named_key(DebugPlan& plan, const RunningBundle& running, const std::string& name) {
  if (auto loaded = load_named_key(plan, name); !loaded) return loaded;
  if (plan.identity->public_point() != running.manifest.body().policies.debug_auth_pubkey)
    return fail(ExitCode::kNotAuthorised,
                fmt::format("key {} is not the debug key of {}, which {} runs", name, running.label, plan.label),
                fmt::format("use the key it was made with, or deploy anew:  mvctl deploy . --device {} --debug-key {}",
                            plan.label, name));
  return {};
}

// The one of our keys for whose public point `fits` holds. False: none.
bool find_key(DebugPlan& plan, const std::function<bool(const std::vector<std::uint8_t>&)>& fits) {
  for (const std::string& name : key_names()) {
    auto identity = transport::DebugIdentity::load(key_files(name).private_file.string());
    if (!identity || !fits(identity->public_point())) continue;
    plan.key_name = name;
    plan.identity = std::move(*identity);
    return true;
  }
  return false;
}

// Without --key: the one of our keys that the bundle names.
Result find_key(DebugPlan& plan, const RunningBundle& running) {
  const bool found =
      find_key(plan, [&](const auto& point) { return point == running.manifest.body().policies.debug_auth_pubkey; });
  if (found) return {};
  return fail(ExitCode::kNotAuthorised,
              fmt::format("none of your keys is the debug key of {}, which {} runs", running.label, plan.label),
              "name the private key:  mvctl debug " + plan.label + " --key FILE");
}

Result choose_key(DebugPlan& plan, const RunningBundle& running, const DebugChoice& choice) {
  if (running.manifest.body().policies.debug_auth_pubkey.empty())
    return fail(
        ExitCode::kRefusedByDevice,
        fmt::format("{} runs {}, which carries no debug key, so it cannot be debugged", plan.label, running.label),
        fmt::format("deploy a bundle made with one, for example:  mvctl deploy . --device {} --debug-key dev",
                    plan.label));
  return choice.key ? take_named_key(plan, running, *choice.key) : find_key(plan, running);
}

// An ELF of another build is no use before GDB has loaded it: nothing is read from it until then.
Result take_elf_to_load(DebugPlan& plan, const std::string& path, const bundle::AppInfo& runs) {
  auto elf = choose_elf(path, {.build_id = {}, .whose = {}, .hint = {}});
  if (!elf) return tl::make_unexpected(elf.error());
  plan.elf_path = path;
  if (!runs.build_id.empty() && (*elf)->image.build_id == runs.build_id) plan.image = std::move((*elf)->image);
  return {};
}

Result take_elf(DebugPlan& plan, const RunningBundle& running, const DebugChoice& choice) {
  const bundle::AppInfo& runs = running.manifest.body().info;
  if (choice.load && choice.elf) return take_elf_to_load(plan, *choice.elf, runs);
  auto elf = choose_elf(choice.elf,
                        {.build_id = runs.build_id,
                         .whose = plan.label + " runs",
                         .hint = fmt::format("deploy it first, or let GDB load it:  mvctl debug {} --elf {} --load",
                                             plan.label, choice.elf.value_or("FILE"))});
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

}  // namespace

Result plan_debug(CloudClient& cloud, const DebugChoice& choice, DebugPlan& plan, std::string& summary) {
  const auto device = cloud.device(choice.device);
  if (!device) return tl::make_unexpected(device.error());
  plan.device_id = device->sid;
  plan.label = device->label();
  if (!device->online)
    return fail(ExitCode::kDeviceOffline, plan.label + " is offline", "see when it was last there:  mvctl devices");
  const auto running = running_bundle(cloud, *device);
  if (!running) return tl::make_unexpected(running.error());
  if (auto key = choose_key(plan, *running, choice); !key) return key;
  plan.measured = measured_flash(running->manifest);
  if (auto elf = take_elf(plan, *running, choice); !elf) return elf;
  summary = fmt::format("{} runs {}; {}", plan.label, running->label, about_elf(plan));
  return {};
}

Result plan_debug(const Greeting& greeting, const DebugChoice& choice, DebugPlan& plan, std::string& summary) {
  plan.device_id = plan.label = greeting.device_id;
  if (choice.key) {
    if (auto loaded = load_named_key(plan, *choice.key); !loaded) return loaded;
  } else if (!find_key(plan, [&](const auto& point) {
               const auto key = bundle::PublicKey::from_point(point);
               return key && bundle::describe(key->id()) == greeting.key_id;
             })) {
    return fail(ExitCode::kNotAuthorised,
                fmt::format("none of your keys is {}, the debug key of what {} runs", greeting.key_id, plan.label),
                "name the private key:  mvctl debug --usb --key FILE");
  }
  auto elf = choose_elf(choice.elf, {.build_id = greeting.build_id,
                                     .whose = plan.label + " runs",
                                     .hint = "name the one that runs there, or deploy this one through the cloud"});
  if (!elf) return tl::make_unexpected(elf.error());
  if (*elf) {
    plan.elf_path = (*elf)->path;
    plan.image = std::move((*elf)->image);
  }
  summary = fmt::format("{}; {}", plan.label, about_elf(plan));
  return {};
}

void add_debug_choice(Command& command, DebugChoice& choice, DeviceArgument device) {
  command.argument("DEVICE", &choice.device, "name, id or unique prefix")
      .required(device == DeviceArgument::kRequired)
      .complete(Completion::kDevice);
  command.option("--key,-k", "KEY", &choice.key, "private debug key: a name from mvctl keys, or a PEM file")
      .shows_default("the one of your keys that the bundle names")
      .complete(Completion::kKey);
  command.option("--elf,-e", "FILE", &choice.elf, "the program that runs there, with its debug information")
      .shows_default("the matching one in this folder or in build/")
      .complete(Completion::kFile);
}

}  // namespace mv::cli
