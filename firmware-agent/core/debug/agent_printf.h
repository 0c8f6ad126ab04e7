// The printf of agent expressions (dprintf): a C format with 64-bit arguments, strings read from the application.
//
// Escapes in the format are not resolved by GDB, so they are here: \a \b \e \f \n \r \t \v \\ \" \' and octal digits.
// Conversions d i u o x X c p s %, flags - 0 + space #, width, precision, lengths hh h l ll j z t. Strings are cut at
// kLongestString bytes. Source: GDB manual, "Bytecode Descriptions", printf; ISO C11 7.21.6.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/debug/agent_expression.h"
#include "core/debug/console_text.h"
#include "core/platform/debug_unit.h"

namespace mv::debug {

inline constexpr std::size_t kLongestString = 128;  // bytes of one %s
inline constexpr std::size_t kWidestField = 128;    // wider ones, and larger precisions, are an error

// Prints into `console`, which the caller has begun. Errors: kBadFormat, kBadAddress.
ExpressionError print_formatted(std::span<const std::uint8_t> format, std::span<const std::uint64_t> arguments,
                                ApplicationMemory& memory, ConsoleText& console);

}  // namespace mv::debug
