// A sentence put together in a fixed buffer: what an AppReport carries to a person. Too long a sentence is cut.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mv::update {

class Sentence {
 public:
  static constexpr std::size_t kSize = 95;  // characters; the message has room for 95 and a NUL

  Sentence() = default;
  Sentence(std::string_view text) { add(text); }  // NOLINT: a text is a sentence

  Sentence& add(std::string_view text) {
    for (const char character : text) {
      if (length_ < kSize) text_[length_++] = character;
    }
    return *this;
  }

  Sentence& add(std::uint32_t number) {
    std::array<char, 10> digits;
    std::size_t at = digits.size();
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return add(std::string_view(digits.data() + at, digits.size() - at));
  }

  std::string_view view() const { return {text_.data(), length_}; }

 private:
  std::array<char, kSize> text_{};
  std::size_t length_ = 0;
};

}  // namespace mv::update
