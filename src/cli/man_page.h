// Manual pages in roff, made from the command tree.
#pragma once

#include <string>

#include "cli/command.h"

namespace mv::cli {

// "mvctl-bundle-create.1"
std::string man_page_name(const Command& command);

// The page of one command; the root's has the tables of exit codes, environment and files.
std::string man_page(const Command& command);

}  // namespace mv::cli
