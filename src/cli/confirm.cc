#include "cli/confirm.h"

#include <istream>
#include <ostream>
#include <string>

namespace mv::cli {

Result confirm(const Terminal& terminal, std::string_view question) {
  if (terminal.in == nullptr || !terminal.in_is_terminal || !terminal.err_is_terminal) {
    return fail(ExitCode::kUsage, "this cannot be undone, and there is no terminal to ask at", "give --yes to do it");
  }
  *terminal.err << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(*terminal.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return fail(ExitCode::kFailed, "nothing was done");
}

}  // namespace mv::cli
