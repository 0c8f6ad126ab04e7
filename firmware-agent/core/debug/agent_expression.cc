#include "core/debug/agent_expression.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/debug/agent_printf.h"

namespace mv::debug {
namespace {

enum class Opcode : std::uint8_t {
  kAdd = 0x02,
  kSub = 0x03,
  kMul = 0x04,
  kDivSigned = 0x05,
  kDivUnsigned = 0x06,
  kRemSigned = 0x07,
  kRemUnsigned = 0x08,
  kShiftLeft = 0x09,
  kShiftRightSigned = 0x0A,
  kShiftRightUnsigned = 0x0B,
  kTrace = 0x0C,
  kTraceQuick = 0x0D,
  kLogNot = 0x0E,
  kBitAnd = 0x0F,
  kBitOr = 0x10,
  kBitXor = 0x11,
  kBitNot = 0x12,
  kEqual = 0x13,
  kLessSigned = 0x14,
  kLessUnsigned = 0x15,
  kExt = 0x16,
  kRef8 = 0x17,
  kRef16 = 0x18,
  kRef32 = 0x19,
  kRef64 = 0x1A,
  kIfGoto = 0x20,
  kGoto = 0x21,
  kConst8 = 0x22,
  kConst16 = 0x23,
  kConst32 = 0x24,
  kConst64 = 0x25,
  kReg = 0x26,
  kEnd = 0x27,
  kDup = 0x28,
  kPop = 0x29,
  kZeroExt = 0x2A,
  kSwap = 0x2B,
  kTraceString = 0x2F,  // tracenz
  kTrace16 = 0x30,
  kPick = 0x32,
  kRot = 0x33,
  kPrintf = 0x34,
};

constexpr std::size_t kFirstDouble = 17, kFpscr = 33, kFirstSystem = 34;  // register numbers
constexpr std::size_t kBits = 64;                                         // of a value
constexpr std::size_t kLongestTracedString = 256;                         // bytes

std::int64_t as_signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t as_unsigned(std::int64_t value) { return static_cast<std::uint64_t>(value); }

class Machine {
 public:
  Machine(std::span<const std::uint8_t> code, const Context& context, ApplicationMemory& memory, ConsoleText& console,
          TraceRecords* records)
      : code_(code), context_(context), memory_(memory), console_(console), records_(records) {}

  ExpressionResult run();

 private:
  bool step(Opcode opcode);
  bool binary(Opcode opcode);
  bool divide(Opcode opcode);
  bool shift(Opcode opcode);
  bool extend(bool with_sign);
  bool load(std::size_t size);
  bool constant(std::size_t size);
  bool push_register();
  bool jump(bool conditional);
  bool pick();
  bool rotate();
  bool print();
  bool trace(Opcode opcode);
  bool record(std::uint64_t address, std::uint64_t size);
  bool trace_known(std::size_t operand_size);
  bool trace_string();

  template <class Value>
  bool operand(std::size_t size, Value& value);
  bool need(std::size_t count) { return depth_ >= count || fail(ExpressionError::kStackUnderflow); }
  bool push(std::uint64_t value);
  std::uint64_t pop() { return stack_[--depth_]; }
  std::uint64_t& top(std::size_t below = 0) { return stack_[depth_ - 1 - below]; }
  bool fail(ExpressionError error) {
    error_ = error;
    return false;
  }

