// Whom to debug, with which key and which ELF: what every command that reaches a device's debug agent finds out first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/cloud_client.h"
#include "cli/command.h"
#include "cli/debug_line.h"
#include "gdbserver/target/agent_target.h"
#include "gdbserver/target/elf_image.h"
#include "transport/secure_channel.h"

namespace mv::cli {

// As the person said it.
struct DebugChoice {
  std::string device;
  std::optional<std::string> key;
  std::optional<std::string> elf;
  bool load = false;  // the ELF is to be loaded: it need not be the build that runs
};

enum class DeviceArgument : std::uint8_t { kRequired, kOptional };

// DEVICE, --key and --elf. `choice` lives as long as the command.
void add_debug_choice(Command& command, DebugChoice& choice, DeviceArgument device = DeviceArgument::kRequired);

struct DebugPlan {
  Context context;
  std::string device_id;
  std::string label;  // how to call the device to a person
  std::optional<transport::DebugIdentity> identity;
  std::string key_name;
  std::optional<std::string> sign_key;  // for what GDB loads; nothing: the one of ours that signed the running bundle
  std::string elf_path;                 // empty: none; given to GDB as well
  std::optional<gdb::ElfImage> image;
  gdb::AgentTarget::Measured measured;  // of the bundle that runs
  bool read_only = false;               // GDB may look at memory while the application runs, and change nothing
  bool start_gdb = false;
};

// Asks the cloud and looks at our keys and ELFs; fills in all but the context and the flags. `summary` says it to a
// person.
Result plan_debug(CloudClient& cloud, const DebugChoice& choice, DebugPlan& plan, std::string& summary);

// The same without a cloud, from what a called device says of itself. Whether --key is the right one, it says later.
Result plan_debug(const Greeting& greeting, const DebugChoice& choice, DebugPlan& plan, std::string& summary);

}  // namespace mv::cli
