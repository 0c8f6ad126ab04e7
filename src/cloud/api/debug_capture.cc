#include "cloud/api/debug_capture.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace mv::cloud {
namespace {

constexpr unsigned kMaxSessions = 1'000'000;  // of one device in one folder

int create_file(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
}

}  // namespace

Result<DebugCapture> DebugCapture::create(const std::filesystem::path& folder, const std::string& device_sid) {
  for (unsigned number = 1; number <= kMaxSessions; ++number) {
    const std::string stem = (folder / (device_sid + "-" + std::to_string(number))).string();
    const int to_device = create_file(stem + ".to-device");
    if (to_device < 0 && errno == EEXIST) continue;
    if (to_device < 0) return fail("cannot create " + stem + ".to-device: " + std::strerror(errno));
    const int from_device = create_file(stem + ".from-device");
    if (from_device >= 0) return DebugCapture(to_device, from_device);
    const int reason = errno;
    ::close(to_device);
    return fail("cannot create " + stem + ".from-device: " + std::strerror(reason));
  }
  return fail("the folder " + folder.string() + " is full of captures of " + device_sid + ": move them away");
}

DebugCapture::DebugCapture(DebugCapture&& other) noexcept
    : to_device_(std::exchange(other.to_device_, -1)), from_device_(std::exchange(other.from_device_, -1)) {}

DebugCapture::~DebugCapture() {
  if (to_device_ >= 0) ::close(to_device_);
  if (from_device_ >= 0) ::close(from_device_);
}

Result<void> DebugCapture::write(Direction direction, std::string_view bytes) {
  const int descriptor = direction == Direction::kToDevice ? to_device_ : from_device_;
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(std::string("cannot write a capture of a debug stream: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace mv::cloud
