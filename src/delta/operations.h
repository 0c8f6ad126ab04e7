// Pieces -> the operations of a delta segment, as docs/delta-format.md has them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "delta/matcher.h"

namespace mv::delta {

// The pieces of `whole` within [place, place + size), cut at its ends.
std::vector<Piece> cut(std::span<const Piece> whole, std::uint32_t place, std::uint32_t size);

// The operations that make `pieces`, which cover one segment of `image`, from `old`.
std::vector<std::uint8_t> operations(std::vector<Piece> pieces, std::span<const std::uint8_t> old,
                                     std::span<const std::uint8_t> image);

void put_varint(std::vector<std::uint8_t>& out, std::uint32_t number);

}  // namespace mv::delta
