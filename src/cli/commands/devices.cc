// mvctl devices: what devices there are, what each runs; name, logging, restart, provisioning, removal.
#include <memory>
#include <optional>

#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/identity.h"
#include "cli/rollout.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;

ordered_json part(const ordered_json& document, const char* key) {
  return document.is_object() && document.contains(key) ? document[key] : ordered_json();
}

// The application's name and version by the hash of its manifest; the hash itself if the cloud does not know it.
std::string application_label(const std::vector<App>& apps, const std::string& hash) {
  if (hash.empty()) return "-";
  for (const App& app : apps) {
    if (app.hash == hash && !app.name.empty()) return app.version.empty() ? app.name : app.name + " " + app.version;
  }
  return short_hash(hash);
}

std::string state_word(const Device& device) { return device.online ? "online" : "offline"; }

// What stands behind the application's name: nothing when all is as it should be.
std::string state_remark(const Device& device) {
  if (device.state.empty() || device.state == "running" || device.state == "none") return "";
  return " (" + device.state + ")";
}

std::string last_seen(const Device& device) {
  const ordered_json connection = part(device.document, "connection");
  if (!device.online) return how_long_ago(text_of(connection, "since"));
  const ordered_json rtt = part(connection, "round_trip_ms");
  const std::string trip =
      rtt.is_number() && rtt.get<double>() > 0 ? " (RTT " + std::to_string(rtt.get<long>()) + " ms)" : "";
  return "now" + trip;
}

Result list_devices(Program& program, CloudClient& cloud) {
  const auto devices = cloud.devices();
  if (!devices) return tl::make_unexpected(devices.error());
  const auto apps = cloud.apps();
  if (!apps) return tl::make_unexpected(apps.error());
  Output& output = program.output();
  Table table({"NAME", "ID", "BOARD", "STATE", "RUNS", "LAST SEEN"});
  ordered_json documents = ordered_json::array();
  for (const Device& device : *devices) {
    table.row({printable(device.name), short_sid(device.sid), printable(device.board), state_word(device),
               printable(application_label(*apps, device.reported_hash)) + state_remark(device), last_seen(device)});
    documents.push_back(device.document);
  }
  output.result({{"devices", documents}},
                devices->empty() ? "no device yet: mvctl emulator start NAME makes one" : table.text(output));
  return {};
}

std::string app_lines(const Device& device, const std::vector<App>& apps) {
  std::string lines = "runs      " + application_label(apps, device.reported_hash) + state_remark(device) + "\n";
  if (!device.target_hash.empty() && device.target_hash != device.reported_hash) {
    lines += "wanted    " + application_label(apps, device.target_hash) + "\n";
  }
  const std::string update = describe(device.update, application_label(apps, device.target_hash));
  if (!update.empty()) lines += "update    " + printable(update) + "\n";
  if (!device.detail.empty() && device.update.reason.empty()) lines += "says      " + printable(device.detail) + "\n";
  return lines;
}

// The update of the microvisor, if one is ordered.
std::string microvisor_lines(const Device& device) {
  const ordered_json microvisor = part(device.document, "microvisor");
  const std::string status = text_of(microvisor, "update_status");
  if (text_of(microvisor, "target_sid").empty() || status == "up-to-date") return "";
  std::string lines = "update    of the microvisor to " + printable(text_of(microvisor, "target_version")) + " (" +
                      (status == "error" ? "refused" : printable(text_of(microvisor, "state"))) + ")\n";
  if (const std::string detail = text_of(microvisor, "detail"); !detail.empty()) {
    lines += "says      " + printable(detail) + "\n";
  }
  return lines;
}

