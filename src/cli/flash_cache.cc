#include "cli/flash_cache.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "bundle/hash.h"
#include "bundle/image.h"
#include "cli/file.h"
#include "gdbserver/target/memory_cache.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "mvflash1";
constexpr std::size_t kHashSize = 32;
constexpr std::size_t kHeaderSize = 8;  // of a piece

void put_u32(std::string& out, std::uint64_t value) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift);
}

std::uint32_t take_u32(std::span<const std::uint8_t>& bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::uint32_t{bytes[i]} << (8 * i);
  bytes = bytes.subspan(4);
  return value;
}

// What either knows; where both do, `newer` is right.
gdb::FlashContent joined(const gdb::FlashContent& older, const gdb::FlashContent& newer) {
  constexpr std::uint32_t kEverywhere = 0xffffffff;
  gdb::MemoryCache lines;
  lines.set_regions({{0, kEverywhere, gdb::MemoryKind::kFlash}});
  for (const auto* content : {&older, &newer})
    for (const auto& piece : *content) lines.store(piece.address, piece.bytes);
  return lines.known(0, kEverywhere);
}

}  // namespace

std::string encode_flash(const gdb::FlashContent& content) {
  std::string file(kMagic);
  for (const auto& piece : content) {
    put_u32(file, piece.address);
    put_u32(file, piece.bytes.size());
    file.append(piece.bytes.begin(), piece.bytes.end());
  }
  const auto hash = bundle::sha256(bundle::as_bytes(file));
  file.append(hash.bytes.begin(), hash.bytes.end());
  return file;
}

std::optional<gdb::FlashContent> decode_flash(std::span<const std::uint8_t> file) {
  if (file.size() < kMagic.size() + kHashSize) return std::nullopt;
  const auto body = file.first(file.size() - kHashSize);
  const auto hash = bundle::sha256(body);
  if (!std::equal(hash.bytes.begin(), hash.bytes.end(), file.last(kHashSize).begin())) return std::nullopt;
  if (!std::equal(kMagic.begin(), kMagic.end(), body.begin())) return std::nullopt;
  gdb::FlashContent content;
  for (auto rest = body.subspan(kMagic.size()); !rest.empty();) {
    if (rest.size() < kHeaderSize) return std::nullopt;
    const std::uint32_t address = take_u32(rest);
    const std::uint32_t size = take_u32(rest);
    if (size == 0 || size > rest.size() || std::uint64_t{address} + size > UINT32_MAX) return std::nullopt;
    content.push_back({address, {rest.begin(), rest.begin() + size}});
    rest = rest.subspan(size);
  }
  return content;
}

FlashCache::FlashCache(fs::path folder, std::uint64_t most_bytes)
    : folder_(std::move(folder)), most_bytes_(most_bytes) {}

fs::path FlashCache::file_of(std::span<const std::uint8_t> image) const { return folder_ / bundle::hex(image); }

gdb::FlashContent FlashCache::load(std::span<const std::uint8_t> image) {
  const fs::path path = file_of(image);
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  const auto file = bundle::read_file(path, kLargestFile);
  auto content = file ? decode_flash(*file) : std::nullopt;
  if (!content) {
    fs::remove(path, error);
    return {};
  }
  fs::last_write_time(path, fs::file_time_type::clock::now(), error);  // used now
  return *std::move(content);
}

void FlashCache::save(std::span<const std::uint8_t> image, const gdb::FlashContent& content) {
  if (content.empty()) return;
  const fs::path path = file_of(image);
  const std::string file = encode_flash(joined(load(image), content));
  if (file.size() > std::min(kLargestFile, most_bytes_)) return;
  if (write_private_file(path, file)) make_room(path);
}

void FlashCache::make_room(const fs::path& newest) const {
  struct Used {
    fs::file_time_type when;
    fs::path path;
    std::uint64_t size;
  };
  std::vector<Used> files;
  std::uint64_t all = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    std::error_code gone;  // another mvctl makes room, too
    const auto size = entry.file_size(gone);
    const auto when = entry.last_write_time(gone);
    if (gone) continue;
    all += size;
    if (entry.path() != newest) files.push_back({when, entry.path(), size});
  }
  std::sort(files.begin(), files.end(), [](const Used& a, const Used& b) { return a.when < b.when; });
  for (auto file = files.begin(); file != files.end() && all > most_bytes_; ++file) {
    fs::remove(file->path, error);
    all -= file->size;
  }
}

}  // namespace mv::cli
