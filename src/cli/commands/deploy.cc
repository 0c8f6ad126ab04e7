// mvctl deploy: from sources, or a bundle, to an application that runs on a device.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "bundle/bundle.h"
#include "cli/bundle_options.h"
#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/key_store.h"
#include "cli/log_printer.h"
#include "cli/project_build.h"
#include "cli/rollout.h"
#include "cli/update_plan.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// How long a cloud that does not answer in the middle of a deploy is waited for.
constexpr milliseconds kCloudPatience = std::chrono::seconds(30);

struct DeployOptions {
  std::string what = ".";
  std::string device;
  bool wait = false;
  bool log = false;
  bool force = false;
  bool build_only = false;
  milliseconds timeout = std::chrono::minutes(10);
  std::string bundle_out;
  std::string elf;
  BundleOptions bundle;
};

// A bundle in a file, and what it is.
struct Ready {
  fs::path file;
  std::string hash;   // "sha256:HEX"
  std::string label;  // "weather 1.4.3"
};

std::string label_of(const bundle::Manifest& manifest) {
  const auto& info = manifest.body().info;
  const std::string label = info.version.empty() ? info.name : info.name + " " + info.version;
  return label.empty() ? "the application" : printable(label);
}

Ready ready(const fs::path& file, const bundle::Manifest& manifest) {
  return {file, "sha256:" + bundle::hex(manifest.hash()), label_of(manifest)};
}

// The only key there is, if none was named.
Result choose_key(BundleOptions& options) {
  if (!options.key.empty()) return {};
  const auto names = key_names();
  if (names.size() == 1) {
    options.key = names.front();
    return {};
  }
  return fail(ExitCode::kUsage,
              names.empty() ? "there is no key to sign with" : "there are several keys: say which one signs",
              names.empty() ? "make one: mvctl keys create dev, then mvctl signers add dev"
                            : "give --key NAME; see mvctl keys list");
}

