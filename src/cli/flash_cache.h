// Flash of devices, as it was read over the air: $XDG_CACHE_HOME/mvctl/flash, one file an image.
//
// A file is "mvflash1", then for each piece address and size (u32, little-endian) and bytes, then the SHA-256 of all
// that. It is replaced as a whole, so any number of mvctl may use the folder at the same time; of two that add to one
// image at once, one may lose what it added. The files used least recently go when they become too many.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "gdbserver/target/flash_store.h"

namespace mv::cli {

class FlashCache final : public gdb::FlashStore {
 public:
  static constexpr std::uint64_t kMostBytes = 64 << 20;  // of all files
  static constexpr std::uint64_t kLargestFile = 16 << 20;

  // The folder is made when something is kept.
  explicit FlashCache(std::filesystem::path folder, std::uint64_t most_bytes = kMostBytes);

  // A file that is damaged is removed, and then nothing is known.
  gdb::FlashContent load(std::span<const std::uint8_t> image) override;
  void save(std::span<const std::uint8_t> image, const gdb::FlashContent& content) override;

 private:
  std::filesystem::path file_of(std::span<const std::uint8_t> image) const;
  void make_room(const std::filesystem::path& newest) const;

  std::filesystem::path folder_;
  std::uint64_t most_bytes_;
};

// A file's content; nothing if it is damaged.
std::string encode_flash(const gdb::FlashContent& content);
std::optional<gdb::FlashContent> decode_flash(std::span<const std::uint8_t> file);

}  // namespace mv::cli
