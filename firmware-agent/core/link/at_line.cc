#include "core/link/at_line.h"

namespace mv::link {
namespace {

bool printable(std::uint8_t byte) { return byte >= 0x20 && byte < 0x7F; }

}  // namespace

std::optional<std::string_view> LineReader::push(std::uint8_t byte) {
  if (handed_out_) clear();
  if (byte == '\r') return std::nullopt;
  if (byte == '\n') {
    if (bad_ || length_ == 0) {
      clear();
      return std::nullopt;
    }
    handed_out_ = true;
    return std::string_view(buffer_.data(), length_);
  }
  if (!printable(byte) || length_ == buffer_.size()) bad_ = true;
  if (!bad_) buffer_[length_++] = static_cast<char>(byte);
  return std::nullopt;
}

void LineReader::clear() {
  length_ = 0;
  bad_ = false;
  handed_out_ = false;
}

bool LineParser::take(std::string_view text) {
  if (!rest_.starts_with(text)) return false;
  rest_.remove_prefix(text.size());
  return true;
}

std::optional<std::uint32_t> LineParser::number() {
  constexpr std::size_t kMaxDigits = 9;
  std::uint32_t value = 0;
  std::size_t digits = 0;
  while (digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9') {
    if (digits == kMaxDigits) return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(rest_[digits++] - '0');
  }
  if (digits == 0) return std::nullopt;
  rest_.remove_prefix(digits);
  return value;
}

}  // namespace mv::link
