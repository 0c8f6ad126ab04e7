// Which watchpoints the client wants, and which the device has; the difference travels with the next resume, as with
// breakpoints (breakpoint_ledger.h). What the device could not watch is refused here, without asking it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "gdbserver/arm/memory_map.h"
#include "gdbserver/target/error.h"
#include "gdbserver/target/watchpoint.h"

namespace mv::gdb {

class WatchpointLedger {
 public:
  struct Changes {
    std::vector<Watchpoint> insert;
    std::vector<Watchpoint> remove;
  };

  // What the device can do: `capacity` at once, each up to `longest` bytes.
  void set_limits(std::size_t capacity, std::uint32_t longest);
  std::size_t capacity() const { return capacity_; }
  std::uint32_t longest() const { return longest_; }
  std::size_t wanted() const { return wanted_.size(); }

  // Inserting one that is there, or removing one that is not, changes nothing. `regions` are the application's. Where
  // it has nothing at all, none is needed, for an access is a fault: GDB's `watch *pointer` begins so with a null
  // pointer, and gives up the whole command if that is refused.
  //
  // Errors: kUnsupported (the device has none, or the range is too long), kBadAddress (not RAM), kNoBreakpointFree.
  Result<void> insert(const Watchpoint& watchpoint, const std::vector<Region>& regions);
  void remove(const Watchpoint& watchpoint) { wanted_.erase(watchpoint); }

  Changes changes() const;

  // Everything that is watched, or was until now: what a client looks at when the application stops.
  std::vector<Watchpoint> of_interest() const;

  // The device has carried out `changes`, or has none any more; what is wanted stands.
  void applied(const Changes& changes);
  void device_lost_all() { on_device_.clear(); }

  // Nothing is wanted and the device has none.
  void clear();

 private:
  std::size_t capacity_ = 0;
  std::uint32_t longest_ = 0;
  std::set<Watchpoint> wanted_;
  std::set<Watchpoint> on_device_;
};

}  // namespace mv::gdb
