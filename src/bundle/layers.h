// Image -> layers: what of it goes into which region of the board's flash.
#pragma once

#include <vector>

#include "bundle/board.h"
#include "bundle/image.h"
#include "bundle/manifest.h"

namespace mv::bundle {

struct LayerContent {
  Layer layer;
  std::vector<std::uint8_t> content;
};

inline constexpr std::uint32_t kLayerSize = 64 << 10;    // a lost connection costs one layer at most
inline constexpr std::uint32_t kSegmentSize = 32 << 10;  // unit of delta updates
inline constexpr std::uint32_t kPageSize = 8 << 10;      // regions are whole flash pages

// Cuts the used part of each area into layers on multiples of kLayerSize (of a larger power of two if a device would
// not take so many). Gaps within a layer are filled with 0xFF, layers without content are left out.
//
// Errors: kOutsideArea (names section, address, areas), kTooBig (by how much), kBadInput (vector table).
Expected<std::vector<LayerContent>> make_layers(const Image& image, const Board& board);

// Whether the image can start on the board: at the start of flash an initial stack pointer that is in RAM, and a reset
// vector that is Thumb and points into the image.
Expected<void> check_vector_table(const Image& image, const Board& board);

}  // namespace mv::bundle
