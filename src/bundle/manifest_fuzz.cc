// Any bytes as a manifest; one that reads reads again from its own bytes, and verifies by no key at all.
#include <cstddef>
#include <cstdint>

#include "bundle/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mv::bundle;
  const auto manifest = Manifest::parse(Bytes(data, size));
  if (!manifest) return 0;
  if (manifest->verify({})) __builtin_trap();
  if (!Manifest::parse(manifest->encoded())) __builtin_trap();
  return 0;
}
