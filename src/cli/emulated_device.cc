#include "cli/emulated_device.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "cli/interrupt.h"
#include "emulator/control.h"
#include "emulator/flash_image.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;
using emulator::DeviceFolder;
using nlohmann::json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr const char* kBoard = "mps2-an505";
constexpr milliseconds kSupervisorPatience = std::chrono::seconds(10);
constexpr milliseconds kOnlinePatience = std::chrono::seconds(30);
constexpr milliseconds kLook = milliseconds(50);

fs::path own_program() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error);
}

// The last lines of a log, indented, for a hint.
std::string tail(const fs::path& file) {
  constexpr std::size_t kMost = 600;
  std::ifstream in(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (text.size() > kMost) text.erase(0, text.find('\n', text.size() - kMost) + 1);
  std::string shown;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const bool ends_with_return = end > start && text[end - 1] == '\r';
    shown += "| " + printable(std::string_view(text).substr(start, end - start - (ends_with_return ? 1 : 0))) + "\n";
    start = end + 1;
  }
  return shown;
}

Result first_start(CloudClient& cloud, const std::string& cloud_url, const DeviceFolder& folder,
                   const fs::path& firmware, const std::string& dial) {
  std::error_code error;
  fs::create_directories(folder.path, error);
  fs::permissions(folder.path, fs::perms::owner_all, error);
  if (error) return fail(ExitCode::kFailed, "cannot make " + folder.path.string() + ": " + error.message());
  auto made = cloud.provision(folder.name(), kBoard, dial);
  if (!made) {
    Failure failure = made.error();
    if (failure.code == ExitCode::kFailed && failure.hint.empty()) {
      failure.hint = "if a device " + folder.name() + " is there already, choose another name for this one";
    }
    return tl::make_unexpected(std::move(failure));
  }
  const auto flash = emulator::make_flash(folder.flash(), firmware / "microvisor.bin", made->identity);
  if (!flash) return fail(ExitCode::kFailed, flash.error());
  const auto record = emulator::write_record(folder, {made->device.sid, cloud_url, kBoard});
  if (!record) return fail(ExitCode::kFailed, record.error());
  return {};
}

Result later_start(const std::string& cloud_url, const DeviceFolder& folder, const fs::path& firmware) {
  const auto record = emulator::read_record(folder);
  if (!record) return fail(ExitCode::kFailed, record.error());
  if (record->cloud != cloud_url) {
    return fail(ExitCode::kFailed,
                "the emulated device " + folder.name() + " belongs to " + record->cloud + ", not to " + cloud_url,
                "choose another name, or mvctl emulator delete " + folder.name());
  }
  const auto replaced = emulator::replace_microvisor(folder.flash(), firmware / "microvisor.bin");
  if (!replaced) return fail(ExitCode::kFailed, replaced.error());
  return {};
}

// Starts this very program again, detached from the terminal. Returns its process id, or 0.
pid_t spawn_detached(std::vector<std::string> words, const fs::path& log) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t child = 0;
  const int error = posix_spawn(&child, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? child : 0;
}

tl::unexpected<Failure> why_offline(const DeviceFolder& folder) {
  const auto status = emulator::ask_supervisor(folder.control_socket(), {{"do", "status"}});
  std::string why = "has power, but is not online after 30 s";
  if (!status) {
    why = "is not online: " + status.error();
  } else if (!status->value("power", false)) {
    why = "has stopped: " + status->value("last_exit", std::string());
  } else if (status->value("connections", 0) == 0) {
    why += ": its modem has not reached the cloud";
  } else {
    why += ": its modem reached the cloud, but no link came to be";
  }
  return fail(ExitCode::kDeviceOffline, folder.name() + " " + why,
              tail(folder.console_log()) + "see mvctl emulator console " + folder.name());
}

}  // namespace

fs::path emulators_folder() { return state_folder() / "emulators"; }

Answer<DeviceFolder> device_folder(const std::string& name) {
  if (!emulator::is_valid_name(name)) {
    return fail(ExitCode::kUsage, "\"" + printable(name) + "\" cannot be the name of a device",
                "letters, digits, '-', '_' and '.', at most 64");
  }
  return DeviceFolder{emulators_folder() / name};
}

Answer<DeviceFolder> existing_device(const std::string& name) {
  auto folder = device_folder(name);
  std::error_code error;
  if (folder && !fs::exists(folder->record(), error)) {
    return fail(ExitCode::kNotFound, "there is no emulated device " + name, "see mvctl emulator list");
  }
  return folder;
}

Answer<fs::path> find_firmware(const std::string& given) {
  const char* variable = std::getenv("MVCTL_FIRMWARE_DIR");
  fs::path folder = given;
  if (folder.empty() && variable != nullptr) folder = variable;
  if (folder.empty()) folder = own_program().parent_path() / "firmware" / kBoard;
  std::error_code error;
  folder = fs::absolute(folder, error);
  for (const char* file : {"boot-rom.elf", "microvisor.bin"}) {
    if (!fs::is_regular_file(folder / file, error)) {
      return fail(ExitCode::kFailed, "there is no " + std::string(file) + " in " + folder.string(),
                  "build it with scripts/build firmware, or give --firmware DIR");
    }
  }
  return folder;
}

Result prepare_device(CloudClient& cloud, const std::string& cloud_url, const DeviceFolder& folder,
                      const fs::path& firmware, const std::string& dial) {
  std::error_code error;
  if (fs::exists(folder.record(), error)) return later_start(cloud_url, folder, firmware);
  return first_start(cloud, cloud_url, folder, firmware, dial);
}

Result start_supervisor(const DeviceFolder& folder, const fs::path& firmware, const EmulatorOptions& options) {
  std::error_code ignored;
  fs::remove(folder.supervisor_log(), ignored);
  const pid_t child =
      spawn_detached({own_program(), "emulator", "run", folder.name(), "--firmware", firmware, "--delay",
                      std::to_string(options.delay.count()) + "ms", "--rate", std::to_string(options.rate)},
                     folder.supervisor_log());
  if (child == 0) return fail(ExitCode::kFailed, "cannot start the supervisor: " + std::string(std::strerror(errno)));
  const auto deadline = Clock::now() + kSupervisorPatience;
  while (!emulator::ask_supervisor(folder.control_socket(), {{"do", "status"}})) {
    if (::waitpid(child, nullptr, WNOHANG) == child || Clock::now() > deadline) {
      return fail(ExitCode::kFailed, folder.name() + " could not be powered", tail(folder.supervisor_log()));
    }
    std::this_thread::sleep_for(kLook);
  }
  return {};
}

Answer<Device> wait_until_online(CloudClient& cloud, const DeviceFolder& folder) {
  const auto record = emulator::read_record(folder);
  if (!record) return fail(ExitCode::kFailed, record.error());
  const auto deadline = Clock::now() + kOnlinePatience;
  while (true) {
    auto device = cloud.device(record->sid);
    if (!device || device->online) return device;
    const auto status = emulator::ask_supervisor(folder.control_socket(), {{"do", "status"}});
    if (!status || !status->value("power", false) || Clock::now() > deadline) return why_offline(folder);
    if (interrupted()) return fail(ExitCode::kFailed, "interrupted; " + folder.name() + " has power and goes on");
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace mv::cli
