#include "cli/program.h"

#include <ostream>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/parser.h"

namespace mv::cli {
namespace {

constexpr std::string_view kVersion = MV_VERSION;

void add_global_options(Command& root, GlobalOptions& options) {
  root.option("--output", "FORMAT", &options.format, "text for a person, json for a program")
      .choices({"text", "json"})
      .shows_default("text");
  root.option("--context", "NAME", &options.context, "the context to use instead of the current one")
      .complete(Completion::kContext);
  root.flag("--quiet,-q", options.quiet, "print results and errors only");
  root.flag("--verbose,-v", options.verbose, "print what is done, with timings");
  root.flag("--version", options.version, "print the version and end");
}

Result run(const std::vector<std::string>& arguments, const Command& root, Program& program) {
  auto parsed = parse(root, arguments);
  Output& output = program.output();
  if (program.options().format == "json") output.set_format(Format::kJson);
  output.set_quiet(program.options().quiet);
  output.set_verbose(program.options().verbose);
  if (!parsed) return tl::unexpected(parsed.error());
  if (program.options().version) {
    output.result({{"version", std::string(kVersion)}}, "mvctl " + std::string(kVersion));
    return {};
  }
  if (parsed->help || (parsed->command == &root && arguments.empty())) {
    *output.terminal().out << help_text(*parsed->command);
    return {};
  }
  if (!parsed->command->handler()) return missing_verb(*parsed->command);
  return parsed->command->handler()();
}

}  // namespace

void build_tree(Command& root, Program& program) {
  add_global_options(root, program.options());
  add_all_commands(root, program);
  root.example("mvctl keys create release", "make a key pair that signs bundles");
  root.example("mvctl bundle create build/app.elf -o app.zip --key release",
               "turn an application into a signed bundle");
}

int run_program(const std::vector<std::string>& arguments, const Terminal& terminal) {
  Program program(terminal);
  Command root("mvctl", "build, sign, ship and debug applications for microvisor devices");
  program.set_root(root);
  build_tree(root, program);
  const Result result = run(arguments, root, program);
  if (result) return static_cast<int>(ExitCode::kDone);
  program.output().failure(result.error());
  return static_cast<int>(result.error().code);
}

}  // namespace mv::cli
