// Raw LZMA1 with the settings of the delta format.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace mv::delta {

// Without an end marker. Nothing if there is no memory.
std::optional<std::vector<std::uint8_t>> compress(std::span<const std::uint8_t> bytes);

}  // namespace mv::delta
