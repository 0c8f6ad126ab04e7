#include "gdbserver/target/breakpoint_ledger.h"

#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace mv::gdb {

std::size_t BreakpointProgram::bytes() const {
  const auto add = [](std::size_t sum, const Expression& expression) { return sum + expression.size(); };
  return std::accumulate(conditions.begin(), conditions.end(),
                         std::accumulate(commands.begin(), commands.end(), std::size_t{0}, add), add);
}

ProgramLimits BreakpointLedger::programs_wanted() const {
  ProgramLimits sum;
  for (const auto& [address, program] : wanted_) {
    sum.expressions += program.expressions();
    sum.bytes += program.bytes();
  }
  return sum;
}

Result<void> BreakpointLedger::insert(std::uint32_t address, BreakpointProgram program) {
  if (!wanted_.contains(address) && wanted_.size() >= capacity_) {
    return failure(ErrorCode::kNoBreakpointFree,
                   fmt::format("all {} breakpoints of this device are in use: delete or disable one", capacity_));
  }
  if (!fits(address, program)) {
    if (!program.commands.empty()) {
      return failure(ErrorCode::kNoBreakpointFree,
                     fmt::format("the device has room for {} conditions and dprintf commands of {} bytes together: "
                                 "delete one, or type: set dprintf-style gdb",
                                 limits_.expressions, limits_.bytes));
    }
    program = {};
  }
  wanted_[address] = std::move(program);
  return {};
}

bool BreakpointLedger::fits(std::uint32_t address, const BreakpointProgram& program) const {
  ProgramLimits sum = programs_wanted();
  if (const auto replaced = wanted_.find(address); replaced != wanted_.end()) {
    sum.expressions -= replaced->second.expressions();
    sum.bytes -= replaced->second.bytes();
  }
  return sum.expressions + program.expressions() <= limits_.expressions && sum.bytes + program.bytes() <= limits_.bytes;
}

// A new breakpoint has no program on the device until it is given one.
BreakpointLedger::Changes BreakpointLedger::changes() const {
  Changes changes;
  for (const auto& [address, program] : wanted_) {
    const auto there = on_device_.find(address);
    if (there == on_device_.end()) changes.insert.push_back(address);
    if (program != (there == on_device_.end() ? BreakpointProgram{} : there->second))
      changes.programs.emplace(address, program);
  }
  for (const auto& [address, program] : on_device_)
    if (!wanted_.contains(address)) changes.remove.push_back(address);
  return changes;
}

void BreakpointLedger::applied(const Changes& changes) {
  for (const std::uint32_t address : changes.remove) on_device_.erase(address);
  for (const std::uint32_t address : changes.insert) on_device_[address] = {};
  for (const auto& [address, program] : changes.programs) on_device_[address] = program;
}

void BreakpointLedger::clear() {
  wanted_.clear();
  on_device_.clear();
}

}  // namespace mv::gdb
