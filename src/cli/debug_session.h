// One run of `mvctl debug` once everything is known: the GDB server on a port, and the device behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "cli/debug_plan.h"
#include "cli/program.h"
#include "cli/usb_boards.h"

namespace mv::cli {

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

  // The same over a board's serial line: the device is called there, and `finish_plan` adds to `plan` what follows from
  // its answer. Ends, too, when the line is lost.
  using FinishPlan = std::function<Result(DebugPlan&, const Greeting&, const std::string& board)>;
  virtual Result run_over_line(const LineChoice& choice, DebugPlan plan, FinishPlan finish_plan) = 0;
};

}  // namespace mv::cli
