// Files that survive a power cut: written beside their place, synced, then renamed into it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "cloud/text.h"

namespace mv::cloud {

// Replaces or makes the file. When this returns, the content is on disk under its name.
Result<void> write_file_durably(const std::filesystem::path& path, std::string_view content, unsigned mode = 0600);

// The whole file; refuses one above `limit` bytes.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit = 1U << 20);

// Makes renames and new names in the folder durable.
Result<void> sync_folder(const std::filesystem::path& folder);

// A file being written that is not there until `keep` was called: the destructor removes it.
class TemporaryFile {
 public:
  static Result<TemporaryFile> create(const std::filesystem::path& folder);
  TemporaryFile(TemporaryFile&& other) noexcept;
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile();

  Result<void> write(std::string_view bytes);
  Result<void> sync();

  // What the destructor does, now. The file is not used any more.
  void remove();

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }

 private:
  TemporaryFile(std::filesystem::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace mv::cloud
