// mvctl emulator: devices without hardware. The microvisor runs in QEMU, its modem and its power are at hand.
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <fstream>
#include <memory>
#include <ostream>

#include <boost/asio/io_context.hpp>

#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/emulated_device.h"
#include "cli/interrupt.h"
#include "emulator/control.h"
#include "emulator/supervisor.h"

namespace mv::cli {
namespace {

using emulator::DeviceFolder;
using nlohmann::json;
using nlohmann::ordered_json;
using std::chrono::milliseconds;

// start, run

Result start_device(Program& program, CloudClient& cloud, const EmulatorOptions& options) {
  const auto folder = device_folder(options.name);
  if (!folder) return tl::make_unexpected(folder.error());
  const auto began = std::chrono::steady_clock::now();
  if (!emulator::is_supervised(*folder)) {
    const auto context = program.context();
    const auto board = board_of(*folder, options.board);
    if (!board) return tl::make_unexpected(board.error());
    const auto firmware = find_firmware(**board, options.firmware);
    if (!firmware) return tl::make_unexpected(firmware.error());
    if (auto ready = prepare_device(cloud, context->cloud, *folder, **board, *firmware, options); !ready) return ready;
    if (auto started = start_supervisor(*folder, *firmware, options); !started) return started;
  }
  const auto device = wait_until_online(cloud, *folder);
  if (!device) return tl::make_unexpected(device.error());
  const auto spent = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began).count();
  const std::string seconds = std::to_string(spent / 1000) + "." + std::to_string(spent / 100 % 10);
  program.output().result({{"name", options.name}, {"sid", device->sid}, {"state", "online"}, {"milliseconds", spent}},
                          options.name + " (" + short_sid(device->sid) + ") is online after " + seconds +
                              " s; next: mvctl deploy PROJECT --device " + options.name);
  return {};
}

std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm fields{};
  std::array<char, 16> text{};
  ::localtime_r(&now, &fields);
  return {text.data(), std::strftime(text.data(), text.size(), "%H:%M:%S", &fields)};
}

Result run_device(Program& program, const EmulatorOptions& options) {
  const auto folder = existing_device(options.name);
  if (!folder) return tl::make_unexpected(folder.error());
  const auto board = board_of(*folder, "");
  if (!board) return tl::make_unexpected(board.error());
  const auto firmware = find_firmware(**board, options.firmware);
  if (!firmware) return tl::make_unexpected(firmware.error());
  const auto lock = emulator::DeviceLock::take(*folder);
  if (!lock) return fail(ExitCode::kFailed, lock.error());
  std::ostream& out = *program.output().terminal().out;
  const auto wifi = emulator::read_wifi(*folder);
  if (!wifi) return fail(ExitCode::kFailed, wifi.error());
  boost::asio::io_context context;
  emulator::Supervisor supervisor(
      context, {*folder, *firmware, {options.delay, options.rate}, *board, find_qemu(**board), {*wifi}},
      [&out](const std::string& line) { out << time_of_day() << "  " << line << std::endl; });
  if (const auto started = supervisor.start(); !started) return fail(ExitCode::kFailed, started.error());
  context.run();
  return {};
}

// stop, kill, power-on, modem

Answer<json> ask(const std::string& name, const json& request, bool until_gone = false) {
  const auto folder = existing_device(name);
  if (!folder) return tl::make_unexpected(folder.error());
  auto reply = emulator::ask_supervisor(folder->control_socket(), request, until_gone);
  if (!reply) {
    const bool runs = emulator::is_supervised(*folder);
    return fail(ExitCode::kFailed, reply.error(), runs ? "" : "start it: mvctl emulator start " + name);
  }
  return *std::move(reply);
}

ordered_json report(const json& status) {
  ordered_json document;
  for (const char* key : {"name", "power", "qemu_pid", "supervisor_pid", "last_exit", "flash_operations", "modem",
                          "carrier", "wifi", "delay_ms", "rate", "connections", "bytes_up", "bytes_down"}) {
    document[key] = status.contains(key) ? ordered_json(status[key]) : ordered_json();
  }
  return document;
}

Result tell(Program& program, const std::string& name, const json& request, const std::string& done) {
  const auto status = ask(name, request);
  if (!status) return tl::make_unexpected(status.error());
  program.output().result(report(*status), name + " " + done);
  return {};
}

Result stop_device(Program& program, const std::string& name) {
  const auto folder = existing_device(name);
  if (!folder) return tl::make_unexpected(folder.error());
  if (emulator::is_supervised(*folder)) {
    if (const auto stopped = ask(name, {{"do", "stop"}}, true); !stopped) return tl::make_unexpected(stopped.error());
  }
  program.output().result({{"name", name}, {"state", "stopped"}}, name + " is switched off; its flash is kept");
  return {};
}

