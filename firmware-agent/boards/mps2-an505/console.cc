#include "boards/mps2-an505/console.h"

#include <array>

#include "arch/cortex-m33/registers.h"
#include "boards/mps2-an505/memory.h"

namespace mv::board::console {
namespace {

using arch::reg32;

// CMSDK APB UART (ARM DDI 0479D, 4.3).
constexpr std::uint32_t kData = kConsoleUart, kState = kConsoleUart + 4, kControl = kConsoleUart + 8,
                        kDivider = kConsoleUart + 16;
constexpr std::uint32_t kTransmitFull = 1;
constexpr std::uint32_t kPatience = 200'000;  // looks at a full transmitter before a character is given up

void put(char character) {
  for (std::uint32_t looks = 0; (reg32(kState) & kTransmitFull) != 0; ++looks) {
    if (looks == kPatience) return;  // nobody reads the console, and nobody has to
  }
  reg32(kData) = static_cast<std::uint8_t>(character);
}

}  // namespace

void set_up() {
  reg32(kDivider) = 174;  // 115200 baud of 20 MHz; the emulator ignores it but for its lower bound of 16
  reg32(kControl) = 1;    // transmit
}

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
