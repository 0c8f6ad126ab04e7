// One run of `mvctl trace` once everything is known.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/debug_plan.h"
#include "cli/program.h"

namespace mv::cli {

struct TracePlan {
  DebugPlan debug;  // with an ELF
  std::string location;
  std::string condition;  // empty: every time
  std::vector<std::string> expressions;
  std::optional<std::uint32_t> count;  // end after so many hits
  std::optional<std::chrono::milliseconds> duration;
};

// Until Ctrl-C, the count or the duration. The application then runs without a tracepoint.
Result run_trace(Program& program, TracePlan plan);

}  // namespace mv::cli
