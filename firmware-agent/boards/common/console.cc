#include "boards/common/console.h"

#include <array>

namespace mv::board::console {

void write(std::string_view text) {
  for (const char character : text) put(character);
}

void write_line(std::string_view text) {
  write(text);
  write("\r\n");
}

void write_hex(std::uint32_t value) {
  write("0x");
  for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}

void write_decimal(std::uint64_t value) {
  std::array<char, 20> digits{};
  std::size_t at = digits.size();
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  write({&digits[at], digits.size() - at});
}

}  // namespace mv::board::console
