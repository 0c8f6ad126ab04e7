// mvctl help [COMMAND...]
#include <memory>
#include <ostream>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/program.h"

namespace mv::cli {
namespace {

Result show_help(Program& program, const std::vector<std::string>& path) {
  const Command* command = &program.root();
  for (const auto& name : path) {
    const Command* next = command->find(name);
    if (next == nullptr) {
      return fail(ExitCode::kUsage, command->path() + " has no command " + name, "see " + command->path() + " --help");
    }
    command = next;
  }
  *program.output().terminal().out << help_text(*command);
  return {};
}

}  // namespace

void add_help(Command& root, Program& program) {
  Command& help = root.add("help", "explain a command");
  auto path = std::make_shared<std::vector<std::string>>();
  help.argument("COMMAND", path.get(), "the command, word by word").complete(Completion::kCommand);
  help.example("mvctl help bundle create", "what bundle create does, with its options");
  help.example("mvctl help", "all commands");
  help.run([path, &program] { return show_help(program, *path); });
}

}  // namespace mv::cli
