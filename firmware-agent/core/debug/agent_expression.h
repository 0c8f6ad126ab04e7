// GDB's agent expressions: conditions and commands of breakpoints, evaluated where the application stopped.
//
// A stack machine over 64-bit values. Bounded in stack, steps and text, so that it may run in an exception whatever the
// bytes are; it reads registers and the application's memory and changes nothing. Source: GDB manual, "The GDB Agent
// Expression Mechanism", sections "General Bytecode Design" and "Bytecode Descriptions".
//
// GDB 13 extends every value it loads itself (`reg 0; ext 32`), so loads are zero-extended here and nothing is guessed.
// Trace state variables and floating point are not supported; GDB does not use them in breakpoints. Operations that
// trace are those of a trace only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/debug/console_text.h"
#include "core/debug/trace_records.h"
#include "core/platform/debug_unit.h"

namespace mv::debug {

enum class ExpressionError : std::uint8_t {
  kNone,
  kUnknownOpcode,
  kTruncated,  // the bytes ended before `end`, or within an operand
  kBadOperand,
  kBadJump,
  kStackOverflow,
  kStackUnderflow,
  kTooManySteps,
  kDivisionByZero,
  kBadAddress,   // not the application's to read
  kBadRegister,  // no such register, or the application has none at the moment
  kBadFormat,    // of printf: a conversion that is unknown or has no argument
  kRecordFull,   // of a trace: more than a record holds
};

// A sentence without a full stop, for a person.
const char* describe(ExpressionError error);

// What an expression came to.
struct ExpressionResult {
  ExpressionError error = ExpressionError::kNone;
  bool has_value = false;  // something was on the stack at the end
  std::int64_t value = 0;  // the top of it
};

// Limits of one evaluation. A C condition of GDB takes one step a byte at most, as it never jumps backwards.
inline constexpr std::size_t kExpressionStack = 32;
inline constexpr std::size_t kExpressionSteps = 512;

// Registers are numbered as in mvctl's target description: 0-12, sp, lr, pc, xpsr (16), d0-d15 (17-32), fpscr (33),
// msp, psp, primask, basepri, faultmask, control, msplim, psplim (34-41). Nothing: no such register, or the application
// has none at the moment.
std::optional<std::uint64_t> register_value(const Context& context, std::size_t number);
bool is_double(std::size_t number);  // of 8 bytes; the others have 4

// Evaluates `code`. `memory` must hide breakpoint patches. What the expression prints goes into `console`, between its
// `begin` and `end`; what it traces into `records`, likewise, without which it may not trace.
ExpressionResult evaluate(std::span<const std::uint8_t> code, const Context& context, ApplicationMemory& memory,
                          ConsoleText& console, TraceRecords* records = nullptr);

}  // namespace mv::debug
