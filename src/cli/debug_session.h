// One run of `mvctl debug` once everything is known: the GDB server on a port, and the device behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/cloud_client.h"
#include "cli/program.h"
#include "gdbserver/target/agent_target.h"
#include "gdbserver/target/elf_image.h"
#include "transport/secure_channel.h"

namespace mv::cli {

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

// The server's port is open from `open` on; clients are answered once `run` has reached the device.
class DebugSession {
 public:
  // kFailed: the port is taken.
  static tl::expected<std::unique_ptr<DebugSession>, Failure> open(Program& program, std::uint16_t port);

  virtual ~DebugSession() = default;
  virtual std::uint16_t port() const = 0;

  // Serves until Ctrl-C, or until GDB ends if it was started here. The application then runs. `make_plan` finds out
  // what is to be served, on a thread of its own: clients that have connected already are kept patient meanwhile.
  virtual Result run(std::function<Result(DebugPlan&)> make_plan) = 0;
};

}  // namespace mv::cli
