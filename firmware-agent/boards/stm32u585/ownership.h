// The channels of ownership.def.
#pragma once

#include <cstdint>

namespace mv::board {

#define OURS(name, controller, word, bit, use)
#define OUR_CHANNEL(name, number, use) inline constexpr std::uint32_t name = number;
#define OUR_PIN(port, number, function, use)
#include "boards/stm32u585/ownership.def"
#undef OUR_PIN
#undef OUR_CHANNEL
#undef OURS

}  // namespace mv::board
