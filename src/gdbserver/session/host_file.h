// The ELF of the running application, handed to a client that was started without one.
//
// GDB asks what runs (qXfer:exec-file) and reads that file over the protocol (GDB manual, "Host I/O Packets"), so
// `gdb-multiarch -ex 'target remote :8001'` has symbols. One file, for reading; every other name is "not found".
#pragma once

#include <cstdint>
#include <string>

#include "gdbserver/rsp/command.h"

namespace mv::gdb {

class HostFile {
 public:
  // `path` is absolute; empty: there is no file.
  explicit HostFile(std::string path) : path_(std::move(path)) {}
  ~HostFile();
  HostFile(const HostFile&) = delete;
  HostFile& operator=(const HostFile&) = delete;

  const std::string& path() const { return path_; }

  // The reply to one request.
  std::string answer(const rsp::HostFileRequest& request);

 private:
  std::string open(const rsp::HostFileRequest& request);
  std::string read(const rsp::HostFileRequest& request) const;
  std::string status() const;

  std::string path_;
  int file_ = -1;
  std::uint64_t openings_ = 0;  // GDB opens it once to run and once for symbols, before it closes either
};

}  // namespace mv::gdb
