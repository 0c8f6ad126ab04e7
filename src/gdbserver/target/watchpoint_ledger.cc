#include "gdbserver/target/watchpoint_ledger.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace mv::gdb {
namespace {

bool meets_any(const Watchpoint& watchpoint, const std::vector<Region>& regions) {
  return std::any_of(regions.begin(), regions.end(), [&](const Region& region) {
    return watchpoint.address - region.address < region.size || region.address - watchpoint.address < watchpoint.length;
  });
}

}  // namespace

void WatchpointLedger::set_limits(std::size_t capacity, std::uint32_t longest) {
  capacity_ = capacity;
  longest_ = longest;
}

Result<void> WatchpointLedger::insert(const Watchpoint& watchpoint, const std::vector<Region>& regions) {
  if (wanted_.contains(watchpoint)) return {};
  if (capacity_ == 0) return failure(ErrorCode::kUnsupported, "this device cannot watch memory: use a breakpoint");
  if (watchpoint.length == 0 || watchpoint.length > longest_) {
    return failure(ErrorCode::kUnsupported,
                   fmt::format("{} bytes cannot be watched at once, this device watches up to {}: watch a part of them",
                               watchpoint.length, longest_));
  }
  if (!meets_any(watchpoint, regions) && !meets_any(watchpoint, arm::architectural_regions())) return {};
  const auto ram = [&](const Region& region) {
    return region.kind == MemoryKind::kRam && region.contains(watchpoint.address, watchpoint.length);
  };
  if (std::none_of(regions.begin(), regions.end(), ram)) {
    return failure(
        ErrorCode::kBadAddress,
        fmt::format("0x{:08x} is not the application's RAM, and only that can be watched", watchpoint.address));
  }
  if (wanted_.size() >= capacity_) {
    return failure(ErrorCode::kNoBreakpointFree,
                   fmt::format("all {} watchpoints of this device are in use: delete or disable one", capacity_));
  }
  wanted_.insert(watchpoint);
  return {};
}

WatchpointLedger::Changes WatchpointLedger::changes() const {
  Changes changes;
  std::set_difference(wanted_.begin(), wanted_.end(), on_device_.begin(), on_device_.end(),
                      std::back_inserter(changes.insert));
  std::set_difference(on_device_.begin(), on_device_.end(), wanted_.begin(), wanted_.end(),
                      std::back_inserter(changes.remove));
  return changes;
}

std::vector<Watchpoint> WatchpointLedger::of_interest() const {
  std::vector<Watchpoint> all;
  std::set_union(wanted_.begin(), wanted_.end(), on_device_.begin(), on_device_.end(), std::back_inserter(all));
  return all;
}

void WatchpointLedger::applied(const Changes& changes) {
  for (const Watchpoint& watchpoint : changes.remove) on_device_.erase(watchpoint);
  on_device_.insert(changes.insert.begin(), changes.insert.end());
}

void WatchpointLedger::clear() {
  wanted_.clear();
  on_device_.clear();
}

}  // namespace mv::gdb
