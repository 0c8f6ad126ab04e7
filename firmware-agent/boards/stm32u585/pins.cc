#include "boards/stm32u585/pins.h"

#include <cstdint>

#include "boards/stm32u585/registers.h"

namespace mv::board {
namespace {

constexpr std::uint32_t kOutput = 16;  // in place of an alternate function
constexpr std::uint32_t kLedPort = gpio::port('H'), kLedPin = 6;

struct Pin {
  char port;
  std::uint32_t number, function;
};

constexpr Pin kPins[] = {
#define OURS(name, controller, word, bit, use)
#define OUR_CHANNEL(name, number, use)
#define OUR_PIN(port, number, function, use) {#port[0], number, function},
#include "boards/stm32u585/ownership.def"
#undef OUR_PIN
#undef OUR_CHANNEL
#undef OURS
};

void set_up(const Pin& pin) {
  const std::uint32_t port = gpio::port(pin.port), shift = 2 * pin.number;
  const bool output = pin.function == kOutput;
  if (!output) {
    const std::uint32_t nibble = pin.number % 8 * 4;
    write_field(port + gpio::kAlternate + pin.number / 8 * 4, 0xfU << nibble, pin.function << nibble);
  } else {
    reg32(port + gpio::kSet) = 1U << pin.number;
  }
  write_field(port + gpio::kSpeed, 3U << shift, (output ? 0U : 2U) << shift);
  write_field(port + gpio::kMode, 3U << shift, (output ? 1U : 2U) << shift);
}

}  // namespace

void set_up_pins() {
  for (char letter = 'A'; letter <= 'I'; ++letter) {
    std::uint32_t ours = 0;
    for (const Pin& pin : kPins) {
      if (pin.port == letter) ours |= 1U << pin.number;
    }
    reg32(gpio::port(letter) + gpio::kSecurity) = ours;
  }
  for (const Pin& pin : kPins) set_up(pin);
}

void set_system_led(bool on) { reg32(kLedPort + gpio::kSet) = 1U << (on ? kLedPin + 16 : kLedPin); }

}  // namespace mv::board
