#include "cli/emulated_device.h"

#include <sys/wait.h>

#include <cctype>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>

#include "cli/identity.h"
#include "cli/interrupt.h"
#include "cli/logged_child.h"
#include "emulator/control.h"
#include "emulator/flash_image.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;
using emulator::DeviceFolder;
using nlohmann::json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr const char* kUsualBoard = "mps2-an505";
constexpr milliseconds kSupervisorPatience = std::chrono::seconds(10);
constexpr milliseconds kOnlinePatience = std::chrono::seconds(30);
constexpr milliseconds kLook = milliseconds(50);
constexpr std::size_t kShownLines = 10;  // of a log

fs::path own_program() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error);
}

// The end of a log, indented, for a hint.
std::string tail(const fs::path& file) {
  std::string shown;
  for (const std::string& line : last_lines(file, kShownLines)) shown += "| " + line + "\n";
  return shown;
}

emulator::FlashFiles files_of(const DeviceFolder& folder) { return {folder.flash(), folder.nor()}; }

Result first_start(CloudClient& cloud, const std::string& cloud_url, const DeviceFolder& folder,
                   const emulator::EmulatedBoard& board, const fs::path& firmware, const EmulatorOptions& options) {
  // A key that is not there is found before there is a device.
  const auto additions = read_identity_options(options.identity);
  if (!additions) return tl::unexpected(additions.error());
  std::error_code error;
  fs::create_directories(folder.path, error);
  fs::permissions(folder.path, fs::perms::owner_all, error);
  if (error) return fail(ExitCode::kFailed, "cannot make " + folder.path.string() + ": " + error.message());
  auto made = cloud.provision(folder.name(), std::string(board.name), options.dial);
  if (!made) {
    Failure failure = made.error();
    if (failure.code == ExitCode::kFailed && failure.hint.empty()) {
      failure.hint = "if a device " + folder.name() + " is there already, choose another name for this one";
    }
    return tl::make_unexpected(std::move(failure));
  }
  const auto mark = emulator::microvisor_mark(board, firmware);
  if (!mark) return fail(ExitCode::kFailed, mark.error());
  const auto identity = complete_identity(std::move(made->identity), *additions);
  if (!identity) return tl::unexpected(identity.error());
  const auto flash = emulator::make_flash(board, files_of(folder), firmware, *identity);
  if (!flash) return fail(ExitCode::kFailed, flash.error());
  // The network in the air is the one that the device looks for.
  if (additions->wifi) {
    if (const auto wifi = emulator::write_wifi(folder, *additions->wifi); !wifi) {
      return fail(ExitCode::kFailed, wifi.error());
    }
  }
  const auto record = emulator::write_record(folder, {made->device.sid, cloud_url, std::string(board.name), *mark});
  if (!record) return fail(ExitCode::kFailed, record.error());
  return {};
}

