// Any bytes as a bundle: the zip around it, its manifest, its layers.
#include <cstddef>
#include <cstdint>

#include "bundle/bundle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mv::bundle;
  const auto bundle = Bundle::parse(Bytes(data, size));
  if (!bundle) return 0;
  const auto ignore = [](Bytes) -> Expected<void> { return {}; };
  for (const Layer& layer : bundle->manifest().body().layers) {
    if (!bundle->read_layer(layer, ignore)) __builtin_trap();  // it was checked a moment ago
  }
  if (!bundle->encode_with(bundle->manifest())) __builtin_trap();
  return 0;
}
