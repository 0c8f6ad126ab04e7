// Which breakpoints the client wants, and which the device has. The difference travels with the next resume, so that
// the pair of removal and insertion that GDB does around every stop costs nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "gdbserver/target/breakpoint_program.h"
#include "gdbserver/target/error.h"

namespace mv::gdb {

class BreakpointLedger {
 public:
  using Programs = std::map<std::uint32_t, BreakpointProgram>;  // by the breakpoint's address

  struct Changes {
    std::vector<std::uint32_t> insert;
    std::vector<std::uint32_t> remove;
    Programs programs;  // that are others than those on the device
  };

  // `capacity` is how many the device holds at once.
  void set_capacity(std::size_t capacity) { capacity_ = capacity; }
  std::size_t capacity() const { return capacity_; }
  std::size_t wanted() const { return wanted_.size(); }

  // How much the device holds behind them, and what of it is in use.
  void set_program_limits(const ProgramLimits& limits) { limits_ = limits; }
  const ProgramLimits& program_limits() const { return limits_; }
  ProgramLimits programs_wanted() const;

  // Inserting one that is there replaces its program; removing one that is not changes nothing. Conditions for which
  // the device has no room are left out: it then stops each time, and GDB, which judges every stop itself, goes on.
  //
  // Errors: kNoBreakpointFree, also if there is no room for commands.
  Result<void> insert(std::uint32_t address, BreakpointProgram program);
  void remove(std::uint32_t address) { wanted_.erase(address); }

  Changes changes() const;

  // The device has carried out `changes`.
  void applied(const Changes& changes);

  // The device has none any more (it restarted, or the session ended); what is wanted stands.
  void device_lost_all() { on_device_.clear(); }

  // Nothing is wanted and the device has none.
  void clear();

 private:
  bool fits(std::uint32_t address, const BreakpointProgram& program) const;

  std::size_t capacity_ = 0;
  ProgramLimits limits_;
  Programs wanted_;
  Programs on_device_;
};

}  // namespace mv::gdb
