// The delta format: how one segment of a new image is told to a device that has an old one. docs/delta-format.md.
//
// Numbers that encoder (src/delta) and decoder (firmware-agent/core/update/delta) must agree on, and the arithmetic of
// its varints. Freestanding.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mv::delta {

inline constexpr std::uint8_t kVersion = 1;  // the high half of a record's first byte

// The low half of a record's first byte.
enum class Kind : std::uint8_t {
  kSame = 0,        // the old image's bytes at the same place
  kCopy = 1,        // the old image's bytes at another place
  kDelta = 2,       // operations on the old image, LZMA1
  kCompressed = 3,  // the bytes themselves, LZMA1
  kStored = 4,      // the bytes themselves
};

inline constexpr std::uint32_t kSegmentSize = 32 << 10;  // bytes of output; a layer's last segment may be shorter

// Raw LZMA1, reset with each segment, without an end marker. The sizes are what a device reserves.
inline constexpr std::uint32_t kDictionarySize = 4096;
inline constexpr std::uint32_t kLiteralContextBits = 1;   // lc
inline constexpr std::uint32_t kLiteralPositionBits = 0;  // lp
inline constexpr std::uint32_t kPositionBits = 1;         // pb

// The most operations, in bytes, that a segment of `size` bytes may unpack to. Far above what an encoder makes (it
// would send the segment compressed or stored), and a bound on what a device may be made to work.
constexpr std::uint32_t max_operations(std::uint32_t size) { return 2 * size + 64; }

// Varints: seven bits a byte, lowest first, the last one without its top bit; 32 bits and five bytes at most.
inline constexpr std::size_t kMaxVarint = 5;

// Signed numbers in varints: 0, -1, 1, -2, ... become 0, 1, 2, 3, ...
constexpr std::uint32_t zigzag(std::int32_t number) {
  return (static_cast<std::uint32_t>(number) << 1) ^ (number < 0 ? 0xFFFFFFFFu : 0u);
}
constexpr std::int32_t unzigzag(std::uint32_t coded) {
  return static_cast<std::int32_t>((coded >> 1) ^ (0u - (coded & 1)));
}

}  // namespace mv::delta
