// mvctl microvisor: images of the microvisor itself, and updates of devices to them.
#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <memory>
#include <optional>

#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/interrupt.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

using Version = std::array<unsigned, 3>;

// "1.2.3"; anything else is below every version.
Version version_of(const ordered_json& document) {
  Version version{};
  const std::string text = text_of(document, "version");
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (unsigned& part : version) {
    const auto [next, error] = std::from_chars(at, end, part);
    if (error != std::errc() || (next != end && *next != '.')) return {};
    at = next == end ? end : next + 1;
  }
  return version;
}

Result list_images(Program& program, CloudClient& cloud) {
  const auto images = cloud.microvisors();
  if (!images) return tl::make_unexpected(images.error());
  Table table({"IMAGE", "VERSION", "BOARD", "SIZE", "HASH", "UPLOADED"});
  ordered_json documents = ordered_json::array();
  for (const ordered_json& image : *images) {
    table.row({short_sid(text_of(image, "sid")), printable(text_of(image, "version")),
               printable(text_of(image, "board")), human_size(image.value("size", std::uint64_t{0})),
               short_hash(text_of(image, "hash")), how_long_ago(text_of(image, "date_created"))});
    documents.push_back(image);
  }
  program.output().result({{"microvisors", documents}},
                          images->empty() ? "no microvisor image yet: mvctl microvisor upload microvisor.bin"
                                          : table.text(program.output()));
  return {};
}

Result upload_image(Program& program, CloudClient& cloud, const std::string& file) {
  std::error_code error;
  Progress progress(program.output(), "upload", std::filesystem::file_size(file, error));
  if (error) return fail(ExitCode::kFailed, "cannot read " + file + ": " + error.message());
  const auto image = cloud.upload_microvisor(file, [&](std::uint64_t done, std::uint64_t) { progress.update(done); });
  if (!image) return tl::make_unexpected(image.error());
  const std::string version = printable(text_of(*image, "version"));
  progress.finish("microvisor " + version);
  program.output().result(*image, text_of(*image, "sid") + " is microvisor " + version + " for " +
                                      printable(text_of(*image, "board")) +
                                      "; next: mvctl microvisor deploy DEVICE --image " + version);
  return {};
}

// By id, a beginning of one, or version; without a name the newest version. Only images for the device's board count.
Answer<ordered_json> choose_image(CloudClient& cloud, const Device& device, const std::string& name) {
  const auto images = cloud.microvisors();
  if (!images) return tl::make_unexpected(images.error());
  std::vector<ordered_json> fitting;
  for (const ordered_json& image : *images) {
    const bool named = name.empty() || text_of(image, "version") == name || text_of(image, "sid").starts_with(name);
    if (named && (device.board.empty() || text_of(image, "board") == device.board)) fitting.push_back(image);
  }
  if (fitting.empty()) {
    return fail(ExitCode::kNotFound,
                "there is no microvisor image" + (name.empty() ? std::string() : " " + printable(name)) + " for " +
                    printable(device.board),
                "see mvctl microvisor list, or send one: mvctl microvisor upload microvisor.bin");
  }
  // The list begins with the newest upload: of equal versions that one is taken.
  const auto newest = std::max_element(fitting.begin(), fitting.end(),
                                       [](const auto& a, const auto& b) { return version_of(a) < version_of(b); });
  const bool by_id = !name.empty() && text_of(*newest, "version") != name;
  if (by_id && fitting.size() > 1) {
    return fail(ExitCode::kUsage, "more than one image begins with " + printable(name), "give more of the id");
  }
  return *newest;
}

struct DeployOptions {
  std::vector<std::string> devices;
  std::string image;
  bool none = false;
  bool force = false;
  bool wait = false;
  std::optional<milliseconds> trial;
  milliseconds timeout = std::chrono::minutes(10);
};

ordered_json microvisor_part(const Device& device) {
  return device.document.contains("microvisor") ? device.document["microvisor"] : ordered_json::object();
}

