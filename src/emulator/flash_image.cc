#include "emulator/flash_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace mv::emulator {
namespace {

constexpr std::uint8_t kErased = 0xFF;
constexpr std::size_t kIdentityHeader = 8;

// What the firmware's folder has for a device.
constexpr const char* kMicrovisorFile = "microvisor.bin";

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

using Bytes = std::vector<std::uint8_t>;

// A file of the firmware for an area of the flash. The rest of the area is erased, so that no byte of an older, longer
// image stays.
tl::expected<Bytes, std::string> read_for(const FlashArea& area, const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return system_failure("read the image", file);
  Bytes image((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (image.empty() || image.size() > area.size) {
    return tl::make_unexpected(file.string() + " has " + std::to_string(image.size()) +
                               " bytes: an image for that place has between 1 and " + std::to_string(area.size));
  }
  image.resize(area.size, kErased);
  return image;
}

// Fills an area as a tool does: the bytes, then 0xFF, and no mark of the device's.
bool write_area(File& out, const EmulatedBoard& board, const FlashArea& area, std::span<const std::uint8_t> bytes) {
  Bytes content(bytes.begin(), bytes.end());
  content.resize(area.size, kErased);
  const std::size_t first = area.offset / board.cells_of_a_mark;
  const std::size_t last = (area.offset + area.size + board.cells_of_a_mark - 1) / board.cells_of_a_mark;
  return out.write_at(area.offset, content) && out.write_at(board.marks + first, Bytes(last - first, kErased));
}

void place(Bytes& flash, const FlashArea& area, std::span<const std::uint8_t> bytes) {
  std::ranges::copy(bytes, flash.begin() + static_cast<std::ptrdiff_t>(area.offset));
}

// Slots that the device itself filled: without their first page they hold no image.
bool forget_nor_slots(const EmulatedBoard& board, const std::filesystem::path& file) {
  std::error_code error;
  if (!board.has_nor || !std::filesystem::exists(file, error)) return true;
  File nor(file, O_WRONLY);
  for (const FlashArea& slot : board.nor_slots) {
    if (!nor.is_open() || !nor.write_at(slot.offset, Bytes(slot.size, 0))) return false;
  }
  return nor.sync();
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

tl::expected<void, std::string> make_flash(const EmulatedBoard& board, const FlashFiles& files,
                                           const std::filesystem::path& firmware,
                                           std::span<const std::uint8_t> identity) {
  if (identity.empty() || identity.size() > board.identity.size - kIdentityHeader) {
    return tl::make_unexpected("the identity has " + std::to_string(identity.size()) +
                               " bytes, which does not fit its area of the flash");
  }
  const auto microvisor = read_for(board.microvisor, firmware / kMicrovisorFile);
  if (!microvisor) return tl::make_unexpected(microvisor.error());
  Bytes flash(board.file_size, kErased);
  place(flash, board.microvisor, *microvisor);
  place(flash, board.identity, identity_record(identity));
  if (board.boot_stage.size > 0) {
    const auto boot_stage = read_for(board.boot_stage, firmware / board.boot_stage_file);
    if (!boot_stage) return tl::make_unexpected(boot_stage.error());
    place(flash, board.boot_stage, *boot_stage);
  }

  const std::filesystem::path draft = files.flash.string() + ".new";
  File out(draft, O_WRONLY | O_CREAT | O_TRUNC);
  if (!out.is_open() || !out.write_at(0, flash) || !out.sync()) return system_failure("write", draft);
  if (board.has_nor && !File(files.nor, O_WRONLY | O_CREAT | O_TRUNC).is_open()) {
    return system_failure("write", files.nor);
  }
  if (::rename(draft.c_str(), files.flash.c_str()) != 0) return system_failure("write", files.flash);
  return {};
}

tl::expected<void, std::string> make_bare_flash(const EmulatedBoard& board, const std::filesystem::path& flash,
                                                const std::filesystem::path& program) {
  const auto image = read_for(board.boot_stage, program);
  if (!image) return tl::make_unexpected(image.error());
  Bytes content(board.file_size, kErased);
  place(content, board.boot_stage, *image);
  File out(flash, O_WRONLY | O_CREAT | O_TRUNC);
  if (!out.is_open() || !out.write_at(0, content)) return system_failure("write", flash);
  return {};
}

tl::expected<void, std::string> replace_microvisor(const EmulatedBoard& board, const FlashFiles& files,
                                                   const std::filesystem::path& firmware) {
  const auto microvisor = read_for(board.microvisor, firmware / kMicrovisorFile);
  if (!microvisor) return tl::make_unexpected(microvisor.error());
  Bytes boot_stage;
  if (board.boot_stage.size > 0) {
    auto read = read_for(board.boot_stage, firmware / board.boot_stage_file);
    if (!read) return tl::make_unexpected(read.error());
    boot_stage = *std::move(read);
  }
  if (!forget_nor_slots(board, files.nor)) return system_failure("write", files.nor);
  File out(files.flash, O_WRONLY);
  // The image first: a record without it would start what is in the other slot no more.
  if (!out.is_open() || !write_area(out, board, board.microvisor, *microvisor) || !out.sync() ||
      (!boot_stage.empty() && !write_area(out, board, board.boot_stage, boot_stage)) ||
      !write_area(out, board, board.boot_choice, {}) || !out.sync()) {
    return system_failure("write", files.flash);
  }
  return {};
}

tl::expected<std::uint32_t, std::string> microvisor_mark(const EmulatedBoard& board,
                                                         const std::filesystem::path& firmware) {
  return read_for(board.microvisor, firmware / kMicrovisorFile).map([](const Bytes& image) { return crc32(image); });
}

}  // namespace mv::emulator
