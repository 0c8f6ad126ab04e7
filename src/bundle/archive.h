// The zip around a bundle: `manifest`, and one entry a layer named by its SHA-256. libzip stays in archive.cc.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bundle/error.h"
#include "bundle/manifest.h"

namespace mv::bundle {

// Takes content piece by piece; a piece is valid during the call.
using Sink = std::function<Expected<void>(Bytes piece)>;

// A zip that was opened for reading. Exists only if its directory is consistent, it is within the limits, and every
// entry has a name that a bundle uses, once. Not for use by two threads at a time.
class Archive {
 public:
  static Expected<Archive> open(const std::filesystem::path& path, const Limits& limits);

  // `bytes` must outlive the archive.
  static Expected<Archive> open(Bytes bytes, const Limits& limits);

  bool has(const std::string& name) const;
  const std::vector<std::string>& names() const { return names_; }

  // Unpacks an entry into `sink`, at most `most` bytes of it: a zip bomb is cut off there, whatever its directory says.
  // Errors: kBadArchive (damaged, CRC), kTooBig, and the sink's.
  Expected<void> read(const std::string& name, std::uint64_t most, const Sink& sink) const;

 private:
  struct Handle;
  static Expected<Archive> check(std::shared_ptr<Handle> handle, const Limits& limits);

  std::shared_ptr<Handle> handle_;
  std::vector<std::string> names_;
};

struct Entry {
  std::string name;
  Bytes content;
};

// A zip of these entries in this order, stored, with a fixed time: the same entries give the same bytes.
Expected<std::vector<std::uint8_t>> write_archive(const std::vector<Entry>& entries);

}  // namespace mv::bundle
