#include "core/debug/breakpoint_programs.h"

#include <algorithm>

namespace mv::debug {
namespace {

// One line: [device] breakpoint at 0x00100234: its condition cannot be evaluated: division by zero
void complain(std::uint32_t address, const char* what, ExpressionError error, ConsoleText& console) {
  console.begin();
  console.put("[device] breakpoint at ");
  console.put_hex(address);
  console.put(what);
  console.put(describe(error));
  console.put('\n');
  console.end();
}

bool holds(std::uint32_t address, const ExpressionResult& result, ConsoleText& console) {
  const bool nothing = result.error == ExpressionError::kNone && !result.has_value;
  const ExpressionError error = nothing ? ExpressionError::kStackUnderflow : result.error;
  if (error == ExpressionError::kNone) return result.value != 0;
  complain(address, ": its condition cannot be evaluated: ", error, console);
  return true;
}

}  // namespace

bool BreakpointPrograms::add(std::uint32_t address, Role role, std::span<const std::uint8_t> code) {
  const std::optional<std::span<std::uint8_t>> room = reserve(address, role, code.size());
  if (room) std::ranges::copy(code, room->begin());
  return room.has_value();
}

std::optional<std::span<std::uint8_t>> BreakpointPrograms::reserve(std::uint32_t address, Role role, std::size_t size) {
  if (count_ == kMaxExpressions || size > kMaxBytes - used_) return std::nullopt;
  table_[count_++] = {.address = address, .role = role, .size = static_cast<std::uint16_t>(size)};
  used_ += size;
  return std::span(bytes_).subspan(used_ - size, size);
}

void BreakpointPrograms::remove(std::uint32_t address) {
  std::size_t kept = 0, kept_bytes = 0, at = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    const Expression expression = table_[i];
    if (expression.address != address) {
      std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at), expression.size,
                  bytes_.begin() + static_cast<std::ptrdiff_t>(kept_bytes));
      table_[kept++] = expression;
      kept_bytes += expression.size;
    }
    at += expression.size;
  }
  count_ = kept;
  used_ = kept_bytes;
}

bool BreakpointPrograms::add_all(const BreakpointPrograms& other) {
  std::size_t at = 0;
  for (const Expression& expression : std::span(other.table_).first(other.count_)) {
    if (!add(expression.address, expression.role, std::span(other.bytes_).subspan(at, expression.size))) return false;
    at += expression.size;
  }
  return true;
}

void BreakpointPrograms::move_from(std::size_t first, std::uint32_t address) {
  for (std::size_t i = first; i < count_; ++i) table_[i].address = address;
}

bool BreakpointPrograms::stops(const Context& context, ApplicationMemory& memory, ConsoleText& console,
                               TraceRecords& records) const {
  const std::uint32_t address = context.pc();
  bool conditional = false, wanted = false, commanded = false;
  for_each(address, Role::kCondition, [&](std::span<const std::uint8_t> code) {
    conditional = true;
    if (wanted) return;
    console.begin();  // GDB lets no condition print; one that does is not heard
    wanted = holds(address, evaluate(code, context, memory, console), console);
  });
  if (conditional && !wanted) return false;
  for_each(address, Role::kCommand, [&](std::span<const std::uint8_t> code) {
    commanded = true;
    console.begin();
    const ExpressionResult result = evaluate(code, context, memory, console);
    if (result.error == ExpressionError::kNone) return console.end();
    complain(address, ": its command cannot be carried out: ", result.error, console);
  });
  if (!has(address, Role::kCollect) && !has(address, Role::kRegisters)) return !commanded;
  collect(context, memory, console, records);
  return false;
}

void BreakpointPrograms::collect(const Context& context, ApplicationMemory& memory, ConsoleText& console,
                                 TraceRecords& records) const {
  const std::uint32_t address = context.pc();
  records.begin(address);
  for_each(address, Role::kRegisters, [&](std::span<const std::uint8_t> numbers) {
    for (const std::uint8_t number : numbers) records.put_register(context, number);
  });
  for_each(address, Role::kCollect, [&](std::span<const std::uint8_t> code) {
    console.begin();
    const ExpressionError error = evaluate(code, context, memory, console, &records).error;
    if (error == ExpressionError::kNone || error == ExpressionError::kBadAddress) return;
    complain(address, ": what it collects cannot be evaluated: ", error, console);
  });
  records.end();
}

bool BreakpointPrograms::has(std::uint32_t address, Role role) const {
  return std::ranges::any_of(std::span(table_).first(count_), [&](const Expression& expression) {
    return expression.address == address && expression.role == role;
  });
}

template <class Action>
void BreakpointPrograms::for_each(std::uint32_t address, Role role, Action action) const {
  std::size_t at = 0;
  for (const Expression& expression : std::span(table_).first(count_)) {
    if (expression.address == address && expression.role == role) {
      action(std::span(bytes_).subspan(at, expression.size));
    }
    at += expression.size;
  }
}

}  // namespace mv::debug
