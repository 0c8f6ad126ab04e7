// The text of --help, made from the command tree.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace mv::cli {

std::string help_text(const Command& command);

// "mvctl bundle create [OPTIONS] FILE"
std::string usage_line(const Command& command);

// "--key, -k FILE" as help and man pages show it.
std::string option_heading(const Option& option);

// The help of an option with its choices, default and environment variable.
std::string option_help(const Option& option);

// `text` in lines of at most `columns` characters.
std::vector<std::string> wrap(const std::string& text, std::size_t columns);

}  // namespace mv::cli