std::string_view as_text(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Answer<Ready> make_from_project(Output& output, const DeployOptions& options, const std::string& board) {
  BundleOptions bundle_options = options.bundle;
  bundle_options.board = board;
  if (auto chosen = choose_key(bundle_options); !chosen) return tl::make_unexpected(chosen.error());
  const auto elf = build_project({options.what, board, options.elf});
  if (!elf) return tl::make_unexpected(elf.error());
  const auto made = make_bundle(*elf, bundle_options);
  if (!made) return tl::make_unexpected(made.error());
  const fs::path file =
      options.bundle_out.empty() ? fs::path(*elf).replace_extension(".zip") : fs::path(options.bundle_out);
  if (auto written = write_file(file, as_text(made->bytes)); !written) return tl::make_unexpected(written.error());
  Ready result = ready(file, made->manifest);
  output.step("build", result.label + "  " + human_size(made->content_bytes));
  output.step("signed", "key " + bundle_options.key);
  return result;
}

Answer<Ready> open_bundle(const DeployOptions& options) {
  const auto opened = bundle::Bundle::open(options.what);
  if (!opened) return fail(ExitCode::kFailed, options.what + ": " + opened.error().message, opened.error().hint);
  if (!opened->manifest().signer()) {
    return fail(ExitCode::kFailed, options.what + " is not signed, so no device will run it",
                "mvctl bundle sign " + options.what + " --key KEY");
  }
  return ready(options.what, opened->manifest());
}

Answer<Ready> prepare(Output& output, const DeployOptions& options, const std::string& device_board) {
  std::error_code error;
  if (fs::is_directory(options.what, error)) {
    const bool usual = options.bundle.board == BundleOptions().board && !device_board.empty();
    return make_from_project(output, options, usual ? device_board : options.bundle.board);
  }
  if (!fs::exists(options.what, error)) {
    return fail(ExitCode::kNotFound, "there is no " + options.what, "give a project's folder or a bundle");
  }
  return open_bundle(options);
}

Answer<App> upload(CloudClient& cloud, Output& output, const Ready& bundle) {
  std::error_code error;
  const std::uint64_t size = fs::file_size(bundle.file, error);
  Progress progress(output, "upload", size);
  auto app = cloud.upload_app(bundle.file, "",
                              [&](std::uint64_t done, std::uint64_t) { progress.update(done, human_size(done)); });
  if (app) progress.finish(human_size(size) + "  app " + short_sid(app->sid));
  return app;
}

// The log from when the device was told, until Ctrl-C.
Result follow_log(Program& program, CloudClient& cloud, const Device& device) {
  return cloud.events(
      "/Devices/" + device.sid + "/Logs", {{"Follow", "true"}, {"Since", "-10s"}}, true,
      [&](const transport::ServerEvent& event) {
        const ordered_json record = ordered_json::parse(event.data, nullptr, false);
        if (record.is_object()) program.output().record(record, log_line(record));
        return true;
      },
      [&](const std::string& why) { program.output().note(why + "; connecting again"); });
}

// What the device is to run, and what that takes over the air. A plan that cannot be had keeps nobody from deploying.
void tell_plan(Output& output, const Device& device, const Ready& bundle, const Answer<UpdatePlan>& plan) {
  const std::string what = device.label() + " is to run " + bundle.label;
  output.step("plan", plan ? what + ": " + summary(*plan) : what);
  if (!plan) return output.detail("no plan of its bytes: " + plan.error().message);
  for (const std::string& layer : plan->layers) output.step("", layer);
}

// "4,211 bytes sent for an image of 230,488 (1.83 %)"; nothing if that is not known.
std::string sent_line(std::uint64_t sent, const Answer<UpdatePlan>& plan) {
  if (sent == 0 || !plan) return "";
  return "\n" + grouped(sent) + " bytes sent for an image of " + grouped(plan->content_bytes) + " (" +
         percent(sent, plan->content_bytes) + ")";
}

std::string seconds_since(Clock::time_point start) {
  const auto tenths = std::chrono::duration_cast<milliseconds>(Clock::now() - start).count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

Result deploy(Program& program, CloudClient& cloud, const DeployOptions& options) {
  const auto began = Clock::now();
  Output& output = program.output();
  const auto device = cloud.device(options.device);
  if (!device) return tl::make_unexpected(device.error());
  const auto bundle = prepare(output, options, device->board);
  if (!bundle) return tl::make_unexpected(bundle.error());
  const milliseconds patience = std::min(options.timeout, kCloudPatience);
  const auto app = ask_patiently(output, patience, [&] { return upload(cloud, output, *bundle); });
  if (!app) return tl::make_unexpected(app.error());
  const auto plan = update_plan(cloud, app->sid, device->reported_hash);
  tell_plan(output, *device, *bundle, plan);
  transport::FormFields order = {{"TargetApp", app->sid}};
  if (options.force) order.emplace_back("Force", "true");
  const auto told = ask_patiently(output, patience, [&] { return cloud.update_device(device->sid, order); });
  if (!told) return tl::make_unexpected(told.error());
  ordered_json document = {{"device", device->sid}, {"app", app->sid}, {"hash", bundle->hash}, {"state", "pending"}};
  if (plan) document["content_size"] = plan->content_bytes;
  if (plan) document["bytes_to_send"] = plan->bytes;
  std::string text = device->label() + " is told; follow it with mvctl devices show " + device->label();
  if (options.wait) {
    const auto running = wait_until_running(cloud, output, {device->sid, bundle->hash, bundle->label, options.timeout});
    if (!running) return tl::make_unexpected(running.error());
    document["state"] = running->state;
    // What runs already is not sent; the device still has the count of when it was.
    const std::uint64_t sent = device->reported_hash == bundle->hash ? 0 : running->update.bytes_received;
    document["bytes_received"] = sent;
    text = running->state + "   " + bundle->label + " on " + device->label() + ", " + seconds_since(began) + " in all" +
           sent_line(sent, plan);
  }
  document["milliseconds"] = std::chrono::duration_cast<milliseconds>(Clock::now() - began).count();
  output.result(document, text);
  return options.log ? follow_log(program, cloud, *device) : Result();
}

Result build_only(Program& program, const DeployOptions& options) {
  const auto bundle = prepare(program.output(), options, "");
  if (!bundle) return tl::make_unexpected(bundle.error());
  program.output().result({{"bundle", bundle->file.string()}, {"hash", bundle->hash}},
                          bundle->file.string() + " is " + bundle->label + "; next: mvctl deploy " +
                              bundle->file.string() + " --device DEVICE");
  return {};
}

}  // namespace

void add_deploy(Command& root, Program& program) {
  Command& command = root.add("deploy", "build, sign, upload and run an application on a device");
  command.describe(
      "A project (a folder with a CMakeLists.txt that uses the SDK) is configured and built in its folder build; a "
      "bundle is "
      "taken as it is. The device is told to run it; with --wait the command ends when the device reports that it "
      "does, confirmed if the bundle runs on trial first (--confirm-timeout); exit code 7 if the device rolled it "
      "back.");
  auto options = std::make_shared<DeployOptions>();
  command.argument("PROJECT|BUNDLE", &options->what, "a project's folder, or a bundle")
      .required(false)
      .shows_default(".")
      .complete(Completion::kFile);
  command.option("--device,-d", "DEVICE", &options->device, "name, id or unique prefix").complete(Completion::kDevice);
  command.flag("--wait,-w", options->wait, "until the device reports that it runs, confirmed");
  command.option("--timeout", "TIME", &options->timeout, "how long to wait").shows_default("10m");
  command.flag("--log", options->log, "then follow the device's log until Ctrl-C");
  command.flag("--force", options->force, "install without asking the running application");
  command.flag("--build-only", options->build_only, "stop when the bundle is made");
  command.option("--bundle-out", "FILE", &options->bundle_out, "where the bundle goes").complete(Completion::kFile);
  command.option("--elf", "NAME", &options->elf, "which application, if the project makes several");
  add_bundle_options(command, options->bundle);
  command.example("mvctl deploy . --device porch --wait", "build the project in this folder and see it run");
  command.example("mvctl deploy app.zip --device porch --wait --timeout 15m --output json",
                  "a bundle that was made before");
  command.run([options, &program]() -> Result {
    if (options->build_only) return build_only(program, *options);
    if (options->device.empty())
      return fail(ExitCode::kUsage, "no device was given", "add --device DEVICE; see mvctl devices");
    return with_cloud(program, [&](CloudClient& cloud) { return deploy(program, cloud, *options); });
  });
}

}  // namespace mv::cli
