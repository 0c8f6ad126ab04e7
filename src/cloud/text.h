// Small pieces of text and bytes that every part of the cloud needs: hex, base64, SHA-256, ids, times, UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace mv::cloud {

// A sentence for a person: what is wrong and what to do next.
using Sentence = std::string;
template <typename T>
using Result = tl::expected<T, Sentence>;

inline tl::unexpected<Sentence> fail(Sentence sentence) { return tl::unexpected<Sentence>(std::move(sentence)); }

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view hex);
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);

// 32 bytes.
std::string sha256(std::string_view bytes);

// Bytes of the system's random generator. Ends the program if there are none: nothing can be kept secret then.
std::string random_bytes(std::size_t count);

// Two letters and 32 hex digits, as the original platform's ids ("KA", "UV", "AC", "TK").
std::string new_sid(std::string_view prefix);
bool is_sid(std::string_view text, std::string_view prefix);

// Compares without giving away where the difference is.
bool equal_in_constant_time(std::string_view a, std::string_view b);

bool is_utf8(std::string_view text);

struct Address {
  std::string host;
  std::uint16_t port;
};

// Takes "HOST:PORT" apart.
Result<Address> split_address(const std::string& text);

// The text with every byte that is not UTF-8 replaced by U+FFFD.
std::string repair_utf8(std::string_view text);

using Microseconds = std::int64_t;  // since 1970-01-01 UTC, or a duration

Microseconds wall_clock();
std::string to_rfc3339(Microseconds time);

// RFC 3339 ("2026-01-02T03:04:05Z", fractions allowed), or a time before now ("-90s", "-15m", "-1h", "-2d").
std::optional<Microseconds> parse_time(std::string_view text, Microseconds now);

// A whole decimal number without sign that fits; nothing else.
std::optional<std::uint64_t> parse_number(std::string_view text);

inline std::string_view as_chars(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace mv::cloud
