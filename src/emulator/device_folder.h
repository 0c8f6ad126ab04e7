// Where an emulated device lives on the host: $XDG_STATE_HOME/mvctl/emulators/NAME/, with its flash, sockets and logs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "emulator/wifi_network.h"

namespace mv::emulator {

struct DeviceFolder {
  std::filesystem::path path;

  std::string name() const { return path.filename().string(); }
  std::filesystem::path flash() const { return path / "flash.bin"; }
  std::filesystem::path nor() const { return path / "nor.bin"; }         // of boards that have one
  std::filesystem::path record() const { return path / "device.json"; }  // who the device is, at which cloud
  std::filesystem::path wifi() const { return path / "wifi-network"; }   // only with a Wi-Fi module; a secret
  std::filesystem::path flash_count() const { return path / "flash-operations"; }  // since the last power-on
  std::filesystem::path lock() const { return path / "lock"; }           // held by the supervisor while it lives
  std::filesystem::path control_socket() const { return path / "control.sock"; }
  std::filesystem::path modem_socket() const { return path / "modem.sock"; }
  std::filesystem::path console_socket() const { return path / "console.sock"; }
  std::filesystem::path console_log() const { return path / "console.log"; }
  std::filesystem::path application_log() const { return path / "application.log"; }
  std::filesystem::path qemu_log() const { return path / "qemu.log"; }
  std::filesystem::path supervisor_log() const { return path / "supervisor.log"; }
};

// What a device's record holds.
struct DeviceRecord {
  std::string sid;
  std::string cloud;  // "https://host:port"
  std::string board;
  std::uint32_t microvisor = 0;  // mark of the image that was put into its flash last; 0: not known
};

// Letters, digits, '-', '_' and '.', not first a '.', at most 64: fit for a folder's name and for a device's.
bool is_valid_name(std::string_view name);

// The folders below `emulators` that hold a device, by name.
std::vector<DeviceFolder> list_devices(const std::filesystem::path& emulators);

tl::expected<DeviceRecord, std::string> read_record(const DeviceFolder& folder);
tl::expected<void, std::string> write_record(const DeviceFolder& folder, const DeviceRecord& record);

// The network in the air around a device with a Wi-Fi module; nothing: its modem is a cellular one. Kept in a file that
// only its owner may read: a line for the name, one for the passphrase; neither holds a control character.
tl::expected<std::optional<WifiNetwork>, std::string> read_wifi(const DeviceFolder& folder);
tl::expected<void, std::string> write_wifi(const DeviceFolder& folder, const WifiNetwork& network);

// Holds a device's lock. The kernel lets go of it when the process ends, however it ends.
class DeviceLock {
 public:
  // Error: a sentence; the lock is taken by somebody else, or cannot be made.
  static tl::expected<DeviceLock, std::string> take(const DeviceFolder& folder);

  ~DeviceLock();
  DeviceLock(DeviceLock&& other) noexcept;
  DeviceLock& operator=(DeviceLock&&) = delete;

 private:
  explicit DeviceLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// A supervisor lives for this device.
bool is_supervised(const DeviceFolder& folder);

}  // namespace mv::emulator
