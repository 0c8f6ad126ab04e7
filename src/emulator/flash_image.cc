#include "emulator/flash_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "core/platform/flash_map.h"

namespace mv::emulator {
namespace {

constexpr std::uint8_t kErased = 0xFF;
constexpr std::size_t kIdentityHeader = 8;

// The end of the file tells which quad-words were programmed, two bits each; 11: not by the device
// (firmware-agent/boards/mps2-an505/file_flash.h).
constexpr std::uint32_t kMarkedByAByte = 64;  // bytes of flash
constexpr std::uint32_t kMarks = flash_map::kFlashSize - flash_map::kFlashSize / kMarkedByAByte;

tl::unexpected<std::string> system_failure(const std::string& what, const std::filesystem::path& file) {
  return tl::unexpected<std::string>("cannot " + what + " " + file.string() + ": " + std::strerror(errno));
}

// A file descriptor that closes itself.
class File {
 public:
  File(const std::filesystem::path& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  bool sync() { return ::fsync(descriptor_) == 0; }

  bool write_at(std::size_t offset, std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written <= 0) return false;
      offset += static_cast<std::size_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
  }

 private:
  int descriptor_;
};

tl::expected<std::vector<std::uint8_t>, std::string> read_microvisor(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return system_failure("read the microvisor's image", file);
  std::vector<std::uint8_t> image((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (image.empty() || image.size() > flash_map::kMicrovisor.size) {
    return tl::make_unexpected(file.string() + " has " + std::to_string(image.size()) +
                               " bytes: a microvisor's image has between 1 and " +
                               std::to_string(flash_map::kMicrovisor.size));
  }
  // The rest of the area is erased, so that no byte of an older, longer image stays.
  image.resize(flash_map::kMicrovisor.size, kErased);
  return image;
}

// Fills an area as a tool does: the bytes, then 0xFF, and no mark of the device's.
bool write_area(File& out, flash_map::Area area, std::span<const std::uint8_t> bytes) {
  std::vector<std::uint8_t> content(bytes.begin(), bytes.end());
  content.resize(area.size, kErased);
  const std::vector<std::uint8_t> marks(area.size / kMarkedByAByte, kErased);
  return out.write_at(area.offset, content) && out.write_at(kMarks + area.offset / kMarkedByAByte, marks);
}

void place(std::vector<std::uint8_t>& flash, std::uint32_t offset, std::span<const std::uint8_t> bytes) {
  std::ranges::copy(bytes, flash.begin() + offset);
}

}  // namespace

// Bit by bit: it runs once over a kilobyte.
std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

std::vector<std::uint8_t> identity_record(std::span<const std::uint8_t> identity) {
  std::vector<std::uint8_t> record;
  for (const std::uint32_t word : {static_cast<std::uint32_t>(identity.size()), crc32(identity)}) {
    for (int shift = 0; shift < 32; shift += 8) record.push_back(static_cast<std::uint8_t>(word >> shift));
  }
  record.insert(record.end(), identity.begin(), identity.end());
  return record;
}

tl::expected<void, std::string> make_flash(const std::filesystem::path& file,
                                           const std::filesystem::path& microvisor_image,
                                           std::span<const std::uint8_t> identity) {
  if (identity.empty() || identity.size() > flash_map::kIdentity.size - kIdentityHeader) {
    return tl::make_unexpected("the identity has " + std::to_string(identity.size()) +
                               " bytes, which does not fit its area of the flash");
  }
  const auto microvisor = read_microvisor(microvisor_image);
  if (!microvisor) return tl::make_unexpected(microvisor.error());
  std::vector<std::uint8_t> flash(flash_map::kFlashSize, kErased);
  place(flash, flash_map::kMicrovisor.offset, *microvisor);
  place(flash, flash_map::kIdentity.offset, identity_record(identity));

  const std::filesystem::path draft = file.string() + ".new";
  File out(draft, O_WRONLY | O_CREAT | O_TRUNC);
  if (!out.is_open() || !out.write_at(0, flash) || !out.sync()) return system_failure("write", draft);
  if (::rename(draft.c_str(), file.c_str()) != 0) return system_failure("write", file);
  return {};
}

tl::expected<void, std::string> replace_microvisor(const std::filesystem::path& file,
                                                   const std::filesystem::path& microvisor_image) {
  const auto microvisor = read_microvisor(microvisor_image);
  if (!microvisor) return tl::make_unexpected(microvisor.error());
  File out(file, O_WRONLY);
  // The image first: a record without it would start what is in the other slot no more.
  if (!out.is_open() || !write_area(out, flash_map::kMicrovisor, *microvisor) || !out.sync() ||
      !write_area(out, flash_map::kBootChoice, {}) || !out.sync()) {
    return system_failure("write", file);
  }
  return {};
}

tl::expected<std::uint32_t, std::string> microvisor_mark(const std::filesystem::path& microvisor_image) {
  return read_microvisor(microvisor_image).map([](const std::vector<std::uint8_t>& image) { return crc32(image); });
}

}  // namespace mv::emulator
