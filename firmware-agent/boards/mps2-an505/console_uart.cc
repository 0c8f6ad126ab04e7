#include <cstdint>

#include "arch/cortex-m33/registers.h"
#include "boards/common/console.h"
#include "boards/mps2-an505/memory.h"

namespace mv::board::console {
namespace {

using arch::reg32;

// CMSDK APB UART (ARM DDI 0479D, 4.3).
constexpr std::uint32_t kData = kConsoleUart, kState = kConsoleUart + 4, kControl = kConsoleUart + 8,
                        kDivider = kConsoleUart + 16;
constexpr std::uint32_t kTransmitFull = 1;
constexpr std::uint32_t kPatience = 200'000;  // looks at a full transmitter before a character is given up

}  // namespace

void set_up() {
  reg32(kDivider) = 174;  // 115200 baud of 20 MHz; the emulator ignores it but for its lower bound of 16
  reg32(kControl) = 1;    // transmit
}

void put(char character) {
  for (std::uint32_t looks = 0; (reg32(kState) & kTransmitFull) != 0; ++looks) {
    if (looks == kPatience) return;  // nobody reads the console, and nobody has to
  }
  reg32(kData) = static_cast<std::uint8_t>(character);
}

bool put_now(char character) {
  if ((reg32(kState) & kTransmitFull) != 0) return false;
  reg32(kData) = static_cast<std::uint8_t>(character);
  return true;
}

}  // namespace mv::board::console
