// The core's own debug units, where it has them: comparators for instructions (FPB revision 2) and for data (the DWT as
// ARMv8-M has it), told of by a Secure DebugMonitor exception (ARM DDI 0553B, chapters Debug, Debug and Trace
// Components, and D1 for the registers). docs/decisions/0017-hardware-comparators.md says how they are used.
//
// Knows registers and nothing of the application. What is wanted is kept here too: the units are not banked, so that
// privileged Non-secure code can write them, and `restore` puts them right on each entry.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/platform/debug_unit.h"

namespace mv::arch {

// Words of the Private Peripheral Bus.
class RegisterBus {
 public:
  virtual std::uint32_t read(std::uint32_t address) = 0;
  virtual void write(std::uint32_t address, std::uint32_t value) = 0;

 protected:
  ~RegisterBus() = default;
};

// Why DebugMonitor was taken: DFSR.
struct DebugStatus {
  std::uint32_t bits = 0;

  bool step() const { return (bits & 1) != 0; }        // HALTED
  bool breakpoint() const { return (bits & 2) != 0; }  // BKPT: the instruction, or a comparator
  bool watch() const { return (bits & 4) != 0; }       // DWTTRAP
};

class Comparators {
 public:
  explicit Comparators(RegisterBus& bus) : bus_(bus) {}

  // Takes possession of the units, with DebugMonitor in Secure state, and clears them: after a reset they may hold what
  // somebody left there. Without an FPB of revision 2, or where Secure self-hosted debug cannot be had (DEMCR.SDME
  // stays 0), nothing is enabled and `present` is false.
  void find();

  bool present() const { return breakpoint_count_ != 0; }
  std::uint32_t breakpoints() const { return breakpoint_count_; }
  std::uint32_t watchpoints() const { return watch_count_; }

  // A hardware probe halts the core at each debug event: none reaches us (DHCSR.C_DEBUGEN).
  bool probe_attached() { return (bus_.read(kHaltingControl) & 1) != 0; }

  // False if no comparator is free, or the address is odd. Inserting one that is there does nothing.
  bool insert_breakpoint(std::uint32_t address);
  bool remove_breakpoint(std::uint32_t address);
  bool has_breakpoint(std::uint32_t address) const;

  // One comparator for 1, 2 or 4 aligned bytes, else two: a range. False if there are none left for it.
  bool insert_watchpoint(const debug::Watchpoint& watchpoint);
  void remove_watchpoints();

  // The watchpoint that matched; forgets all matches.
  std::optional<debug::Watchpoint> take_hit();

  // While armed, DebugMonitor follows the next instruction of code that it outranks. To be changed at DebugMonitor's
  // priority or above; below it is UNPREDICTABLE.
  void arm_step(bool armed);

  DebugStatus take_status();

  // Writes what was changed by others. True if something was.
  bool restore();

 private:
  static constexpr std::uint32_t kHaltingControl = 0xe000edf0;  // DHCSR
  static constexpr std::size_t kMaxBreakpoints = 8;
  static constexpr std::size_t kMaxWatch = 4;

  bool put(std::uint32_t address, std::uint32_t value);
  bool can_limit(std::size_t n) const;
  std::optional<std::size_t> free_single() const;
  std::optional<std::size_t> free_pair() const;
  void write_watch(std::size_t n, std::uint32_t comparator, std::uint32_t function);

  RegisterBus& bus_;
  std::uint8_t breakpoint_count_ = 0;
  std::uint8_t watch_count_ = 0;
  std::uint8_t limits_ = 0;  // bit n: DWT comparator n can be the end of a range
  bool step_ = false;
  std::array<std::uint32_t, kMaxBreakpoints> breakpoint_{};  // FP_COMP
  std::array<std::uint32_t, kMaxWatch> comparator_{};        // DWT_COMP
  std::array<std::uint32_t, kMaxWatch> function_{};          // DWT_FUNCTION; 0: free
  std::array<debug::Watchpoint, kMaxWatch> watch_{};         // at the first of its comparators
};

}  // namespace mv::arch
