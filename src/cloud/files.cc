#include "cloud/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace mv::cloud {
namespace {

Sentence with_errno(const std::string& what, const std::filesystem::path& path) {
  return what + " " + path.string() + ": " + std::strerror(errno);
}

Result<void> write_all(int descriptor, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(with_errno("cannot write", path));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

Result<TemporaryFile> TemporaryFile::create(const std::filesystem::path& folder) {
  const auto path = folder / (".new-" + to_hex(random_bytes(16)));
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail(with_errno("cannot create", path));
  return TemporaryFile(path, descriptor);
}

TemporaryFile::TemporaryFile(TemporaryFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

TemporaryFile::~TemporaryFile() { remove(); }

void TemporaryFile::remove() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(path_.c_str());  // gone already if it was renamed into place
  descriptor_ = -1;
  path_.clear();
}

Result<void> TemporaryFile::write(std::string_view bytes) {
  size_ += bytes.size();
  return write_all(descriptor_, bytes, path_);
}

Result<void> TemporaryFile::sync() {
  if (::fsync(descriptor_) != 0) return fail(with_errno("cannot sync", path_));
  return {};
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return fail(with_errno("cannot open", folder));
  const int status = ::fsync(descriptor);
  ::close(descriptor);
  if (status != 0) return fail(with_errno("cannot sync", folder));
  return {};
}

Result<void> write_file_durably(const std::filesystem::path& path, std::string_view content, unsigned mode) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  auto file = TemporaryFile::create(folder);
  if (!file) return fail(file.error());
  if (auto done = file->write(content); !done) return done;
  if (auto done = file->sync(); !done) return done;
  if (::chmod(file->path().c_str(), mode) != 0) return fail(with_errno("cannot set the mode of", path));
  if (::rename(file->path().c_str(), path.c_str()) != 0) return fail(with_errno("cannot put in place", path));
  return sync_folder(folder);
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(with_errno("cannot read", path));
  std::string content(limit + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(file.gcount()));
  if (content.size() > limit)
    return fail(path.string() + " is larger than the " + std::to_string(limit) + " bytes allowed");
  return content;
}

}  // namespace mv::cloud