std::string describe_device(const Device& device, const std::vector<App>& apps) {
  const ordered_json connection = part(device.document, "connection");
  const ordered_json restarts = part(device.document, "restarts");
  const ordered_json logging = part(device.document, "logging");
  std::string lines = "name      " + printable(device.name) + "\nid        " + device.sid + "\nboard     " +
                      printable(device.board) + ", microvisor " +
                      printable(text_of(device.document, "microvisor_version")) + "\n";
  lines += microvisor_lines(device);
  lines += "link      " + state_word(device) + (device.online ? "" : ", last seen " + last_seen(device));
  if (device.online)
    lines += " since " + text_of(connection, "since") + " from " + printable(text_of(connection, "address"));
  lines += "\n";
  if (const ordered_json learned = part(connection, "learned_keep_alive_ms"); learned.is_number_unsigned()) {
    lines += "silence   its network bears " + std::to_string(learned.get<std::uint64_t>() / 1000) + " s" + "\n";
  }
  lines += app_lines(device, apps);
  if (const std::string reason = text_of(device.document, "wake_reason"); !reason.empty()) {
    const std::string detail = printable(text_of(device.document, "boot_detail"));
    lines += "booted    " + printable(reason) + (detail.empty() ? "" : ": " + detail) + "\n";
  }
  if (restarts.is_number())
    lines += "restarts  " + restarts.dump() + " of the application since the microvisor booted\n";
  const std::string until = text_of(logging, "date_expires");
  lines += std::string("logging   ") + (part(logging, "enabled") == ordered_json(true) ? "on" : "off") +
           (until.empty() ? "" : " until " + printable(until)) + "\n";
  return lines;
}

Result show_device(Program& program, CloudClient& cloud, const std::string& name) {
  const auto device = cloud.device(name);
  if (!device) return tl::make_unexpected(device.error());
  if (program.output().json()) {
    program.output().result(device->document, "");
    return {};
  }
  const auto apps = cloud.apps();
  if (!apps) return tl::make_unexpected(apps.error());
  program.output().result(device->document, describe_device(*device, *apps));
  return {};
}

Result change_device(Program& program, CloudClient& cloud, const std::string& name, const transport::FormFields& fields,
                     const std::string& done) {
  const auto device = cloud.device(name);
  if (!device) return tl::make_unexpected(device.error());
  const auto changed = cloud.update_device(device->sid, fields);
  if (!changed) return tl::make_unexpected(changed.error());
  program.output().result(changed->document, device->label() + " " + done);
  return {};
}

struct UpdateOptions {
  std::string device;
  std::string name;
  std::string logging;
};

Result update_device(Program& program, CloudClient& cloud, const UpdateOptions& options) {
  transport::FormFields fields;
  std::string done;
  if (!options.name.empty()) {
    fields.emplace_back("UniqueName", options.name);
    done = "is called " + options.name + " from now on";
  }
  if (!options.logging.empty()) {
    fields.emplace_back("LoggingEnabled", options.logging == "on" ? "true" : "false");
    done += std::string(done.empty() ? "" : "; ") + "logging is " + options.logging;
  }
  if (fields.empty()) return fail(ExitCode::kUsage, "nothing to change", "give --name NAME or --logging on|off");
  return change_device(program, cloud, options.device, fields, done);
}

struct DeleteOptions {
  std::string device;
  bool yes = false;
};

Result delete_device(Program& program, CloudClient& cloud, const DeleteOptions& options) {
  const auto device = cloud.device(options.device);
  if (!device) return tl::make_unexpected(device.error());
  if (!options.yes) {
    const auto confirmed = confirm(program.output().terminal(),
                                   "delete " + printable(device->label()) + " (" + device->sid +
                                       ") with its logs and crashes? The cloud refuses its identity from then on.");
    if (!confirmed) return confirmed;
  }
  if (const auto deleted = cloud.delete_device(device->sid); !deleted) return deleted;
  program.output().result({{"deleted", device->sid}},
                          "deleted " + printable(device->label()) + " (" + device->sid + ")");
  return {};
}

struct ProvisionOptions {
  std::string name;
  std::string board = "mps2-an505";
  std::string out;
  IdentityOptions identity;
};

