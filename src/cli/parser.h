// Arguments in, a command of the tree out, with every option's variable set. The only user of CLI11 (it costs seconds
// of compile time a file).
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace mv::cli {

struct Parsed {
  const Command* command = nullptr;  // the deepest one named
  bool help = false;                 // --help stood among the arguments
};

// `arguments` without the program's name. Global options (those of `root`) are taken anywhere.
//
// Errors: kUsage, with a sentence and where to look; the variables of what stood before the mistake are set.
tl::expected<Parsed, Failure> parse(const Command& root, const std::vector<std::string>& arguments);

// What to say when a command that only groups others was given alone.
Result missing_verb(const Command& command);

}  // namespace mv::cli
