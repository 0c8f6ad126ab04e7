#include "cli/help.h"

#include <algorithm>
#include <sstream>

namespace mv::cli {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kWidestHeading = 30;

using Rows = std::vector<std::pair<std::string, std::string>>;  // heading, text

std::string section(const std::string& title, const Rows& rows) {
  if (rows.empty()) return {};
  std::size_t heading = 0;
  for (const auto& [left, right] : rows) heading = std::max(heading, std::min(left.size(), kWidestHeading));
  std::string text = "\n" + title + ":\n";
  for (const auto& [left, right] : rows) {
    text += "  " + left;
    std::size_t column = left.size();
    if (column > heading) {
      text += "\n  ";
      column = 0;
    }
    text.append(heading + 2 - column, ' ');
    const auto lines = wrap(right, kColumns - heading - 4);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i > 0) text += "\n" + std::string(heading + 4, ' ');
      text += lines[i];
    }
    text += "\n";
  }
  return text;
}

Rows option_rows(const Command& command, bool arguments) {
  Rows rows;
  for (const Option& option : command.options()) {
    if (option.is_argument() == arguments && !option.is_hidden)
      rows.emplace_back(option_heading(option), option_help(option));
  }
  return rows;
}

Rows command_rows(const Command& command) {
  Rows rows;
  for (const Command& sub : command.commands()) {
    if (!sub.is_hidden()) rows.emplace_back(sub.name(), sub.summary());
  }
  return rows;
}

const Command& root_of(const Command& command) {
  return command.parent() == nullptr ? command : root_of(*command.parent());
}

std::string example_lines(const Command& command) {
  if (command.examples().empty()) return {};
  std::string text = "\nExamples:\n";
  for (const Example& example : command.examples()) text += "  " + example.line + "\n      " + example.what + "\n";
  return text;
}

}  // namespace

std::vector<std::string> wrap(const std::string& text, std::size_t columns) {
  std::vector<std::string> lines(1);
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > columns) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
  }
  return lines;
}

std::string option_heading(const Option& option) {
  if (option.is_argument()) return option.value + (option.is_list() ? "..." : "");
  std::string heading;
  for (const auto& name : split_names(option.names)) heading += (heading.empty() ? "" : ", ") + name;
  return option.is_flag() ? heading : heading + " " + option.value;
}

std::string option_help(const Option& option) {
  std::string text = option.help;
  if (!option.allowed.empty()) {
    text += " (";
    for (const auto& value : option.allowed) text += (&value == &option.allowed.front() ? "" : ", ") + value;
    text += ")";
  }
  if (!option.default_text.empty()) text += " [default: " + option.default_text + "]";
  if (!option.environment.empty()) text += " [environment: " + option.environment + "]";
  if (option.is_required && !option.is_argument()) text += " [required]";
  return text;
}

std::string usage_line(const Command& command) {
  std::string line = command.path();
  if (!command.commands().empty()) line += command.handler() ? " [COMMAND]" : " COMMAND";
  if (!command.options().empty()) line += " [OPTIONS]";
  for (const Option& option : command.options()) {
    if (!option.is_argument()) continue;
    const auto heading = option_heading(option);
    line += option.is_required ? " " + heading : " [" + heading + "]";
  }
  return line;
}

std::string help_text(const Command& command) {
  std::string text = command.summary() + "\n\nUsage: " + usage_line(command) + "\n";
  if (!command.description().empty()) {
    text += "\n";
    for (const auto& line : wrap(command.description(), kColumns)) text += line + "\n";
  }
  text += section("Commands", command_rows(command));
  text += section("Arguments", option_rows(command, true));
  Rows options = option_rows(command, false);
  options.emplace_back("--help, -h", "print this help and end");
  text += section("Options", options);
  if (command.parent() != nullptr) text += section("Options of every command", option_rows(root_of(command), false));
  return text + example_lines(command);
}

}  // namespace mv::cli
