#include "cloud/blob_store.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

namespace mv::cloud {
namespace fs = std::filesystem;

Result<BlobStore> BlobStore::open(const fs::path& folder) {
  BlobStore store(folder);
  std::error_code error;
  fs::remove_all(store.uploads_, error);
  fs::create_directories(store.uploads_, error);
  if (error) return fail("cannot make the folder " + store.uploads_.string() + ": " + error.message());
  return store;
}

fs::path BlobStore::path_of(std::string_view hash) const {
  const std::string hex = to_hex(hash);
  return folder_ / hex.substr(0, 2) / hex;
}

Result<std::string> BlobStore::put(std::string_view bytes) const {
  const std::string hash = sha256(bytes);
  if (contains(hash)) return hash;
  auto file = new_upload();
  if (!file) return fail(file.error());
  if (auto done = file->write(bytes); !done) return fail(done.error());
  if (auto done = adopt(*file, hash); !done) return fail(done.error());
  return hash;
}

Result<void> BlobStore::adopt(TemporaryFile& upload, std::string_view hash) const {
  if (auto done = upload.sync(); !done) return done;
  return put_in_place(upload.path(), hash);
}

Result<void> BlobStore::put_in_place(const fs::path& from, std::string_view hash) const {
  const fs::path to = path_of(hash);
  std::error_code error;
  if (fs::create_directory(to.parent_path(), error)) {
    if (auto done = sync_folder(folder_); !done) return done;
  }
  fs::rename(from, to, error);
  if (error) return fail("cannot put " + to.string() + " in place: " + error.message());
  return sync_folder(to.parent_path());
}

bool BlobStore::contains(std::string_view hash) const {
  std::error_code ignored;
  return std::filesystem::exists(path_of(hash), ignored);
}

Result<std::string> BlobStore::read(std::string_view hash, std::uint64_t offset, std::size_t length) const {
  const fs::path path = path_of(hash);
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail("cannot read the blob " + path.string() + ": " + std::strerror(errno));
  std::string bytes(length, '\0');
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(bytes.data(), static_cast<std::streamsize>(length));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

void BlobStore::remove(std::string_view hash) const {
  std::error_code ignored;  // a blob that stays behind costs room, nothing else
  fs::remove(path_of(hash), ignored);
}

}  // namespace mv::cloud
