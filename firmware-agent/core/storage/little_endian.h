// Little-endian numbers in byte arrays, as records in flash hold them.
#pragma once

#include <cstdint>
#include <span>

namespace mv::storage {

inline std::uint32_t load_u32(std::span<const std::uint8_t, 4> bytes) {
  return static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8U |
         static_cast<std::uint32_t>(bytes[2]) << 16U | static_cast<std::uint32_t>(bytes[3]) << 24U;
}

inline void store_u32(std::span<std::uint8_t, 4> bytes, std::uint32_t value) {
  for (std::uint32_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8U * i));
}

}  // namespace mv::storage
