// The application's area cut into blocks, as a bundle's layers cut it: what is fetched, sealed, installed and undone as
// one.
//
// Block n of a layer is bytes [n * 32 KiB, (n + 1) * 32 KiB) of its region, the last one shorter; where the layer has
// content, it is the layer's segment n. Blocks of all layers are numbered in one row. No two share a page.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/update/manifest.h"
#include "wire/delta_format.h"

namespace mv::update {

// Content of each layer, bytes; 0: not known yet.
using ContentSizes = std::array<std::uint32_t, kMaxLayers>;

struct Block {
  std::uint8_t index;     // in the bundle, 0 to kMaxBlocks - 1
  std::uint8_t segment;   // in the layer
  std::uint32_t offset;   // from the start of the application's area, a multiple of a page
  std::uint32_t size;     // bytes of the region
  std::uint32_t content;  // bytes of the layer's content in it; what follows is 0xFF
  std::uint32_t place;    // of that content in the image that the layers' contents make, one after the other
};

inline constexpr std::uint32_t kBlockSize = mv::delta::kSegmentSize;
inline constexpr std::uint8_t kMaxBlocks = kMaxSegments;

constexpr std::uint8_t blocks_of(const Layer& layer) {
  return static_cast<std::uint8_t>((layer.size + kBlockSize - 1) / kBlockSize);
}

// Blocks of one layer, in order. Valid as long as the manifest.
class LayerBlocks {
 public:
  LayerBlocks(const Manifest& manifest, std::size_t layer, const ContentSizes& sizes)
      : layer_(manifest.layers[layer]), content_(sizes[layer]) {
    for (std::size_t i = 0; i < layer; ++i) {
      first_ = static_cast<std::uint8_t>(first_ + blocks_of(manifest.layers[i]));
      place_ += sizes[i];
    }
  }

  std::uint8_t count() const { return blocks_of(layer_); }

  Block operator[](std::uint8_t segment) const {
    const std::uint32_t start = segment * kBlockSize;
    return {static_cast<std::uint8_t>(first_ + segment),
            segment,
            layer_.start + start,
            std::min(kBlockSize, layer_.size - start),
            std::min(kBlockSize, content_ - std::min(content_, start)),
            place_ + start};
  }

 private:
  const Layer& layer_;
  std::uint32_t content_;
  std::uint8_t first_ = 0;   // index of the layer's first block
  std::uint32_t place_ = 0;  // of its content
};

}  // namespace mv::update
