// mvctl devices keys: whose bundles a device runs, and changes of that.
#include <chrono>
#include <memory>
#include <optional>

#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/key_change_file.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

struct KeysOptions {
  std::string device;
  std::string change;
  bool none = false;
  bool wait = false;
  milliseconds timeout = std::chrono::minutes(2);
};

ordered_json part(const ordered_json& document, const char* key) {
  return document.is_object() && document.contains(key) ? document[key] : ordered_json();
}

ordered_json keys_part(const Device& device) { return part(device.document, "signer_keys"); }

std::string keys_text(const Device& device) {
  const ordered_json keys = keys_part(device);
  const ordered_json threshold = part(keys, "threshold");
  if (!threshold.is_number())
    return device.label() + " has not said yet what keys it has: it says so when it connects\n";
  std::string text = "signers   " + threshold.dump() + " must sign a bundle\n";
  for (const ordered_json& key : part(keys, "keys")) {
    text += "key       " + (key.is_string() ? printable(key.get<std::string>()) : key.dump()) + "\n";
  }
  const ordered_json sequence = part(keys, "sequence");
  text += "changed   " +
          (sequence == ordered_json(0) ? std::string("never: they are those of its provisioning")
                                       : "by number " + sequence.dump()) +
          "\n";
  const ordered_json change = part(keys, "change");
  const std::string status = text_of(change, "status");
  if (status.empty()) return text;
  const std::string detail = printable(text_of(change, "detail"));
  return text + "order     of " + printable(text_of(change, "date_ordered")) + ": " + printable(status) +
         (detail.empty() ? "" : ": " + detail) + "\n";
}

// Until the device has carried out the change, or refuses it.
Result wait_until_changed(CloudClient& cloud, Output& output, Device& device, Clock::time_point deadline) {
  std::optional<Result> outcome;
  std::string told;
  const auto look = [&] {
    const auto now = cloud.device(device.sid);
    if (!now) {
      if (now.error().code == ExitCode::kCloudUnreachable) return true;
      outcome = tl::make_unexpected(now.error());
      return false;
    }
    device = *now;
    const ordered_json change = part(keys_part(device), "change");
    const std::string status = text_of(change, "status");
    const std::string detail = printable(text_of(change, "detail"));
    if (status == "refused") {
      outcome = fail(ExitCode::kRefusedByDevice, device.label() + " keeps its keys: " + detail);
    } else if (status != "pending") {
      outcome = Result();
    } else if (const std::string state = device.online ? detail : "offline"; !state.empty() && state != told) {
      told = state;
      output.step("waiting", device.label() + ": " + state);
    }
    return !outcome.has_value();
  };
  const auto watched = cloud.watch(
      device.sid, look, [&] { return Clock::now() < deadline; }, [](const std::string&) {});
  if (outcome) return *std::move(outcome);
  if (!watched) return tl::make_unexpected(watched.error());
  if (interrupted()) return fail(ExitCode::kFailed, "interrupted; the order stands");
  return fail(ExitCode::kDeviceOffline,
              device.label() + " has not changed its keys yet" + (device.online ? "" : ": it is offline"),
              "the order stands; see mvctl devices keys " + device.label());
}

Result device_keys(Program& program, CloudClient& cloud, const KeysOptions& options) {
  if (options.none && !options.change.empty()) return fail(ExitCode::kUsage, "--none and --change exclude each other");
  auto device = cloud.device(options.device);
  if (!device) return tl::make_unexpected(device.error());
  const auto deadline = Clock::now() + options.timeout;
  if (options.none || !options.change.empty()) {
    std::string bytes;
    if (!options.none) {
      const auto change = read_key_change(options.change);
      if (!change) return tl::make_unexpected(change.error());
      bytes.assign(change->encoded().begin(), change->encoded().end());
    }
    auto ordered = cloud.change_keys(device->sid, bytes);
    if (!ordered) return tl::make_unexpected(ordered.error());
    device = std::move(ordered);
    if (options.wait) {
      if (const auto done = wait_until_changed(cloud, program.output(), *device, deadline); !done) return done;
    }
  }
  program.output().result({{"device", device->sid}, {"signer_keys", keys_part(*device)}}, keys_text(*device));
  return {};
}

}  // namespace

void add_device_keys(Command& devices, Program& program) {
  Command& keys = devices.add("keys", "whose bundles a device runs, and changes of that");
  auto options = std::make_shared<KeysOptions>();
  keys.argument("DEVICE", &options->device, "name, id or unique prefix").complete(Completion::kDevice);
  keys.option("--change", "FILE", &options->change, "give it this change: a file of mvctl keys change")
      .complete(Completion::kFile);
  keys.flag("--none", options->none, "take an order back that it has not carried out");
  keys.flag("--wait,-w", options->wait, "until it has carried out the change, or refuses it");
  keys.option("--timeout", "TIME", &options->timeout, "how long to wait").shows_default("2m");
  keys.describe(
      "The cloud carries a change and cannot make one: the device looks at the signatures. While a bundle is on trial "
      "the "
      "change waits, for the keys of the bundle before may be needed again.");
  keys.example("mvctl devices keys porch", "ids of its keys, and how many must sign");
  keys.example("mvctl devices keys porch --change rotate.keys --wait", "change them");
  keys.run([options, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return device_keys(program, cloud, *options); });
  });
}

}  // namespace mv::cli
