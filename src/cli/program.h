// What every command is given: where to print, and which cloud is meant.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/output.h"

namespace mv::cli {

class Command;

// The options that stand before or behind every verb.
struct GlobalOptions {
  std::string format = "text";
  std::string context;
  bool quiet = false;
  bool verbose = false;
  bool version = false;
};

class Program {
 public:
  explicit Program(const Terminal& terminal) : output_(terminal) {}

  Output& output() { return output_; }
  GlobalOptions& options() { return options_; }

  // The cloud to talk to, from --context, the environment and the configuration file.
  tl::expected<Context, Failure> context() const { return choose_context(options_.context); }

  // The whole tree, for the commands that describe it (help, completion).
  const Command& root() const { return *root_; }
  void set_root(const Command& root) { root_ = &root; }

 private:
  Output output_;
  GlobalOptions options_;
  const Command* root_ = nullptr;
};

// mvctl as a whole: builds the tree, parses `arguments` (without the program's name), runs the command, prints a
// failure. Returns the exit code.
int run_program(const std::vector<std::string>& arguments, const Terminal& terminal);

// Adds every command and the global options; `program` must outlive the tree.
void build_tree(Command& root, Program& program);

}  // namespace mv::cli
