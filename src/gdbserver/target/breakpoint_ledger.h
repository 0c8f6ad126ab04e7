// Which breakpoints the client wants, and which the device has. The difference travels with the next resume, so that
// the pair of removal and insertion that GDB does around every stop costs nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "gdbserver/target/error.h"

namespace mv::gdb {

class BreakpointLedger {
 public:
  struct Changes {
    std::vector<std::uint32_t> insert;
    std::vector<std::uint32_t> remove;
  };

  // `capacity` is how many the device holds at once.
  void set_capacity(std::size_t capacity) { capacity_ = capacity; }
  std::size_t capacity() const { return capacity_; }
  std::size_t wanted() const { return wanted_.size(); }

  // Inserting one that is there, or removing one that is not, changes nothing.
  //
  // Errors: kNoBreakpointFree.
  Result<void> insert(std::uint32_t address);
  void remove(std::uint32_t address) { wanted_.erase(address); }

  Changes changes() const;

  // The device has carried out `changes`.
  void applied(const Changes& changes);

  // The device has none any more (it restarted, or the session ended); what is wanted stands.
  void device_lost_all() { on_device_.clear(); }

  // Nothing is wanted and the device has none.
  void clear();

 private:
  std::size_t capacity_ = 0;
  std::set<std::uint32_t> wanted_;
  std::set<std::uint32_t> on_device_;
};

}  // namespace mv::gdb
