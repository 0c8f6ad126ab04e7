// Content-addressed files: manifests, layers and bundles, each named by its SHA-256 in a folder of its first byte.
//
// A blob is on disk, whole and under its name, before anything in the database refers to it. Any thread may use it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "cloud/files.h"
#include "cloud/text.h"

namespace mv::cloud {

class BlobStore {
 public:
  // Uses (and makes) the folder; removes what an interrupted upload left behind.
  static Result<BlobStore> open(const std::filesystem::path& folder);

  // A file to upload into, in the same file system.
  Result<TemporaryFile> new_upload() const { return TemporaryFile::create(uploads_); }

  // Stores the bytes; returns their SHA-256. Storing what is there already is free.
  Result<std::string> put(std::string_view bytes) const;
  // Moves a whole uploaded file in; the hash is the caller's, computed while it arrived.
  Result<void> adopt(TemporaryFile& upload, std::string_view hash) const;

  bool contains(std::string_view hash) const;
  // `length` bytes from `offset`, fewer at the end of the blob.
  Result<std::string> read(std::string_view hash, std::uint64_t offset, std::size_t length) const;
  void remove(std::string_view hash) const;

  std::filesystem::path path_of(std::string_view hash) const;

 private:
  explicit BlobStore(const std::filesystem::path& folder) : folder_(folder), uploads_(folder / "uploads") {}

  Result<void> put_in_place(const std::filesystem::path& from, std::string_view hash) const;

  std::filesystem::path folder_;
  std::filesystem::path uploads_;
};

}  // namespace mv::cloud
