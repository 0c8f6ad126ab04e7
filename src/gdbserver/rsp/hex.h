// Hexadecimal as RSP writes it: lower case out, either case in.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mv::rsp {

using Bytes = std::vector<std::uint8_t>;

// The value of two hex digits; nothing if either is none.
std::optional<std::uint8_t> hex_byte(char high, char low);

void append_hex_byte(std::string& out, std::uint8_t byte);
std::string to_hex(std::span<const std::uint8_t> bytes);
std::string to_hex(std::string_view text);

// Bytes from pairs of digits; nothing if the count is odd or a digit is none.
std::optional<Bytes> from_hex(std::string_view digits);

// A number of 1 to 16 digits, most significant first, taken from the front of `text`, which is advanced past it.
// Nothing if there is no digit, or more than `max_digits`.
std::optional<std::uint64_t> take_hex(std::string_view& text, std::size_t max_digits = 16);

// A whole string that is one 32-bit number.
std::optional<std::uint32_t> hex_u32(std::string_view text);

// An address or a length as `m`, `Z` and the like write them: at least one digit, no more digits than needed.
std::string hex_number(std::uint64_t value);

}  // namespace mv::rsp