Result later_start(const std::string& cloud_url, const DeviceFolder& folder, const emulator::EmulatedBoard& board,
                   const fs::path& firmware) {
  auto record = emulator::read_record(folder);
  if (!record) return fail(ExitCode::kFailed, record.error());
  if (record->cloud != cloud_url) {
    return fail(ExitCode::kFailed,
                "the emulated device " + folder.name() + " belongs to " + record->cloud + ", not to " + cloud_url,
                "choose another name, or mvctl emulator delete " + folder.name());
  }
  // A microvisor that was built anew is put there as a factory would; else an update over the air stays.
  const auto mark = emulator::microvisor_mark(board, firmware);
  if (!mark) return fail(ExitCode::kFailed, mark.error());
  if (*mark == record->microvisor) return {};
  const auto replaced = emulator::replace_microvisor(board, files_of(folder), firmware);
  if (!replaced) return fail(ExitCode::kFailed, replaced.error());
  record->microvisor = *mark;
  const auto written = emulator::write_record(folder, *record);
  if (!written) return fail(ExitCode::kFailed, written.error());
  return {};
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

Answer<const emulator::EmulatedBoard*> board_of(const DeviceFolder& folder, const std::string& wanted) {
  std::string name = wanted.empty() ? kUsualBoard : wanted;
  std::error_code error;
  if (fs::exists(folder.record(), error)) {
    const auto record = emulator::read_record(folder);
    if (!record) return fail(ExitCode::kFailed, record.error());
    if (!wanted.empty() && wanted != record->board) {
      return fail(ExitCode::kUsage, folder.name() + " is a " + record->board + ", not a " + printable(wanted),
                  "choose another name for a new device");
    }
    name = record->board;
  }
  const emulator::EmulatedBoard* board = emulator::find_emulated_board(name);
  if (board == nullptr) {
    return fail(ExitCode::kUsage, "a board \"" + printable(name) + "\" cannot be emulated",
                "it is one of " + emulator::emulated_board_names());
  }
  return board;
}

Answer<fs::path> find_firmware(const emulator::EmulatedBoard& board, const std::string& given) {
  const char* variable = std::getenv("MVCTL_FIRMWARE_DIR");
  fs::path folder = given;
  if (folder.empty() && variable != nullptr) folder = variable;
  if (folder.empty()) folder = own_program().parent_path() / "firmware" / board.name;
  std::error_code error;
  folder = fs::absolute(folder, error);
  for (const std::string_view file : {board.boot_stage_file, std::string_view("microvisor.bin")}) {
    if (!fs::is_regular_file(folder / file, error)) {
      return fail(ExitCode::kFailed, "there is no " + std::string(file) + " in " + folder.string(),
                  "build it with scripts/build firmware, or give --firmware DIR");
    }
  }
  return folder;
}

fs::path find_qemu(const emulator::EmulatedBoard& board) {
  std::string variable = "MVCTL_QEMU_" + std::string(board.name);
  for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (const char* given = std::getenv(variable.c_str()); given != nullptr && *given != '\0') return given;
  const fs::path beside = own_program().parent_path() / board.qemu;
  std::error_code error;
  return fs::exists(beside, error) ? beside : fs::path(board.qemu);
}

Result prepare_device(CloudClient& cloud, const std::string& cloud_url, const DeviceFolder& folder,
                      const emulator::EmulatedBoard& board, const fs::path& firmware, const EmulatorOptions& options) {
  std::error_code error;
  if (!fs::exists(folder.record(), error)) {
    return first_start(cloud, cloud_url, folder, board, firmware, options);
  }
  if (options.identity.any()) {
    return fail(ExitCode::kUsage,
                "the device " + folder.name() + " was provisioned already: its keys and its modem stay",
                "give --decryption-key, --signers, --modem and --wifi-... with the first start of a new device");
  }
  return later_start(cloud_url, folder, board, firmware);
}

Result start_supervisor(const DeviceFolder& folder, const fs::path& firmware, const EmulatorOptions& options) {
  std::error_code ignored;
  fs::remove(folder.supervisor_log(), ignored);
  // This very program again.
  const auto child =
      spawn_logged({own_program(), "emulator", "run", folder.name(), "--firmware", firmware, "--delay",
                    std::to_string(options.delay.count()) + "ms", "--rate", std::to_string(options.rate)},
                   folder.supervisor_log(), true);
  if (!child)
    return fail(ExitCode::kFailed, "cannot start the supervisor: " + std::string(std::strerror(child.error())));
  const auto deadline = Clock::now() + kSupervisorPatience;
  while (!emulator::ask_supervisor(folder.control_socket(), {{"do", "status"}})) {
    if (::waitpid(*child, nullptr, WNOHANG) == *child || Clock::now() > deadline) {
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
  std::optional<Answer<Device>> outcome;
  const auto look = [&] {
    auto device = cloud.device(record->sid);
    if (!device || device->online) outcome = std::move(device);
    return !outcome.has_value();
  };
  // The cloud says when the device is there; that it lost its power only its supervisor knows.
  const auto has_power = [&] {
    const auto status = emulator::ask_supervisor(folder.control_socket(), {{"do", "status"}});
    return status && status->value("power", false);
  };
  const auto go_on = [&] { return Clock::now() < deadline && has_power(); };
  const auto watched = cloud.watch(record->sid, look, go_on, [](const std::string&) {});
  if (outcome) return *std::move(outcome);
  if (!watched) return tl::make_unexpected(watched.error());
  if (interrupted()) return fail(ExitCode::kFailed, "interrupted; " + folder.name() + " has power and goes on");
  return why_offline(folder);
}

}  // namespace mv::cli
