// What an ESP-AT module says of itself in the middle of the bytes that it passes through.
//
// In transparent mode nothing tells the module's words from the peer's bytes but this: after its words comes silence.
// Pure; no clock. Source: ESP-AT User Guide, "Basic AT Commands", AT+SYSMSG bit 2, and "AT Messages".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mv::link {

// The end of what has come, as far as it reads as the module's words.
struct NoticeSuffix {
  std::size_t size = 0;    // bytes at the end of the window: whole notices, then perhaps the beginning of one
  std::string_view first;  // the first whole one, without its end of line; empty: there is only a beginning
};

NoticeSuffix find_notices(std::span<const std::uint8_t> window);

}  // namespace mv::link
