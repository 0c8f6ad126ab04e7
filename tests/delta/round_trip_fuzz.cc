// Two images from anywhere: what the encoder says, the decoder rebuilds. Input: size of the old image (2 bytes), size
// of a piece (1), the old image, the new one.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "delta_rig.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mv::delta;
  if (size < 3) return 0;
  const std::span<const std::uint8_t> bytes(data + 3, size - 3);
  const auto old = bytes.first(std::min(bytes.size(), data[0] + std::size_t{data[1]} * 256));
  const auto image = bytes.subspan(old.size());
  const auto segments = Encoder::create(old).value().encode(image).value();
  if (!std::ranges::equal(rig::decode_image(old, segments, std::size_t{data[2]} + 1), image)) __builtin_trap();
  return 0;
}
