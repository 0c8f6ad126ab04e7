// Raw LZMA1 with the settings of the delta format.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace mv::delta {

// Without an end marker. Nothing if there is no memory.
std::optional<std::vector<std::uint8_t>> compress(std::span<const std::uint8_t> bytes);

// What `compress` made of `size` bytes. Nothing if it made none of exactly so many.
std::optional<std::vector<std::uint8_t>> decompress(std::span<const std::uint8_t> packed, std::size_t size);

}  // namespace mv::delta
