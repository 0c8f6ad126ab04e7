// The table of command families. A family is one file, commands/<family>.cc.
#pragma once

namespace mv::cli {

class Command;
class Program;

// Adds every family to the tree, in the order in which help lists them.
void add_all_commands(Command& root, Program& program);

void add_bundle(Command& root, Program& program);
void add_completion(Command& root, Program& program);
void add_help(Command& root, Program& program);
void add_keys(Command& root, Program& program);

}  // namespace mv::cli
