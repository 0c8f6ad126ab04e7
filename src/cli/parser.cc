#include "cli/parser.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace mv::cli {
namespace {

using Apps = std::map<const Command*, CLI::App*>;

std::string shown_name(const Option& option) {
  return option.is_argument() ? option.value : split_names(option.names).front();
}

void bind_flag(CLI::App& app, const Option& option) {
  bool* target = std::get<bool*>(option.target);
  // CLI11 wants the option's description up front; ours is printed by help.cc.
  app.add_flag_function(option.names, [target](std::int64_t count) { *target = count > 0; });
}

void bind_value(CLI::App& app, const Option& option) {
  const auto callback = [&option](const CLI::results_t& values) {
    if (const auto stored = store(option, values); !stored) {
      throw CLI::ValidationError(shown_name(option), stored.error());
    }
    return true;
  };
  // A name without dashes makes a positional.
  CLI::Option* bound = app.add_option(option.is_argument() ? option.value : option.names, callback);
  if (option.is_list()) {
    bound->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    if (option.is_argument()) bound->expected(1, 1 << 20);
    bound->allow_extra_args(option.is_argument());
  }
  if (!option.environment.empty()) bound->envname(option.environment);
  bound->required(option.is_required);
}

void bind(CLI::App& app, const Command& command, Apps& apps) {
  apps[&command] = &app;
  app.set_help_flag("--help,-h");
  app.fallthrough();
  // One command at most on each level; else CLI11 would take an argument that has a command's name for that command.
  app.require_subcommand(0, 1);
  for (const Option& option : command.options()) {
    option.is_flag() ? bind_flag(app, option) : bind_value(app, option);
  }
  for (const Command& sub : command.commands()) bind(*app.add_subcommand(sub.name()), sub, apps);
}

const Command* deepest(const Command& command, const Apps& apps) {
  for (const Command& sub : command.commands()) {
    if (apps.at(&sub)->parsed()) return deepest(sub, apps);
  }
  return &command;
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::vector<std::string> names_for(const Command& command, bool options) {
  std::vector<std::string> names;
  for (const Command* level = &command; level != nullptr && options; level = level->parent()) {
    for (const Option& option : level->options()) {
      const auto split = split_names(option.names);
      names.insert(names.end(), split.begin(), split.end());
    }
  }
  for (const Command& sub : command.commands()) {
    if (!options && !sub.is_hidden()) names.push_back(sub.name());
  }
  return names;
}

std::string see_help(const Command& command) { return "see " + command.path() + " --help"; }

// "did you mean ..." if something near was meant.
std::string suggestion(const Command& command, const std::string& word) {
  const auto names = names_for(command, word.starts_with("-"));
  const auto nearest = std::min_element(
      names.begin(), names.end(), [&](const auto& a, const auto& b) { return distance(a, word) < distance(b, word); });
  const bool near = nearest != names.end() && distance(*nearest, word) <= std::max<std::size_t>(1, word.size() / 2);
  return near ? "did you mean " + *nearest + "? otherwise " + see_help(command) : see_help(command);
}

Failure unexpected(const Command& command, const std::string& word) {
  std::string message = command.path();
  if (word.starts_with("-")) {
    message += " has no option " + word;
  } else if (!command.commands().empty()) {
    message += " has no command " + word;
  } else {
    message += " does not expect '" + word + "'";
  }
  return {ExitCode::kUsage, message, suggestion(command, word)};
}

// "--key,-k" for what CLI11 calls "--key" or "-k"; its messages begin with "NAME: ".
Failure refused(const Command& command, const CLI::ParseError& error) {
  std::string message = error.what();
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    for (const Option& option : command.options()) {
      if (option.is_required && message.starts_with(shown_name(option))) {
        message = command.path() + " needs " + shown_name(option) + ": " + option.help;
      }
    }
  }
  return {ExitCode::kUsage, message, see_help(command)};
}

}  // namespace

tl::expected<Parsed, Failure> parse(const Command& root, const std::vector<std::string>& arguments) {
  CLI::App app;
  Apps apps;
  bind(app, root, apps);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return Parsed{deepest(root, apps), true};
  } catch (const CLI::ExtrasError&) {
    const Command& command = *deepest(root, apps);
    auto rest = app.remaining(true);
    return tl::unexpected(unexpected(command, rest.empty() ? std::string("?") : rest.front()));
  } catch (const CLI::ParseError& error) {
    const Command& command = *deepest(root, apps);
    if (const auto rest = app.remaining(true); !rest.empty()) {
      return tl::unexpected(unexpected(command, rest.front()));
    }
    return tl::unexpected(refused(command, error));
  }
  return Parsed{deepest(root, apps), false};
}

Result missing_verb(const Command& command) {
  std::string verbs;
  for (const Command& sub : command.commands()) {
    if (!sub.is_hidden()) verbs += (verbs.empty() ? "" : ", ") + sub.name();
  }
  return fail(ExitCode::kUsage, command.path() + " needs a command: " + verbs, see_help(command));
}

}  // namespace mv::cli