std::string describe_modem(const json& status) {
  std::string text = std::string("carrier   ") + (status.value("carrier", false) ? "there" : "lost") + "\n";
  if (status.contains("wifi") && status["wifi"].is_string()) {
    text += "wifi      " + status["wifi"].get<std::string>() + "\n";
  }
  text += "delay     " + std::to_string(status.value("delay_ms", 0)) + " ms each way\n";
  const auto rate = status.value("rate", 0U);
  text += "rate      " + (rate == 0 ? std::string("unlimited") : human_size(rate) + "/s") + "\n";
  text += "sent      " + std::to_string(status.value("bytes_up", std::uint64_t{0})) + " B by the device, " +
          std::to_string(status.value("bytes_down", std::uint64_t{0})) + " B by the cloud, in " +
          std::to_string(status.value("connections", std::uint64_t{0})) + " connections\n";
  return text;
}

struct PowerOptions {
  std::string name;
  std::optional<std::uint32_t> cut_at;
  bool torn = false;
};

Result power_on(Program& program, const PowerOptions& options) {
  if (options.torn && !options.cut_at) return fail(ExitCode::kUsage, "--torn goes with --cut-at N");
  json request = {{"do", "power-on"}};
  if (options.cut_at) request.update({{"cut_at", *options.cut_at}, {"torn", options.torn}});
  return tell(program, options.name, request,
              options.cut_at ? "has power until flash operation " + std::to_string(*options.cut_at)
                             : "has power; see mvctl devices show " + options.name);
}

struct ModemOptions {
  std::string name;
  std::optional<milliseconds> carrier_loss;
  std::string carrier;
  std::optional<milliseconds> wifi_loss;
  std::string wifi;
  std::optional<milliseconds> delay;
  std::optional<std::uint32_t> rate;
};

Result change_modem(Program& program, const ModemOptions& options) {
  json shape = {{"do", "shape"}};
  if (options.delay) shape["delay_ms"] = options.delay->count();
  if (options.rate) shape["rate"] = *options.rate;
  auto status = ask(options.name, shape);
  if (status && options.carrier_loss)
    status = ask(options.name, {{"do", "carrier"}, {"for_ms", options.carrier_loss->count()}});
  if (status && options.carrier == "on") status = ask(options.name, {{"do", "carrier"}, {"there", true}});
  if (status && options.carrier == "off") status = ask(options.name, {{"do", "carrier"}});
  if (status && options.wifi_loss)
    status = ask(options.name, {{"do", "wifi"}, {"state", "down"}, {"for_ms", options.wifi_loss->count()}});
  if (status && !options.wifi.empty()) status = ask(options.name, {{"do", "wifi"}, {"state", options.wifi}});
  if (!status) return tl::make_unexpected(status.error());
  program.output().result(report(*status), describe_modem(*status));
  return {};
}

// list, console, delete

Result list_emulators(Program& program) {
  Table table({"NAME", "ID", "POWER", "UP", "DOWN", "CLOUD"});
  ordered_json documents = ordered_json::array();
  for (const DeviceFolder& folder : emulator::list_devices(emulators_folder())) {
    const auto record = emulator::read_record(folder);
    const auto status = emulator::is_supervised(folder)
                            ? emulator::ask_supervisor(folder.control_socket(), {{"do", "status"}})
                            : tl::expected<json, std::string>(tl::make_unexpected(std::string("stopped")));
    const bool power = status && status->value("power", false);
    const std::string last_exit = status ? status->value("last_exit", std::string()) : std::string();
    ordered_json document = status ? report(*status) : ordered_json{{"name", folder.name()}, {"power", false}};
    document["sid"] = record ? record->sid : "";
    document["running"] = status.has_value();
    documents.push_back(document);
    table.row({folder.name(), record ? short_sid(record->sid) : "?",
               power    ? "on"
               : status ? "off (" + last_exit + ")"
                        : "stopped",
               status ? human_size(status->value("bytes_up", std::uint64_t{0})) : "-",
               status ? human_size(status->value("bytes_down", std::uint64_t{0})) : "-", record ? record->cloud : "?"});
  }
  const bool none = documents.empty();
  program.output().result({{"emulators", documents}},
                          none ? "no emulated device yet: mvctl emulator start NAME" : table.text(program.output()));
  return {};
}