Result provision_device(Program& program, CloudClient& cloud, const ProvisionOptions& options) {
  // A key that is not there is found before there is a device.
  const auto additions = read_identity_options(options.identity);
  if (!additions) return tl::unexpected(additions.error());
  auto made = cloud.provision(options.name, options.board);
  if (!made) return tl::make_unexpected(made.error());
  const auto bytes = complete_identity(std::move(made->identity), *additions);
  if (!bytes) return tl::unexpected(bytes.error());
  const std::string_view identity(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  if (auto written = write_private_file(options.out, identity); !written) return written;
  ordered_json document = made->device.document;
  document["identity_file"] = options.out;
  program.output().result(document, made->device.label() + " is " + made->device.sid +
                                        "; its identity, private key included, is in " + options.out +
                                        " and nowhere else");
  return {};
}

void add_update(Command& devices, Program& program) {
  Command& update = devices.add("update", "change a device's name or logging");
  auto options = std::make_shared<UpdateOptions>();
  update.argument("DEVICE", &options->device, "name, id or unique prefix").complete(Completion::kDevice);
  update.option("--name", "NAME", &options->name, "call it so");
  update.option("--logging", "on|off", &options->logging, "whether the application's log is sent; on is for 24 hours")
      .choices({"on", "off"});
  update.example("mvctl devices update UV91 --name porch", "give it a name");
  update.example("mvctl devices update porch --logging off", "save the bytes of its log");
  update.run([options, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return update_device(program, cloud, *options); });
  });
}

void add_restart(Command& devices, Program& program) {
  Command& restart = devices.add("restart", "restart the application of a device");
  auto name = std::make_shared<std::string>();
  restart.argument("DEVICE", name.get(), "name, id or unique prefix").complete(Completion::kDevice);
  restart.example("mvctl devices restart porch", "the microvisor and its link stay up");
  restart.example("mvctl devices restart porch --output json", "the device as the cloud then describes it");
  restart.run([name, &program] {
    return with_cloud(program, [&](CloudClient& cloud) {
      return change_device(program, cloud, *name, {{"RestartApp", "true"}}, "restarts its application");
    });
  });
}

void add_delete(Command& devices, Program& program) {
  Command& remove = devices.add("delete", "remove a device from the cloud, with its logs and crashes");
  auto options = std::make_shared<DeleteOptions>();
  remove.argument("DEVICE", &options->device, "name, id or unique prefix").complete(Completion::kDevice);
  remove.flag("--yes,-y", options->yes, "do not ask");
  remove.describe(
      "Its identity is refused from then on, and its link ends; what it runs it goes on running. Events stay.");
  remove.example("mvctl devices delete porch", "asks first");
  remove.example("mvctl devices delete porch --yes", "for a script");
  remove.run([options, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return delete_device(program, cloud, *options); });
  });
}

void add_provision(Command& devices, Program& program) {
  Command& provision = devices.add("provision", "make the identity of a new device");
  auto options = std::make_shared<ProvisionOptions>();
  provision.argument("NAME", &options->name, "how to call it");
  provision.option("--board", "BOARD", &options->board, "board it is").env("MVCTL_BOARD").shows_default("mps2-an505");
  provision.option("--out,-o", "FILE", &options->out, "where the identity goes").required().complete(Completion::kFile);
  add_identity_options(provision, options->identity);
  provision.example("mvctl devices provision porch --board stm32u585 --out porch.identity", "for a board on the desk");
  provision.example(
      "mvctl devices provision porch --modem esp-at --wifi-ssid home --wifi-passphrase-file - --out porch.identity",
      "with a Wi-Fi module; the passphrase comes from standard input");
  provision.example("mvctl emulator start demo", "an emulated device is provisioned by its first start");
  provision.run([options, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return provision_device(program, cloud, *options); });
  });
}

}  // namespace

void add_devices(Command& root, Program& program) {
  Command& devices = root.add("devices", "devices: what there is and what it runs");
  devices.example("mvctl devices", "a table of all of them");
  devices.example("mvctl devices show porch", "all about one");
  add_list(devices, program, list_devices, "all devices")
      .example("mvctl devices list", "a table of all of them")
      .example("mvctl devices list --output json", "the same for a program");
  Command& show = devices.add("show", "one device");
  auto name = std::make_shared<std::string>();
  show.argument("DEVICE", name.get(), "name, id or unique prefix").complete(Completion::kDevice);
  show.example("mvctl devices show porch", "what it runs and since when");
  show.example("mvctl devices show UV91 --output json", "everything the cloud knows");
  show.run([name, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return show_device(program, cloud, *name); });
  });
  add_update(devices, program);
  add_restart(devices, program);
  add_provision(devices, program);
  add_device_keys(devices, program);
  add_delete(devices, program);
}

}  // namespace mv::cli
