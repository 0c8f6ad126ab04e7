// Puts a command's text together, in a buffer of bounded size.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mv::link {

// What does not fit is left out, which no caller's text reaches.
class TextWriter {
 public:
  explicit TextWriter(std::span<char> out) : out_(out) {}

  TextWriter& add(std::string_view text) {
    const std::size_t count = std::min(text.size(), out_.size() - size_);
    std::copy_n(text.begin(), count, out_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += count;
    return *this;
  }

  TextWriter& add(std::uint32_t number) {
    std::array<char, 10> digits{};
    std::size_t at = digits.size();
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return add({digits.data() + at, digits.size() - at});
  }

  std::size_t size() const { return size_; }

 private:
  std::span<char> out_;
  std::size_t size_ = 0;
};

}  // namespace mv::link
