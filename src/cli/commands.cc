#include "cli/commands.h"

namespace mv::cli {

void add_all_commands(Command& root, Program& program) {
  using Add = void (*)(Command&, Program&);
  constexpr Add kFamilies[] = {
      add_keys,     add_bundle, add_init,       add_deploy,     add_debug,  add_trace,   add_crashes,
      add_devices,  add_apps,   add_microvisor, add_logs,       add_events, add_signers, add_context,
      add_emulator, add_usb,    add_board,      add_completion, add_help,
  };
  for (const Add add : kFamilies) add(root, program);
}

}  // namespace mv::cli
