#include "emulator/device_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include <nlohmann/json.hpp>

namespace mv::emulator {
namespace {

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

bool is_valid_name(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  const auto fits = [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.');
  };
  return !name.empty() && name.size() <= kLongest && name.front() != '.' && std::ranges::all_of(name, fits);
}

std::vector<DeviceFolder> list_devices(const std::filesystem::path& emulators) {
  std::vector<DeviceFolder> folders;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(emulators, error)) {
    const DeviceFolder folder{entry.path()};
    if (std::filesystem::exists(folder.record(), error)) folders.push_back(folder);
  }
  std::ranges::sort(folders, {}, &DeviceFolder::path);
  return folders;
}

tl::expected<DeviceRecord, std::string> read_record(const DeviceFolder& folder) {
  std::ifstream in(folder.record());
  const auto json = nlohmann::json::parse(in, nullptr, false);
  const auto text = [&](const char* key) {
    return json.is_object() && json.contains(key) && json[key].is_string() ? json[key].get<std::string>()
                                                                           : std::string();
  };
  DeviceRecord record{text("sid"), text("cloud"), text("board")};
  if (const auto mark = json.find("microvisor"); mark != json.end() && mark->is_number_unsigned()) {
    record.microvisor = mark->get<std::uint32_t>();
  }
  if (record.sid.empty()) {
    return tl::make_unexpected(folder.record().string() + " does not say which device this is: remove " +
                               folder.path.string() + " and start it anew");
  }
  return record;
}

tl::expected<void, std::string> write_record(const DeviceFolder& folder, const DeviceRecord& record) {
  const nlohmann::ordered_json json = {{"schema", 1},
                                       {"sid", record.sid},
                                       {"cloud", record.cloud},
                                       {"board", record.board},
                                       {"microvisor", record.microvisor}};
  std::ofstream out(folder.record(), std::ios::trunc);
  out << json.dump(1) << '\n';
  out.flush();
  if (!out) return tl::make_unexpected("cannot write " + folder.record().string());
  return {};
}

tl::expected<std::optional<WifiNetwork>, std::string> read_wifi(const DeviceFolder& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder.wifi(), error)) return std::nullopt;
  std::ifstream in(folder.wifi(), std::ios::binary);
  WifiNetwork network;
  if (!std::getline(in, network.ssid) || network.ssid.empty()) {
    return tl::make_unexpected("cannot read " + folder.wifi().string() + ": remove " + folder.path.string() +
                               " and start it anew");
  }
  std::getline(in, network.passphrase);
  return network;
}

tl::expected<void, std::string> write_wifi(const DeviceFolder& folder, const WifiNetwork& network) {
  const int descriptor = ::open(folder.wifi().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string text = network.ssid + "\n" + network.passphrase + "\n";
  const bool written =
      descriptor >= 0 && ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!written) return tl::make_unexpected("cannot write " + folder.wifi().string() + ": " + std::strerror(error));
  return {};
}

tl::expected<DeviceLock, std::string> DeviceLock::take(const DeviceFolder& folder) {
  const int descriptor = ::open(folder.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return tl::make_unexpected("cannot make " + folder.lock().string() + ": " + std::strerror(errno));
  }
  struct flock whole = whole_file();
  if (::fcntl(descriptor, F_OFD_SETLK, &whole) != 0) {
    ::close(descriptor);
    return tl::make_unexpected("the emulated device " + folder.name() + " is running already");
  }
  return DeviceLock(descriptor);
}

DeviceLock::~DeviceLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

DeviceLock::DeviceLock(DeviceLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

// Only asks: taking the lock for a moment could make a supervisor fail that is just starting.
bool is_supervised(const DeviceFolder& folder) {
  const int descriptor = ::open(folder.lock().c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return false;
  struct flock whole = whole_file();
  const bool asked = ::fcntl(descriptor, F_OFD_GETLK, &whole) == 0;
  ::close(descriptor);
  return asked && whole.l_type != F_UNLCK;
}

}  // namespace mv::emulator
