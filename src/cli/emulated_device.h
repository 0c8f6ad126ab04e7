// Starting an emulated device: its identity from the cloud, its supervisor as a process of its own, its way online.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/cloud_client.h"
#include "cli/identity.h"
#include "cli/output.h"
#include "emulator/board.h"
#include "emulator/device_folder.h"
#include "emulator/shaped_line.h"

namespace mv::cli {

struct EmulatorOptions {
  std::string name;
  std::string board;     // of a new device; empty: mps2-an505
  std::string firmware;  // folder; empty: the usual place
  std::chrono::milliseconds delay{0};
  std::uint32_t rate = 0;    // bytes a second; 0: unlimited
  std::string dial;          // HOST:PORT that a new device calls; empty: the cloud's own
  IdentityOptions identity;  // of a new device
};

// $XDG_STATE_HOME/mvctl/emulators
std::filesystem::path emulators_folder();

// The folder of a device of that name, which need not exist. kUsage: the name is not fit for one.
Answer<emulator::DeviceFolder> device_folder(const std::string& name);

// The same, of a device that was started before. kNotFound.
Answer<emulator::DeviceFolder> existing_device(const std::string& name);

// The board that a device has, or that a new one is to have. kUsage: it cannot be emulated, or is not the device's.
Answer<const emulator::EmulatedBoard*> board_of(const emulator::DeviceFolder& folder, const std::string& wanted);

// The folder with the board's boot stage and microvisor.bin: as given, $MVCTL_FIRMWARE_DIR, or beside this program.
Answer<std::filesystem::path> find_firmware(const emulator::EmulatedBoard& board, const std::string& given);

// The QEMU that has the board: $MVCTL_QEMU_STM32U585 and the like, beside this program, or by its name from the PATH.
std::filesystem::path find_qemu(const emulator::EmulatedBoard& board);

// Makes identity and flash on the first start; puts the current microvisor into the flash on a later one, and fails if
// that is to be given keys (kUsage).
Result prepare_device(CloudClient& cloud, const std::string& cloud_url, const emulator::DeviceFolder& folder,
                      const emulator::EmulatedBoard& board, const std::filesystem::path& firmware,
                      const EmulatorOptions& options);

// Starts `mvctl emulator run` for the device as a session of its own and waits until it answers.
Result start_supervisor(const emulator::DeviceFolder& folder, const std::filesystem::path& firmware,
                        const EmulatorOptions& options);

// Waits until the cloud says that the device is online. kDeviceOffline: it is not, and why.
Answer<Device> wait_until_online(CloudClient& cloud, const emulator::DeviceFolder& folder);

}  // namespace mv::cli
