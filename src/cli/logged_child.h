// Programs that mvctl starts with their output in a file, and the end of such a file for a person.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace mv::cli {

// Starts a program, found as the shell finds it, with nothing to read and its output at the end of `log`, which only
// the user may read. `detached`: in a session of its own, so that it outlives the terminal. Error: an errno.
tl::expected<pid_t, int> spawn_logged(std::vector<std::string> words, const std::filesystem::path& log,
                                      bool detached = false);

// The last lines of a file, at most `most`, made safe for a terminal. None if it cannot be read.
std::vector<std::string> last_lines(const std::filesystem::path& file, std::size_t most);

}  // namespace mv::cli
