// What a client puts behind a breakpoint, as bytecode for the device (GDB manual, "The GDB Agent Expression
// Mechanism").
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mv::gdb {

struct BreakpointProgram {
  using Expression = std::vector<std::uint8_t>;

  std::vector<Expression> conditions;  // the breakpoint is hit if one holds, or if there are none
  std::vector<Expression> commands;    // carried out when it is hit, instead of stopping

  bool operator==(const BreakpointProgram&) const = default;

  std::size_t expressions() const { return conditions.size() + commands.size(); }
  std::size_t bytes() const;
};

// How much of it a device holds, behind all breakpoints together. Nothing: it cannot evaluate any.
struct ProgramLimits {
  std::size_t expressions = 0;
  std::size_t bytes = 0;
};

}  // namespace mv::gdb
