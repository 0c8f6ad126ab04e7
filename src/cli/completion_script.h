// Completion scripts for shells, made from the command tree.
#pragma once

#include <string>

#include "cli/command.h"

namespace mv::cli {

std::string bash_completion(const Command& root);
std::string zsh_completion(const Command& root);
std::string fish_completion(const Command& root);

}  // namespace mv::cli
