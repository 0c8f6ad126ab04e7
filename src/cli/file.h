// Files that mvctl writes: whole or not at all.
#pragma once

#include <filesystem>
#include <string_view>

#include "cli/failure.h"

namespace mv::cli {

// Writes beside `path` and renames, so that no reader ever sees half a file. Folders are made. Fails with kFailed.
Result write_file(const std::filesystem::path& path, std::string_view content);

// The same with mode 0600 (and folders of 0700): for keys and tokens.
Result write_private_file(const std::filesystem::path& path, std::string_view content);

}  // namespace mv::cli