// Prints what the file holds and, if `follow`, what is written to it until Ctrl-C.
Result print_log(Program& program, const std::filesystem::path& file, bool follow) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(ExitCode::kNotFound, "there is no " + file.string(), "the device has not had power yet");
  const InterruptGuard guard;
  const int watch = ::inotify_init1(IN_CLOEXEC);
  ::inotify_add_watch(watch, file.c_str(), IN_MODIFY);
  std::ostream& out = *program.output().terminal().out;
  for (std::string line; !interrupted();) {
    while (std::getline(in, line)) {
      if (line.ends_with('\r')) line.pop_back();
      out << printable(line) << '\n';
    }
    out.flush();
    in.clear();
    if (!follow) break;
    pollfd state{watch, POLLIN, 0};
    std::array<char, 4096> events;
    if (::poll(&state, 1, 200) > 0) [[maybe_unused]]
      const auto read = ::read(watch, events.data(), events.size());
  }
  ::close(watch);
  return {};
}

Result delete_device(Program& program, const std::string& name, bool yes) {
  const auto folder = existing_device(name);
  if (!folder) return tl::make_unexpected(folder.error());
  if (!yes) {
    return fail(ExitCode::kUsage, "this throws away the flash of " + name + ", its identity included, for good",
                "say so: mvctl emulator delete " + name + " --yes");
  }
  if (emulator::is_supervised(*folder)) {
    if (const auto stopped = ask(name, {{"do", "stop"}}, true); !stopped) return tl::make_unexpected(stopped.error());
  }
  std::error_code error;
  std::filesystem::remove_all(folder->path, error);
  if (error) return fail(ExitCode::kFailed, "cannot remove " + folder->path.string() + ": " + error.message());
  program.output().result({{"deleted", name}}, "deleted " + name + " here; the cloud still lists it");
  return {};
}

// The tree.

void add_line_options(Command& command, EmulatorOptions& options) {
  command.option("--delay", "TIME", &options.delay, "delay of the line, each way, for example 150ms");
  command.option("--rate", "BYTES", &options.rate, "bytes a second that the line carries; 0: no limit");
  command.option("--firmware", "DIR", &options.firmware, "folder with boot-rom.elf and microvisor.bin")
      .env("MVCTL_FIRMWARE_DIR")
      .complete(Completion::kDirectory);
}

void add_start(Command& emulator, Program& program) {
  Command& start = emulator.add("start", "power an emulated device, made and provisioned if it is new");
  auto options = std::make_shared<EmulatorOptions>();
  start.argument("NAME", &options->name, "the device").complete(Completion::kEmulator);
  add_line_options(start, *options);
  start.option("--board", "BOARD", &options->board, "what a new device is: " + emulator::emulated_board_names())
      .shows_default("mps2-an505");
  start.option("--dial", "HOST:PORT", &options->dial, "what a new device calls, if not the cloud itself: a proxy, say");
  add_identity_options(start, options->identity);
  start.example("mvctl emulator start demo", "a device called demo, online at the cloud in use");
  start.example("mvctl emulator start far --delay 150ms --rate 20000", "behind a slow cellular link");
  start.example("mvctl emulator start u5 --board stm32u585", "the STM32U585 with its release image");
  start.example("MVCTL_WIFI_PASSPHRASE='correct horse' mvctl emulator start shed --modem esp-at --wifi-ssid home",
                "with a Wi-Fi module, and the network for it");
  start.run([options, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return start_device(program, cloud, *options); });
  });
  Command& run = emulator.add("run", "keep an emulated device in the foreground until Ctrl-C");
  auto run_options = std::make_shared<EmulatorOptions>();
  run.argument("NAME", &run_options->name, "a device that was started once").complete(Completion::kEmulator);
  add_line_options(run, *run_options);
  run.example("mvctl emulator run demo", "what happens to it is printed");
  run.example("mvctl emulator run demo --delay 300ms", "behind a line with delay");
  run.run([run_options, &program] { return run_device(program, *run_options); });
}

Command& add_named(Command& parent, const char* verb, const char* summary,
                   std::function<Result(const std::string&)> handler) {
  Command& command = parent.add(verb, summary);
  auto name = std::make_shared<std::string>();
  command.argument("NAME", name.get(), "the device").complete(Completion::kEmulator);
  command.run([name, handler = std::move(handler)] { return handler(*name); });
  return command;
}

