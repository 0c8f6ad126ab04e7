// The three scripts share one idea: walk the words to find the command that they name, then offer what the tree has
// there. Names that only mvctl knows (devices, apps, keys) are asked of mvctl itself, from the first column of its
// lists.
#include "cli/completion_script.h"

#include <set>

namespace mv::cli {
namespace {

constexpr std::string_view kGenerated = "# Generated from the command tree by scripts/generate-docs: do not edit.\n";

// The word after `@` tells the scripts' helper what to offer.
std::string kind_of(Completion completion) {
  switch (completion) {
    case Completion::kNothing:
      return "";
    case Completion::kFile:
      return "@file";
    case Completion::kDirectory:
      return "@directory";
    case Completion::kDevice:
      return "@devices";
    case Completion::kApp:
      return "@apps";
    case Completion::kContext:
      return "@contexts";
    case Completion::kEmulator:
      return "@emulators";
    case Completion::kKey:
      return "@keys";
    case Completion::kCommand:
      return "@commands";
  }
  return "";
}

// What may stand as the value of an option: its choices, or a kind.
std::string values_of(const Option& option) {
  std::string values;
  for (const auto& value : option.allowed) values += (values.empty() ? "" : " ") + value;
  return values.empty() ? kind_of(option.completion) : values;
}

const Command& root_of(const Command& command) {
  return command.parent() == nullptr ? command : root_of(*command.parent());
}

template <typename Visitor>
void visit(const Command& command, const Visitor& visitor) {
  visitor(command);
  for (const Command& sub : command.commands()) {
    if (!sub.is_hidden()) visit(sub, visitor);
  }
}

template <typename Visitor>
void visit_options(const Command& command, const Visitor& visitor) {
  std::set<std::string> seen;  // a command's own option hides the global one of that name
  for (const Command* level : {&command, &root_of(command)}) {
    for (const Option& option : level->options()) {
      if (option.is_hidden || option.is_argument()) continue;
      for (const auto& name : split_names(option.names)) {
        if (seen.insert(name).second) visitor(option, name);
      }
    }
  }
}

std::string command_words(const Command& command) {
  std::string words;
  for (const Command& sub : command.commands()) {
    if (!sub.is_hidden()) words += (words.empty() ? "" : " ") + sub.name();
  }
  return words;
}

std::string option_words(const Command& command) {
  std::string words = "--help -h";
  visit_options(command, [&](const Option&, const std::string& name) { words += " " + name; });
  return words;
}

std::string argument_words(const Command& command) {
  for (const Option& option : command.options()) {
    if (option.is_argument()) return values_of(option);
  }
  return {};
}

// "    'mvctl bundle create') subcommands='' flags='--out ...' arguments='@file' ;;"
std::string command_cases(const Command& root) {
  std::string text;
  visit(root, [&](const Command& command) {
    text += "    '" + command.path() + "') subcommands='" + command_words(command) + "' flags='" +
            option_words(command) + "' arguments='" + argument_words(command) + "' ;;\n";
  });
  return text;
}

// "    'mvctl bundle create --key') values='@keys' ;;": only options that take a value; '-' if anything may stand
// there.
std::string value_cases(const Command& root) {
  std::string text;
  visit(root, [&](const Command& command) {
    visit_options(command, [&](const Option& option, const std::string& name) {
      if (option.is_flag()) return;
      const auto values = values_of(option);
      text += "    '" + command.path() + " " + name + "') values='" + (values.empty() ? "-" : values) + "' ;;\n";
    });
  });
  return text;
}

// Shell functions that bash and zsh both understand.
std::string shared_functions(const Command& root) {
  return "_mvctl_command() {  # what stands below the command $1\n"
         "  subcommands='' flags='' arguments=''\n"
         "  case \"$1\" in\n" +
         command_cases(root) +
         "    *) return 1 ;;\n"
         "  esac\n"
         "}\n\n"
         "_mvctl_values() {  # what the option $2 of the command $1 takes; fails for a flag\n"
         "  values=''\n"
         "  case \"$1 $2\" in\n" +
         value_cases(root) +
         "    *) return 1 ;;\n"
         "  esac\n"
         "}\n\n"
         "_mvctl_names() {  # the first column of a list\n"
         "  mvctl \"$@\" --quiet 2>/dev/null </dev/null | awk 'NR > 1 { print ($1 == \"*\" ? $2 : $1) }'\n"
         "}\n\n"
         "_mvctl_expand() {  # words for what $1 says\n"
         "  case \"$1\" in\n"
         "    @devices) _mvctl_names devices ;;\n"
         "    @apps) _mvctl_names apps list ;;\n"
         "    @contexts) _mvctl_names context list ;;\n"
         "    @emulators) _mvctl_names emulator list ;;\n"
         "    @keys) _mvctl_names keys list ;;\n"
         "    @commands) _mvctl_command mvctl; printf '%s\\n' \"$subcommands\" ;;\n"
         "    -) ;;\n"
         "    *) printf '%s\\n' \"$1\" ;;\n"
         "  esac\n"
         "}\n\n"
         "_mvctl_find() {  # sets command to what the words $@ name\n"
         "  command=mvctl\n"
         "  local word skip=''\n"
         "  for word in \"$@\"; do\n"
         "    if [ -n \"$skip\" ]; then skip=''; continue; fi\n"
         "    case \"$word\" in\n"
         "      -*) _mvctl_values \"$command\" \"$word\" && skip=1 ;;\n"
         "      *) _mvctl_command \"$command $word\" && command=\"$command $word\" ;;\n"
         "    esac\n"
         "  done\n"
         "  _mvctl_command \"$command\"\n"
         "}\n\n";
}

std::string quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return quoted + "'";
}

std::string fish_value(const Option& option) {
  if (option.is_flag()) return "";
  const auto values = values_of(option);
  if (values == "@file") return " -r -F";
  if (values == "@directory") return " -x -a '(__fish_complete_directories)'";
  if (values.starts_with("@")) return " -x -a '(__mvctl_names " + values.substr(1) + ")'";
  return values.empty() ? " -x" : " -x -a " + quoted(values);
}

std::string fish_commands(const Command& command) {
  std::string text;
  const std::string at = "complete -c mvctl -n " + quoted("__mvctl_at " + quoted(command.path())) + " ";
  for (const Command& sub : command.commands()) {
    if (!sub.is_hidden()) text += at + "-f -a " + sub.name() + " -d " + quoted(sub.summary()) + "\n";
  }
  for (const Option& option : command.options()) {
    if (option.is_hidden) continue;
    if (option.is_argument()) {
      const auto value = fish_value(option);
      text += at + (value == " -r -F" ? "-F" : value.substr(1)) + "\n";
      continue;
    }
    std::string names;
    for (const auto& name : split_names(option.names)) {
      names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
    const std::string where = command.parent() == nullptr ? "complete -c mvctl" : at.substr(0, at.size() - 1);
    text += where + names + fish_value(option) + " -d " + quoted(option.help) + "\n";
  }
  return text;
}

}  // namespace

std::string bash_completion(const Command& root) {
  return "# bash completion for mvctl\n" + std::string(kGenerated) + "\n" + shared_functions(root) +
         "_mvctl() {\n"
         "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD - 1]}\"\n"
         "  local command subcommands flags arguments values offer\n"
         "  COMPREPLY=()\n"
         "  _mvctl_find \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"\n"
         "  if _mvctl_values \"$command\" \"$previous\"; then\n"
         "    offer=\"$values\"\n"
         "  elif [ \"${current#-}\" != \"$current\" ]; then\n"
         "    offer=\"$flags\"\n"
         "  else\n"
         "    offer=\"${subcommands:-$arguments}\"\n"
         "  fi\n"
         "  case \"$offer\" in\n"
         "    @file | @keys) compopt -o filenames; COMPREPLY=($(compgen -f -- \"$current\")) ;;\n"
         "    @directory) compopt -o filenames; COMPREPLY=($(compgen -d -- \"$current\")) ;;\n"
         "  esac\n"
         "  case \"$offer\" in\n"
         "    @file | @directory) ;;\n"
         "    *) COMPREPLY+=($(compgen -W \"$(_mvctl_expand \"$offer\")\" -- \"$current\")) ;;\n"
         "  esac\n"
         "}\n\n"
         "complete -F _mvctl mvctl\n";
}

std::string zsh_completion(const Command& root) {
  return "#compdef mvctl\n" + std::string(kGenerated) + "\n" + shared_functions(root) +
         "_mvctl() {\n"
         "  local command subcommands flags arguments values offer\n"
         "  _mvctl_find \"${(@)words[2,CURRENT-1]}\"\n"
         "  if _mvctl_values \"$command\" \"${words[CURRENT-1]}\"; then\n"
         "    offer=\"$values\"\n"
         "  elif [[ \"${words[CURRENT]}\" == -* ]]; then\n"
         "    offer=\"$flags\"\n"
         "  else\n"
         "    offer=\"${subcommands:-$arguments}\"\n"
         "  fi\n"
         "  case \"$offer\" in\n"
         "    @file) _files ;;\n"
         "    @directory) _files -/ ;;\n"
         "    @keys) compadd -- ${=\"$(_mvctl_expand @keys)\"}; _files ;;\n"
         "    *) compadd -- ${=\"$(_mvctl_expand \"$offer\")\"} ;;\n"
         "  esac\n"
         "}\n\n"
         "if [ \"$funcstack[1]\" = \"_mvctl\" ]; then _mvctl \"$@\"; else compdef _mvctl mvctl; fi\n";
}

std::string fish_completion(const Command& root) {
  std::string text = "# fish completion for mvctl\n" + std::string(kGenerated) + "\nset -g __mvctl_commands";
  visit(root, [&](const Command& command) { text += " " + quoted(command.path()); });
  text +=
      "\n\n"
      "function __mvctl_at --description 'whether the words so far name the command $argv[1]'\n"
      "    set -l command mvctl\n"
      "    for word in (commandline -opc)[2..-1]\n"
      "        if contains -- \"$command $word\" $__mvctl_commands\n"
      "            set command \"$command $word\"\n"
      "        end\n"
      "    end\n"
      "    test \"$command\" = \"$argv[1]\"\n"
      "end\n\n"
      "function __mvctl_names --description 'the first column of a list'\n"
      "    switch $argv[1]\n"
      "        case devices; set -f list devices\n"
      "        case contexts; set -f list context list\n"
      "        case emulators; set -f list emulator list\n"
      "        case commands; set -f list help\n"
      "        case '*'; set -f list $argv[1] list\n"
      "    end\n"
      "    mvctl $list --quiet 2>/dev/null </dev/null | awk 'NR > 1 { print ($1 == \"*\" ? $2 : $1) }'\n"
      "end\n\n";
  text += "complete -c mvctl -f\n";
  visit(root, [&](const Command& command) { text += fish_commands(command); });
  return text;
}

}  // namespace mv::cli
