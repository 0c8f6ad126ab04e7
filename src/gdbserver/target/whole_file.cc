#include "gdbserver/target/whole_file.h"

#include <fstream>

#include <fmt/format.h>

namespace mv::gdb {

Result<std::vector<std::uint8_t>> read_whole_file(const std::string& path, std::uint64_t most, std::string_view kind) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return failure(ErrorCode::kNotFound, fmt::format("{} cannot be opened: is the path right?", path));
  const std::streamoff size = file.tellg();  // of a folder: the largest there is
  if (size < 0 || static_cast<std::uint64_t>(size) > most)
    return failure(ErrorCode::kBadRequest, fmt::format("{} is no {}", path, kind));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  file.seekg(0);
  if (!file.read(reinterpret_cast<char*>(bytes.data()), size))
    return failure(ErrorCode::kBadRequest, fmt::format("{} cannot be read", path));
  return bytes;
}

}  // namespace mv::gdb
