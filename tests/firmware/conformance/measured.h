// Items that read or measure something that a person wants to see: the number stands in the table with what it should
// be and where that is written. Such an item is an ITEM like any other, and calls one of these as the last thing it
// does.
//
//   ITEM("RM0456 7.9.13 FLASH_OPTR", "TZEN is 1") { read_back(reg(kOptions) >> 31, exactly(1), "RM0456 7.9.13"); }
#pragma once

#include <cstdint>

#include "conformance.h"

namespace conformance {

struct Range {
  std::uint32_t low, high;  // both are right
};
constexpr Range exactly(std::uint32_t value) { return {value, value}; }

// A value of a register, told in hexadecimal. The item fails if it is not in `expected`.
void read_back(std::uint32_t found, Range expected, const char* source);

// A number of `unit`s.
void counted(std::uint32_t found, Range expected, const char* unit, const char* source);

// The same of what only silicon has, as a time: on the model it is told, not judged.
void timed(std::uint32_t found, Range expected, const char* unit, const char* source);

// What each chip or board has of its own: told, not judged.
void told(const char* found, const char* source);
void told(std::uint32_t found, const char* source);

// The item is about a reset that comes from now on: it holds if RCC_CSR has the flag `cause` then, and is not to end without.
void expect_reset(std::uint32_t cause);

// An external interrupt as its handler saw it; the handler disables it. Cleared before each item.
struct Interrupt {
  std::uint32_t count;
  std::uint32_t number;  // as the vector table counts, from 0 for the first external one
  std::uint32_t cycle;   // CYCCNT, read by the handler's first instructions
};
extern volatile Interrupt interrupt;

}  // namespace conformance
