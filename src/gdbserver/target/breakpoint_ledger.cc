#include "gdbserver/target/breakpoint_ledger.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace mv::gdb {

Result<void> BreakpointLedger::insert(std::uint32_t address) {
  if (wanted_.contains(address)) return {};
  if (wanted_.size() >= capacity_)
    return failure(ErrorCode::kNoBreakpointFree,
                   fmt::format("all {} breakpoints of this device are in use: delete or disable one", capacity_));
  wanted_.insert(address);
  return {};
}

BreakpointLedger::Changes BreakpointLedger::changes() const {
  Changes changes;
  std::set_difference(wanted_.begin(), wanted_.end(), on_device_.begin(), on_device_.end(),
                      std::back_inserter(changes.insert));
  std::set_difference(on_device_.begin(), on_device_.end(), wanted_.begin(), wanted_.end(),
                      std::back_inserter(changes.remove));
  return changes;
}

void BreakpointLedger::applied(const Changes& changes) {
  for (const std::uint32_t address : changes.remove) on_device_.erase(address);
  on_device_.insert(changes.insert.begin(), changes.insert.end());
}

void BreakpointLedger::clear() {
  wanted_.clear();
  on_device_.clear();
}

}  // namespace mv::gdb