  std::span<const std::uint8_t> code_;
  const Context& context_;
  ApplicationMemory& memory_;
  ConsoleText& console_;
  TraceRecords* records_;  // may be null
  std::array<std::uint64_t, kExpressionStack> stack_;
  std::size_t depth_ = 0;
  std::size_t at_ = 0;  // the next byte of code_
  ExpressionError error_ = ExpressionError::kNone;
};

ExpressionResult Machine::run() {
  for (std::size_t steps = 0; steps < kExpressionSteps; ++steps) {
    if (at_ >= code_.size()) return {.error = ExpressionError::kTruncated};
    const Opcode opcode{code_[at_++]};
    if (opcode == Opcode::kEnd) return {.has_value = depth_ != 0, .value = depth_ != 0 ? as_signed(top()) : 0};
    if (!step(opcode)) return {.error = error_};
  }
  return {.error = ExpressionError::kTooManySteps};
}

bool Machine::step(Opcode opcode) {
  switch (opcode) {
    case Opcode::kAdd:
    case Opcode::kSub:
    case Opcode::kMul:
    case Opcode::kBitAnd:
    case Opcode::kBitOr:
    case Opcode::kBitXor:
    case Opcode::kEqual:
    case Opcode::kLessSigned:
    case Opcode::kLessUnsigned:
      return binary(opcode);
    case Opcode::kDivSigned:
    case Opcode::kDivUnsigned:
    case Opcode::kRemSigned:
    case Opcode::kRemUnsigned:
      return divide(opcode);
    case Opcode::kShiftLeft:
    case Opcode::kShiftRightSigned:
    case Opcode::kShiftRightUnsigned:
      return shift(opcode);
    case Opcode::kLogNot:
      return need(1) && (top() = top() == 0 ? 1 : 0, true);
    case Opcode::kBitNot:
      return need(1) && (top() = ~top(), true);
    case Opcode::kExt:
      return extend(true);
    case Opcode::kZeroExt:
      return extend(false);
    case Opcode::kRef8:
      return load(1);
    case Opcode::kRef16:
      return load(2);
    case Opcode::kRef32:
      return load(4);
    case Opcode::kRef64:
      return load(8);
    case Opcode::kConst8:
      return constant(1);
    case Opcode::kConst16:
      return constant(2);
    case Opcode::kConst32:
      return constant(4);
    case Opcode::kConst64:
      return constant(8);
    case Opcode::kReg:
      return push_register();
    case Opcode::kIfGoto:
      return jump(true);
    case Opcode::kGoto:
      return jump(false);
    case Opcode::kDup:
      return need(1) && push(top());
    case Opcode::kPop:
      return need(1) && (pop(), true);
    case Opcode::kSwap:
      return need(2) && (std::swap(top(), top(1)), true);
    case Opcode::kPick:
      return pick();
    case Opcode::kRot:
      return rotate();
    case Opcode::kPrintf:
      return print();
    case Opcode::kTrace:
    case Opcode::kTraceQuick:
    case Opcode::kTrace16:
    case Opcode::kTraceString:
      return records_ != nullptr ? trace(opcode) : fail(ExpressionError::kUnknownOpcode);
    case Opcode::kEnd:
      break;
  }
  return fail(ExpressionError::kUnknownOpcode);
}

bool Machine::binary(Opcode opcode) {
  if (!need(2)) return false;
  const std::uint64_t b = pop();
  std::uint64_t& a = top();
  switch (opcode) {
    case Opcode::kAdd:
      return a += b, true;
    case Opcode::kSub:
      return a -= b, true;
    case Opcode::kMul:
      return a *= b, true;
    case Opcode::kBitAnd:
      return a &= b, true;
    case Opcode::kBitOr:
      return a |= b, true;
    case Opcode::kBitXor:
      return a ^= b, true;
    case Opcode::kEqual:
      return a = a == b ? 1 : 0, true;
    case Opcode::kLessSigned:
      return a = as_signed(a) < as_signed(b) ? 1 : 0, true;
    default:  // kLessUnsigned
      return a = a < b ? 1 : 0, true;
  }
}

// The one signed division that does not fit wraps around, as the negation does.
bool Machine::divide(Opcode opcode) {
  if (!need(2)) return false;
  const std::uint64_t b = pop();
  std::uint64_t& a = top();
  if (b == 0) return fail(ExpressionError::kDivisionByZero);
  const bool wraps = as_signed(a) == std::numeric_limits<std::int64_t>::min() && as_signed(b) == -1;
  switch (opcode) {
    case Opcode::kDivSigned:
      return a = wraps ? a : as_unsigned(as_signed(a) / as_signed(b)), true;
    case Opcode::kRemSigned:
      return a = wraps ? 0 : as_unsigned(as_signed(a) % as_signed(b)), true;
    case Opcode::kDivUnsigned:
      return a /= b, true;
    default:  // kRemUnsigned
      return a %= b, true;
  }
}

// By 64 or more, all bits are gone but the sign.
bool Machine::shift(Opcode opcode) {
  if (!need(2)) return false;
  const std::uint64_t count = pop();
  std::uint64_t& a = top();
  if (opcode == Opcode::kShiftRightSigned) {
    a = as_unsigned(as_signed(a) >> (count < kBits ? count : kBits - 1));
  } else if (count >= kBits) {
    a = 0;
  } else {
    a = opcode == Opcode::kShiftLeft ? a << count : a >> count;
  }
  return true;
}

// Operands are big-endian.
template <class Value>
bool Machine::operand(std::size_t size, Value& value) {
  if (size > code_.size() - at_) return fail(ExpressionError::kTruncated);
  value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | code_[at_++];
  return true;
}

bool Machine::extend(bool with_sign) {
  std::size_t bits = 0;
  if (!operand(1, bits) || !need(1)) return false;
  if (bits == 0) return fail(ExpressionError::kBadOperand);
  if (bits >= kBits) return true;
  const std::size_t unused = kBits - bits;
  top() <<= unused;
  top() = with_sign ? as_unsigned(as_signed(top()) >> unused) : top() >> unused;
  return true;
}

bool Machine::load(std::size_t size) {
  if (!need(1)) return false;
  std::array<std::uint8_t, 8> bytes{};
  if (!memory_.read(static_cast<std::uint32_t>(top()), std::span(bytes).first(size))) {
    return fail(ExpressionError::kBadAddress);
  }
  top() = 0;
  for (std::size_t i = 0; i < size; ++i) top() |= std::uint64_t{bytes[i]} << (8 * i);
  return true;
}

bool Machine::constant(std::size_t size) {
  std::uint64_t value = 0;
  return operand(size, value) && push(value);
}

bool Machine::push_register() {
  std::size_t number = 0;
  if (!operand(2, number)) return false;
  const auto value = register_value(context_, number);
  return value ? push(*value) : fail(ExpressionError::kBadRegister);
}

bool Machine::jump(bool conditional) {
  std::size_t target = 0;
  if (!operand(2, target) || (conditional && !need(1))) return false;
  if (conditional && pop() == 0) return true;
  if (target >= code_.size()) return fail(ExpressionError::kBadJump);
  at_ = target;
  return true;
}

bool Machine::pick() {
  std::size_t below = 0;
  return operand(1, below) && need(below + 1) && push(top(below));
}

// a b c becomes c a b.
bool Machine::rotate() {
  if (!need(3)) return false;
  const std::uint64_t c = top();
  top() = top(1);
  top(1) = top(2);
  top(2) = c;
  return true;
}

// The format stands in the code; the function and the channel, which mean nothing here, and the arguments on the stack,
// the first one uppermost.
bool Machine::print() {
  std::size_t count = 0, size = 0;
  if (!operand(1, count) || !operand(2, size)) return false;
  if (size > code_.size() - at_) return fail(ExpressionError::kTruncated);
  const auto format = code_.subspan(at_, size);
  at_ += size;
  if (size == 0 || format.back() != 0) return fail(ExpressionError::kBadFormat);
  if (!need(count + 2)) return false;
  depth_ -= 2;
  std::array<std::uint64_t, kExpressionStack> arguments;
  for (std::size_t i = 0; i < count; ++i) arguments[i] = pop();
  const ExpressionError error =
      print_formatted(format.first(size - 1), std::span(arguments).first(count), memory_, console_);
  return error == ExpressionError::kNone || fail(error);
}

bool Machine::trace(Opcode opcode) {
  switch (opcode) {
    case Opcode::kTraceQuick:
      return trace_known(1);
    case Opcode::kTrace16:
      return trace_known(2);
    case Opcode::kTraceString:
      return trace_string();
    default:  // kTrace
      return need(2) && (depth_ -= 2, record(stack_[depth_], stack_[depth_ + 1]));
  }
}

bool Machine::record(std::uint64_t address, std::uint64_t size) {
  switch (records_->put_memory(memory_, static_cast<std::uint32_t>(address), static_cast<std::size_t>(size))) {
    case TraceRecords::Put::kUnreadable:
      return fail(ExpressionError::kBadAddress);
    case TraceRecords::Put::kNoRoom:
      return fail(ExpressionError::kRecordFull);
    case TraceRecords::Put::kDone:
      break;
  }
  return true;
}

// The size stands in the code, and the address stays on the stack.
bool Machine::trace_known(std::size_t operand_size) {
  std::size_t size = 0;
  return operand(operand_size, size) && need(1) && record(top(), size);
}

// Up to its NUL, with it, or to the most that is wanted.
bool Machine::trace_string() {
  if (!need(2)) return false;
  const std::uint64_t most = std::min<std::uint64_t>(pop(), kLongestTracedString);
  const auto address = static_cast<std::uint32_t>(pop());
  std::uint32_t size = 0;
  for (std::array<std::uint8_t, 1> byte{1}; size < most && byte[0] != 0; ++size) {
    if (!memory_.read(address + size, byte)) break;
  }
  return record(address, size);
}

bool Machine::push(std::uint64_t value) {
  if (depth_ == stack_.size()) return fail(ExpressionError::kStackOverflow);
  stack_[depth_++] = value;
  return true;
}

}  // namespace

const char* describe(ExpressionError error) {
  switch (error) {
    case ExpressionError::kNone:
      return "no error";
    case ExpressionError::kUnknownOpcode:
      return "it uses an operation that the device does not know";
    case ExpressionError::kTruncated:
      return "its end is missing";
    case ExpressionError::kBadOperand:
      return "an operand makes no sense";
    case ExpressionError::kBadJump:
      return "it jumps out of itself";
    case ExpressionError::kStackOverflow:
      return "it is nested too deep";
    case ExpressionError::kStackUnderflow:
      return "an operation lacks its operands";
    case ExpressionError::kTooManySteps:
      return "it takes too long";
    case ExpressionError::kDivisionByZero:
      return "division by zero";
    case ExpressionError::kBadAddress:
      return "an address is not memory of the application";
    case ExpressionError::kBadRegister:
      return "a register is not available";
    case ExpressionError::kBadFormat:
      return "its format has a conversion that the device does not know, or too few arguments";
    case ExpressionError::kRecordFull:
      return "a record has no room for so much";
  }
  return "unknown error";
}

std::optional<std::uint64_t> register_value(const Context& context, std::size_t number) {
  if (number < context.core.size()) return context.core[number];
  if (is_double(number) && context.has_fp) {
    const std::size_t low = 2 * (number - kFirstDouble);
    return context.fp[low] | std::uint64_t{context.fp[low + 1]} << 32;
  }
  if (number == kFpscr && context.has_fp) return context.fp.back();
  const std::size_t system = number - kFirstSystem;  // wraps to a big number below it
  if (system < context.system.size()) return context.system[system];
  return std::nullopt;
}

bool is_double(std::size_t number) { return number >= kFirstDouble && number < kFpscr; }

ExpressionResult evaluate(std::span<const std::uint8_t> code, const Context& context, ApplicationMemory& memory,
                          ConsoleText& console, TraceRecords* records) {
  return Machine(code, context, memory, console, records).run();
}

}  // namespace mv::debug