void add_power(Command& emulator, Program& program) {
  add_named(emulator, "stop", "switch an emulated device off",
            [&program](const std::string& name) { return stop_device(program, name); })
      .example("mvctl emulator stop demo", "its flash is kept for the next start")
      .example("mvctl emulator delete demo --yes", "or get rid of it");
  add_named(emulator, "kill", "cut the power of an emulated device, now",
            [&program](const std::string& name) {
              return tell(program, name, {{"do", "kill"}}, "has no power");
            })
      .example("mvctl emulator kill demo", "as a battery does that falls out")
      .example("mvctl emulator power-on demo", "put it back");
  Command& on = emulator.add("power-on", "give an emulated device power again");
  auto options = std::make_shared<PowerOptions>();
  on.argument("NAME", &options->name, "the device").complete(Completion::kEmulator);
  on.option("--cut-at", "N", &options->cut_at,
            "the power fails as it begins its N-th write or erase of flash (stm32u585)");
  on.flag("--torn", options->torn, "with --cut-at: in the midst of it, half done");
  on.example("mvctl emulator power-on demo", "after mvctl emulator kill demo");
  on.example("mvctl emulator power-on u5 --cut-at 250 --torn", "does an update survive that?");
  on.run([options, &program] { return power_on(program, *options); });
}

void add_modem(Command& emulator, Program& program) {
  Command& modem = emulator.add("modem", "show or disturb the line of an emulated device");
  auto options = std::make_shared<ModemOptions>();
  modem.argument("NAME", &options->name, "the device").complete(Completion::kEmulator);
  modem.option("--carrier-loss", "TIME", &options->carrier_loss, "the network goes away for so long");
  modem.option("--carrier", "on|off", &options->carrier, "the network comes back, or goes away until then")
      .choices({"on", "off"});
  modem.option("--wifi-loss", "TIME", &options->wifi_loss, "the access point of a Wi-Fi module goes away for so long");
  modem
      .option("--wifi", "up|down|silent|refuses", &options->wifi,
              "the access point is back, gone, there without answering in time, or there and takes nobody")
      .choices({"up", "down", "silent", "refuses"});
  modem.option("--delay", "TIME", &options->delay, "delay of the line, each way");
  modem.option("--rate", "BYTES", &options->rate, "bytes a second that the line carries; 0: no limit");
  modem.example("mvctl emulator modem demo --carrier-loss 5s", "a tunnel");
  modem.example("mvctl emulator modem demo --wifi down", "somebody switches the access point off");
  modem.example("mvctl emulator modem demo", "bytes on the air so far");
  modem.run([options, &program] { return change_modem(program, *options); });
}

struct ConsoleOptions {
  std::string name;
  bool application = false;
  bool no_follow = false;
};

void add_console(Command& emulator, Program& program) {
  Command& console = emulator.add("console", "what the microvisor, or the application, writes to its serial line");
  auto options = std::make_shared<ConsoleOptions>();
  console.argument("NAME", &options->name, "the device").complete(Completion::kEmulator);
  console.flag("--application", options->application, "the application's line instead of the microvisor's");
  console.flag("--no-follow", options->no_follow, "end after what is there");
  console.example("mvctl emulator console demo", "until Ctrl-C");
  console.example("mvctl emulator console demo --application --no-follow", "what the application has written so far");
  console.run([options, &program]() -> Result {
    const auto folder = existing_device(options->name);
    if (!folder) return tl::make_unexpected(folder.error());
    return print_log(program, options->application ? folder->application_log() : folder->console_log(),
                     !options->no_follow);
  });
}

}  // namespace

void add_emulator(Command& root, Program& program) {
  Command& emulator = root.add("emulator", "devices without hardware: the microvisor in QEMU");
  emulator.example("mvctl emulator start demo", "power a device called demo");
  emulator.example("mvctl emulator", "the emulated devices of this machine");
  emulator.run([&program] { return list_emulators(program); });
  add_start(emulator, program);
  add_power(emulator, program);
  add_modem(emulator, program);
  add_console(emulator, program);
  Command& list = emulator.add("list", "the emulated devices of this machine");
  list.example("mvctl emulator list", "a table of all of them");
  list.example("mvctl emulator list --output json", "with bytes on the air and process ids");
  list.run([&program] { return list_emulators(program); });
  Command& remove = emulator.add("delete", "throw an emulated device away");
  auto name = std::make_shared<std::string>();
  auto yes = std::make_shared<bool>(false);
  remove.argument("NAME", name.get(), "the device").complete(Completion::kEmulator);
  remove.flag("--yes", *yes, "really");
  remove.example("mvctl emulator delete demo --yes", "its flash and its identity are gone for good");
  remove.example("mvctl emulator stop demo", "or just switch it off");
  remove.run([name, yes, &program] { return delete_device(program, *name, *yes); });
}

}  // namespace mv::cli
