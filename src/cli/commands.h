// The table of command families. A family is one file, commands/<family>.cc.
#pragma once

namespace mv::cli {

class Command;
class Program;

// Adds every family to the tree, in the order in which help lists them.
void add_all_commands(Command& root, Program& program);

void add_board(Command& root, Program& program);
void add_bundle(Command& root, Program& program);
void add_crashes(Command& root, Program& program);
void add_completion(Command& root, Program& program);
void add_context(Command& root, Program& program);
void add_devices(Command& root, Program& program);
void add_emulator(Command& root, Program& program);
void add_apps(Command& root, Program& program);
void add_debug(Command& root, Program& program);
void add_deploy(Command& root, Program& program);
void add_events(Command& root, Program& program);
void add_logs(Command& root, Program& program);
void add_microvisor(Command& root, Program& program);
void add_signers(Command& root, Program& program);
void add_trace(Command& root, Program& program);
void add_usb(Command& root, Program& program);
void add_help(Command& root, Program& program);
void add_init(Command& root, Program& program);
void add_keys(Command& root, Program& program);

// Below a family.
void add_key_changes(Command& keys, Program& program);
void add_device_keys(Command& devices, Program& program);
void add_usb_bridge(Command& usb, Program& program);
void add_usb_flash(Command& usb, Program& program);

}  // namespace mv::cli
