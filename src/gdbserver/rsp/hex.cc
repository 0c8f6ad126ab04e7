#include "gdbserver/rsp/hex.h"

#include <charconv>
#include <limits>

namespace mv::rsp {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

std::optional<std::uint8_t> digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

std::optional<std::uint8_t> hex_byte(char high, char low) {
  const auto h = digit(high);
  const auto l = digit(low);
  if (!h || !l) return std::nullopt;
  return static_cast<std::uint8_t>(*h << 4 | *l);
}

void append_hex_byte(std::string& out, std::uint8_t byte) {
  out += kDigits[byte >> 4];
  out += kDigits[byte & 0xf];
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) append_hex_byte(out, byte);
  return out;
}

std::string to_hex(std::string_view text) {
  return to_hex(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

std::optional<Bytes> from_hex(std::string_view digits) {
  if (digits.size() % 2 != 0) return std::nullopt;
  Bytes out;
  out.reserve(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const auto byte = hex_byte(digits[i], digits[i + 1]);
    if (!byte) return std::nullopt;
    out.push_back(*byte);
  }
  return out;
}

std::optional<std::uint64_t> take_hex(std::string_view& text, std::size_t max_digits) {
  std::uint64_t value = 0;
  std::size_t count = 0;
  while (count < text.size()) {
    const auto d = digit(text[count]);
    if (!d) break;
    if (++count > max_digits) return std::nullopt;
    value = value << 4 | *d;
  }
  if (count == 0) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

std::optional<std::uint32_t> hex_u32(std::string_view text) {
  const auto value = take_hex(text);
  if (!value || !text.empty() || *value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::string hex_number(std::uint64_t value) {
  char buffer[16];
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), value, 16);
  return std::string(std::begin(buffer), end.ptr);
}

}  // namespace mv::rsp
