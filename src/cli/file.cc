#include "cli/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace mv::cli {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Failure> cannot_write(const fs::path& path) {
  return fail(ExitCode::kFailed, path.string() + " cannot be written: " + std::strerror(errno));
}

Result write_all(int file, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return cannot_write(path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file) != 0) return cannot_write(path);
  return {};
}

Result make_folder(const fs::path& folder, bool secret) {
  std::error_code error;
  if (folder.empty() || fs::exists(folder, error)) return {};
  fs::create_directories(folder, error);
  if (error) return fail(ExitCode::kFailed, folder.string() + " cannot be made: " + error.message());
  if (secret) fs::permissions(folder, fs::perms::owner_all, error);
  return {};
}

// The mode that a new file of this process gets.
mode_t usual_mode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

Result replace(const fs::path& path, std::string_view content, bool secret) {
  if (auto made = make_folder(path.parent_path(), secret); !made) return made;
  std::string temporary = path.string() + ".XXXXXX";
  const int file = ::mkostemp(temporary.data(), O_CLOEXEC);  // mode 0600
  if (file < 0) return cannot_write(path);
  auto written = write_all(file, content, path);
  if (written && !secret && ::fchmod(file, usual_mode()) != 0) written = cannot_write(path);
  ::close(file);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) written = cannot_write(path);
  if (!written) ::unlink(temporary.c_str());
  return written;
}

}  // namespace

Result write_file(const fs::path& path, std::string_view content) { return replace(path, content, false); }
Result write_private_file(const fs::path& path, std::string_view content) { return replace(path, content, true); }

}  // namespace mv::cli
