// What the debugger put behind its breakpoints: conditions that decide whether one stops, commands that print, what a
// trace collects.
//
// A table of agent expressions and one store for their bytes. No heap. Not to be changed while the application runs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/debug/agent_expression.h"
#include "core/debug/console_text.h"
#include "core/platform/debug_unit.h"

namespace mv::debug {

class BreakpointPrograms {
 public:
  static constexpr std::size_t kMaxExpressions = 16;
  static constexpr std::size_t kMaxBytes = 1024;  // of all expressions together

  enum class Role : std::uint8_t {
    kCondition,
    kCommand,
    kCollect,    // an expression that traces
    kRegisters,  // no expression: the numbers of registers
  };

  // Appends an expression to those of the breakpoint at `address`. False if there is no room.
  bool add(std::uint32_t address, Role role, std::span<const std::uint8_t> code);

  // Likewise with bytes that are yet to be written; returns where. None if there is no room.
  std::optional<std::span<std::uint8_t>> reserve(std::uint32_t address, Role role, std::size_t size);
  void remove(std::uint32_t address);
  void clear() { count_ = used_ = 0; }

  // Takes over every expression of `other`. False, with some of them taken over, if there is no room.
  bool add_all(const BreakpointPrograms& other);

  // Gives the expressions from number `first` on to the breakpoint at `address`.
  void move_from(std::size_t first, std::uint32_t address);
  std::size_t size() const { return count_; }

  // Whether the breakpoint at pc stops the application. If none of its conditions holds, it does not. If it has
  // commands, or something to collect, that is done and it does not. A condition that cannot be evaluated counts as
  // true, and says why. An address that cannot be read only leaves a gap in the record.
  bool stops(const Context& context, ApplicationMemory& memory, ConsoleText& console, TraceRecords& records) const;

 private:
  struct Expression {
    std::uint32_t address = 0;
    Role role = Role::kCondition;
    std::uint16_t size = 0;  // bytes
  };

  bool has(std::uint32_t address, Role role) const;
  void collect(const Context& context, ApplicationMemory& memory, ConsoleText& console, TraceRecords& records) const;

  template <class Action>
  void for_each(std::uint32_t address, Role role, Action action) const;

  // The bytes of all expressions lie one behind the other, in the order of the table.
  std::array<Expression, kMaxExpressions> table_{};
  std::array<std::uint8_t, kMaxBytes> bytes_{};
  std::size_t count_ = 0;
  std::size_t used_ = 0;
};

}  // namespace mv::debug
