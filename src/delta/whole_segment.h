// Records of segments that need no old image (docs/delta-format.md: compressed, stored), taken apart on the host.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace mv::delta {

// The segment of `size` bytes (at most kSegmentSize) that the record is of. Nothing if it is damaged, of another size,
// or needs an old image.
std::optional<std::vector<std::uint8_t>> unpack_whole(std::span<const std::uint8_t> record, std::uint32_t size);

}  // namespace mv::delta