// Follows one device until it runs what it was told to run.
Result wait_until_updated(CloudClient& cloud, Output& output, const Device& device, Clock::time_point deadline) {
  std::optional<Result> outcome;
  std::string told;
  bool online = device.online;
  const auto look = [&] {
    const auto now = cloud.device(device.sid);
    if (!now) {
      if (now.error().code == ExitCode::kCloudUnreachable) return true;
      outcome = tl::make_unexpected(now.error());
      return false;
    }
    online = now->online;
    const ordered_json part = microvisor_part(*now);
    const std::string status = text_of(part, "update_status");
    if (status == "error") {
      outcome = fail(ExitCode::kRefusedByDevice,
                     device.label() + " refuses the update: " + printable(text_of(part, "detail")),
                     "it runs microvisor " + printable(text_of(part, "version")));
    } else if (status == "up-to-date") {
      outcome = Result();
    } else if (const std::string state = online ? text_of(part, "state") : "offline"; state != told) {
      told = state;
      output.step("waiting", device.label() + ": " + printable(state));
    }
    return !outcome.has_value();
  };
  const auto watched = cloud.watch(
      device.sid, look, [&] { return Clock::now() < deadline; }, [](const std::string&) {});
  if (outcome) return *std::move(outcome);
  if (!watched) return tl::make_unexpected(watched.error());
  if (interrupted()) return fail(ExitCode::kFailed, "interrupted; the order stands, and the device goes on");
  return fail(ExitCode::kDeviceOffline, device.label() + " is not updated yet" + (online ? "" : ": it is offline"),
              "the order stands: it goes on by itself; see mvctl devices show " + device.label());
}

// What is to become of one device.
struct Order {
  Device device;
  transport::FormFields fields;
  std::string what;
};

Answer<Order> prepare(CloudClient& cloud, const DeployOptions& options, const std::string& name) {
  auto device = cloud.device(name);
  if (!device) return tl::make_unexpected(device.error());
  if (options.none) return Order{*std::move(device), {{"Target", ""}}, "keeps the microvisor it has"};
  const auto image = choose_image(cloud, *device, options.image);
  if (!image) return tl::make_unexpected(image.error());
  Order order{*std::move(device), {{"Target", text_of(*image, "sid")}}, {}};
  order.what = "is to run microvisor " + printable(text_of(*image, "version"));
  if (options.force) order.fields.emplace_back("Force", "true");
  if (options.trial) order.fields.emplace_back("TrialSeconds", std::to_string(options.trial->count() / 1000));
  return order;
}

// All devices are looked up before the first is told: a mistyped name leaves no half of the work done.
Result deploy_image(Program& program, CloudClient& cloud, const DeployOptions& options) {
  if (options.none && !options.image.empty()) return fail(ExitCode::kUsage, "--none and --image exclude each other");
  std::vector<Order> orders;
  for (const std::string& name : options.devices) {
    auto order = prepare(cloud, options, name);
    if (!order) return tl::make_unexpected(order.error());
    orders.push_back(*std::move(order));
  }
  Output& output = program.output();
  const auto deadline = Clock::now() + options.timeout;
  for (const Order& order : orders) {
    const auto told = cloud.order_microvisor(order.device.sid, order.fields);
    if (!told) return tl::make_unexpected(told.error());
    output.step("plan", order.device.label() + " " + order.what);
  }
  ordered_json documents = ordered_json::array();
  std::string text;
  for (const Order& order : orders) {
    if (options.wait && !options.none) {
      const auto done = wait_until_updated(cloud, output, order.device, deadline);
      if (!done) return done;
    }
    const auto now = cloud.device(order.device.sid);
    if (!now) return tl::make_unexpected(now.error());
    const ordered_json part = microvisor_part(*now);
    documents.push_back({{"device", now->sid}, {"microvisor", part}});
    text += order.device.label() +
            (options.wait ? " runs microvisor " + printable(text_of(part, "version"))
                          : " is told; follow it with mvctl devices show " + order.device.label()) +
            "\n";
  }
  output.result({{"devices", documents}}, text);
  return {};
}

