#include "gdbserver/session/host_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "gdbserver/rsp/packet.h"

namespace mv::gdb {
namespace {

constexpr std::uint32_t kDescriptor = 3;  // what the one open file is called

// GDB manual, "Errno Values".
constexpr int kNoEntry = 2, kBadDescriptor = 9, kAccess = 13, kNoSystemCall = 38, kIo = 5;

// Every byte may have to be escaped, and the whole must fit a packet.
constexpr std::uint32_t kMostBytes = rsp::kMaxPayload / 2 - 16;

std::string result(std::uint64_t value) { return "F" + rsp::hex_number(value); }
std::string failed(int error) { return "F-1," + rsp::hex_number(static_cast<std::uint64_t>(error)); }

void put_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

}  // namespace

HostFile::~HostFile() {
  if (file_ >= 0) ::close(file_);
}

std::string HostFile::answer(const rsp::HostFileRequest& request) {
  using Operation = rsp::HostFileRequest::Operation;
  if (request.operation == Operation::kSetRoot) return result(0);
  if (request.operation == Operation::kOpen) return open(request);
  if (request.operation == Operation::kOther) return failed(kNoSystemCall);
  if (file_ < 0 || request.descriptor != kDescriptor) return failed(kBadDescriptor);
  if (request.operation == Operation::kRead) return read(request);
  if (request.operation == Operation::kStatus) return status();
  if (--openings_ == 0) ::close(std::exchange(file_, -1));
  return result(0);
}

std::string HostFile::open(const rsp::HostFileRequest& request) {
  if (path_.empty() || request.name != path_) return failed(kNoEntry);
  if (request.flags != 0) return failed(kAccess);  // O_RDONLY is 0
  if (file_ < 0) file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) return failed(kNoEntry);
  ++openings_;
  return result(kDescriptor);
}

std::string HostFile::read(const rsp::HostFileRequest& request) const {
  std::string bytes(std::min(request.count, kMostBytes), '\0');
  const ssize_t count = ::pread(file_, bytes.data(), bytes.size(), static_cast<off_t>(request.offset));
  if (count < 0) return failed(kIo);
  bytes.resize(static_cast<std::size_t>(count));
  return result(bytes.size()) + ";" + bytes;
}

// The protocol's own structure (GDB manual, "struct stat").
std::string HostFile::status() const {
  struct stat file {};
  if (::fstat(file_, &file) != 0) return failed(kIo);
  std::string out;
  const auto put = [&](std::uint64_t value, int bytes) { put_big_endian(out, value, bytes); };
  put(0, 4);                                            // st_dev
  put(0, 4);                                            // st_ino
  put(0100444, 4);                                      // st_mode: a regular file that all may read
  put(1, 4);                                            // st_nlink
  for (int i = 0; i < 3; ++i) put(0, 4);                // st_uid, st_gid, st_rdev
  put(static_cast<std::uint64_t>(file.st_size), 8);     // st_size
  put(static_cast<std::uint64_t>(file.st_blksize), 8);  // st_blksize
  put(static_cast<std::uint64_t>(file.st_blocks), 8);   // st_blocks
  for (int i = 0; i < 3; ++i) put(static_cast<std::uint32_t>(file.st_mtime), 4);  // st_atime, st_mtime, st_ctime
  return result(out.size()) + ";" + out;
}

}  // namespace mv::gdb
