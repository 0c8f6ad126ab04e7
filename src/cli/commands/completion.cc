// mvctl completion bash|zsh|fish, and (hidden) what scripts/generate-docs calls.
#include <memory>
#include <ostream>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/completion_script.h"
#include "cli/file.h"
#include "cli/man_page.h"
#include "cli/program.h"

namespace mv::cli {
namespace {

std::string script_for(const std::string& shell, const Command& root) {
  if (shell == "bash") return bash_completion(root);
  return shell == "zsh" ? zsh_completion(root) : fish_completion(root);
}

Result write_pages(const std::filesystem::path& folder, const Command& command) {
  if (command.is_hidden()) return {};
  if (auto written = write_file(folder / man_page_name(command), man_page(command)); !written) return written;
  for (const Command& sub : command.commands()) {
    if (auto written = write_pages(folder, sub); !written) return written;
  }
  return {};
}

// Completion files are named as each shell looks for them.
Result generate(const std::filesystem::path& folder, const Command& root) {
  const std::pair<const char*, const char*> files[] = {
      {"bash", "mvctl.bash"}, {"zsh", "_mvctl"}, {"fish", "mvctl.fish"}};
  for (const auto& [shell, name] : files) {
    if (auto written = write_file(folder / "completions" / name, script_for(shell, root)); !written) return written;
  }
  return write_pages(folder / "man", root);
}

}  // namespace

void add_completion(Command& root, Program& program) {
  Command& completion = root.add("completion", "print the completion script of a shell");
  auto shell = std::make_shared<std::string>();
  completion.argument("SHELL", shell.get(), "which shell").choices({"bash", "zsh", "fish"});
  completion.example("source <(mvctl completion bash)", "complete with Tab in this shell");
  completion.example("mvctl completion fish > ~/.config/fish/completions/mvctl.fish", "and in every fish from now on");
  completion.run([shell, &program]() -> Result {
    *program.output().terminal().out << script_for(*shell, program.root());
    return {};
  });

  Command& generator = root.add("generate-docs", "write completions and man pages").hidden();
  auto folder = std::make_shared<std::string>();
  generator.argument("FOLDER", folder.get(), "where to").complete(Completion::kDirectory);
  generator.example("mvctl generate-docs .", "into this folder");
  generator.example("mvctl generate-docs /tmp/docs", "somewhere else");
  generator.run([folder, &program] { return generate(*folder, program.root()); });
}

}  // namespace mv::cli
