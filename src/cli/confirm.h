// Asks a person before what cannot be undone.
#pragma once

#include <string_view>

#include "cli/failure.h"
#include "cli/output.h"

namespace mv::cli {

// Prints `question` and reads one line: "y" or "yes" goes on, everything else (the end of input too) fails with
// kFailed. Without a terminal nobody can be asked: kUsage, with the advice to give --yes.
Result confirm(const Terminal& terminal, std::string_view question);

}  // namespace mv::cli
