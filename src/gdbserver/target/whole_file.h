// A file of somebody who debugs, read into memory: an ELF file, a core file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gdbserver/target/error.h"

namespace mv::gdb {

// The bytes of the file at `path`, at most `most`. `kind` is what it should be, for the sentence: "ELF file".
//
// Errors: kNotFound (it cannot be opened), kBadRequest (a folder, longer than `most`, or it cannot be read). Each
// names the path.
Result<std::vector<std::uint8_t>> read_whole_file(const std::string& path, std::uint64_t most, std::string_view kind);

}  // namespace mv::gdb
