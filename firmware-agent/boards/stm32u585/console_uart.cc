#include <cstdint>

#include "boards/common/console.h"
#include "boards/stm32u585/memory.h"
#include "boards/stm32u585/registers.h"

namespace mv::board::console {
namespace {

constexpr std::uint32_t kConsole = usart::kUsart1;
constexpr std::uint32_t kBaudRate = 115'200;
constexpr std::uint32_t kPatience = 200'000;  // looks at a full transmitter before a character is given up

}  // namespace

void set_up() {
  usart::disable(kConsole);
  reg32(kConsole + usart::kBaud) = kCoreClock / kBaudRate;
  usart::enable(kConsole, usart::kFifo | usart::kTransmitterOn);
}

void put(char character) {
  for (std::uint32_t looks = 0; (reg32(kConsole + usart::kStatus) & usart::kTransmitRoom) == 0; ++looks) {
    if (looks == kPatience) return;  // nobody reads the console, and nobody has to
  }
  reg32(kConsole + usart::kTransmit) = static_cast<std::uint8_t>(character);
}

bool put_now(char character) {
  if ((reg32(kConsole + usart::kStatus) & usart::kTransmitRoom) == 0) return false;
  reg32(kConsole + usart::kTransmit) = static_cast<std::uint8_t>(character);
  return true;
}

}  // namespace mv::board::console