Result delete_image(Program& program, CloudClient& cloud, const std::string& name) {
  const auto images = cloud.microvisors();
  if (!images) return tl::make_unexpected(images.error());
  std::vector<std::string> found;
  for (const ordered_json& image : *images) {
    if (text_of(image, "sid").starts_with(name) || text_of(image, "version") == name) {
      found.push_back(text_of(image, "sid"));
    }
  }
  if (found.size() != 1) {
    return fail(found.empty() ? ExitCode::kNotFound : ExitCode::kUsage,
                (found.empty() ? "there is no microvisor image " : "more than one microvisor image is called ") +
                    printable(name),
                "see mvctl microvisor list, and give its id");
  }
  if (const auto deleted = cloud.delete_microvisor(found.front()); !deleted) return deleted;
  program.output().result({{"deleted", found.front()}}, "deleted " + found.front());
  return {};
}

void add_upload(Command& family, Program& program) {
  Command& upload = family.add("upload", "send a signed image to the cloud, without giving it to a device");
  auto file = std::make_shared<std::string>();
  upload.argument("FILE", file.get(), "microvisor.bin of a firmware build").complete(Completion::kFile);
  upload.describe(
      "The cloud checks that the image is whole. Whether it is signed with the key of a device's boot ROM only the "
      "device can tell: it refuses one that is not.");
  upload.example("mvctl microvisor upload build/firmware/mps2-an505/microvisor.bin", "version and board are in it");
  upload.example("mvctl microvisor upload microvisor.bin --output json", "its id for a script");
  upload.run([file, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return upload_image(program, cloud, *file); });
  });
}

void add_image_deploy(Command& family, Program& program) {
  Command& deploy = family.add("deploy", "update the microvisor of devices");
  auto options = std::make_shared<DeployOptions>();
  deploy.argument("DEVICE", &options->devices, "names, ids or unique prefixes")
      .required()
      .complete(Completion::kDevice);
  deploy.option("--image,-i", "ID|VERSION", &options->image, "which image")
      .shows_default("the newest version for the device's board");
  deploy.flag("--none", options->none, "take an order back: the device keeps what it has");
  deploy.flag("--force", options->force, "restart without asking the running application");
  deploy.option("--trial", "TIME", &options->trial, "how long it may take to reach the cloud, 10s to 1h")
      .shows_default("2m");
  deploy.flag("--wait,-w", options->wait, "until the devices report that they run it");
  deploy.option("--timeout", "TIME", &options->timeout, "how long to wait").shows_default("10m");
  deploy.describe(
      "The device fetches the image beside the one that runs, checks it, asks its application and restarts. The new "
      "microvisor runs on trial until it has reached the cloud. If it does not in time, or crashes three times, the "
      "device goes back to the one before, says why, and does not try that image again before the next order. There is "
      "no way back to a version older than one that was confirmed.");
  deploy.example("mvctl microvisor deploy porch --wait", "the newest version, and see it run");
  deploy.example("mvctl microvisor deploy porch attic --image 0.2.0", "this version on two devices");
  deploy.run([options, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return deploy_image(program, cloud, *options); });
  });
}

void add_delete(Command& family, Program& program) {
  Command& remove = family.add("delete", "remove an image from the cloud");
  auto name = std::make_shared<std::string>();
  remove.argument("IMAGE", name.get(), "id, or version if there is one image of it");
  remove.example("mvctl microvisor delete 0.1.9", "refused while a device is to run it");
  remove.example("mvctl microvisor list", "see what there is");
  remove.run([name, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return delete_image(program, cloud, *name); });
  });
}

}  // namespace

void add_microvisor(Command& root, Program& program) {
  Command& family = root.add("microvisor", "the microvisor itself: images, and updates of devices");
  family.example("mvctl microvisor upload microvisor.bin", "send an image to the cloud");
  family.example("mvctl microvisor deploy porch --wait", "update a device");
  add_list(family, program, list_images, "all images")
      .example("mvctl microvisor list", "a table of all of them")
      .example("mvctl microvisor list --output json", "the same for a program");
  add_upload(family, program);
  add_image_deploy(family, program);
  add_delete(family, program);
}

}  // namespace mv::cli
