// The command tree of mvctl: names, options, examples and handlers, as plain data.
//
// A family of commands is one file, commands/<family>.cc, with one function that adds to the tree:
//
//   struct ShowOptions { std::string device; };
//
//   void add_devices(Command& root, Program& program) {
//     Command& devices = root.add("devices", "devices of the account");
//     Command& show = devices.add("show", "show one device");
//     auto options = std::make_shared<ShowOptions>();
//     show.argument("DEVICE", options->device, "name, id or unique prefix").complete(Completion::kDevice);
//     show.example("mvctl devices show porch", "what porch runs and when it was last seen");
//     show.run([options, &program] { return show_device(program, *options); });
//   }
//
// Parsing (parser.h), help (help.h), completions and man pages all read this one tree.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/failure.h"

namespace mv::cli {

// Where an option's value goes. The variable must live as long as the tree. Its value before parsing is the default.
// Durations are written "500ms", "90s" (or "90"), "15m", "2h", "7d".
using Target = std::variant<bool*, std::string*, std::optional<std::string>*, std::vector<std::string>*, int*,
                            std::uint32_t*, std::optional<std::uint32_t>*, std::uint64_t*, double*,
                            std::chrono::milliseconds*, std::optional<std::chrono::milliseconds>*>;

// What Tab offers for a value.
enum class Completion { kNothing, kFile, kDirectory, kDevice, kApp, kContext, kEmulator, kKey, kCommand };

struct Option {
  std::string names;  // "--key,-k"; empty for a positional argument
  std::string value;  // how the value is called in help: "FILE"; empty for a flag
  Target target;
  std::string help;
  bool is_required = false;
  bool is_hidden = false;
  std::vector<std::string> allowed;
  std::string environment;
  std::string default_text;
  Completion completion = Completion::kNothing;

  Option& required(bool yes = true) { return is_required = yes, *this; }
  Option& hidden() { return is_hidden = true, *this; }
  Option& choices(std::vector<std::string> values) { return allowed = std::move(values), *this; }
  Option& env(std::string variable) { return environment = std::move(variable), *this; }  // read if not given
  Option& shows_default(std::string text) { return default_text = std::move(text), *this; }
  Option& complete(Completion what) { return completion = what, *this; }

  bool is_flag() const { return std::holds_alternative<bool*>(target); }
  bool is_argument() const { return names.empty(); }
  bool is_list() const { return std::holds_alternative<std::vector<std::string>*>(target); }
};

struct Example {
  std::string line;  // "mvctl devices show porch"
  std::string what;  // one line of text
};

class Command {
 public:
  using Handler = std::function<Result()>;

  Command(std::string name, std::string summary) : name_(std::move(name)), summary_(std::move(summary)) {}
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // Adds a command below this one. The reference stays valid.
  Command& add(std::string name, std::string summary);

  // An option with a value ("--key,-k", "FILE"), a flag, a positional argument ("DEVICE"; a list takes all that
  // follow). An argument is required unless its target is an optional or a list, or `.required(false)` says so.
  Option& option(std::string names, std::string value, Target target, std::string help);
  Option& flag(std::string names, bool& target, std::string help);
  Option& argument(std::string value, Target target, std::string help);

  // What the command does. A command with commands below it may have a handler too: `mvctl devices` lists.
  void run(Handler handler) { handler_ = std::move(handler); }

  // Two examples at least: they end the help.
  Command& example(std::string line, std::string what);

  // Paragraphs for the help and the man page, after the summary.
  Command& describe(std::string text) { return description_ = std::move(text), *this; }
  Command& hidden() { return is_hidden_ = true, *this; }

  const std::string& name() const { return name_; }
  const std::string& summary() const { return summary_; }
  const std::string& description() const { return description_; }
  const std::list<Command>& commands() const { return commands_; }
  const std::list<Option>& options() const { return options_; }
  const std::vector<Example>& examples() const { return examples_; }
  const Handler& handler() const { return handler_; }
  const Command* parent() const { return parent_; }
  bool is_hidden() const { return is_hidden_; }

  // "mvctl devices show"
  std::string path() const;

  // The command below this one with that name, or nullptr.
  const Command* find(std::string_view name) const;

 private:
  std::string name_;
  std::string summary_;
  std::string description_;
  Handler handler_;
  std::list<Command> commands_;
  std::list<Option> options_;
  std::vector<Example> examples_;
  Command* parent_ = nullptr;
  bool is_hidden_ = false;
};

// The names of an option one by one: "--key,-k" gives "--key" and "-k".
std::vector<std::string> split_names(const std::string& names);

// Stores `values` (as typed) in the option's variable. The error is a sentence without the option's name.
tl::expected<void, std::string> store(const Option& option, const std::vector<std::string>& values);

// "500ms", "90s", "90", "15m", "2h", "7d", at most ten years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace mv::cli
