// Any bytes as a bundle: the zip around it, its manifest, its layers, what is encrypted in them.
#include <array>
#include <cstddef>
#include <cstdint>

#include "bundle/bundle.h"

namespace {

// The private half of the key that encrypted.zip of the corpus is for. It protects nothing.
constexpr std::array<std::uint8_t, 32> kReader = {0xcd, 0x33, 0x98, 0x54, 0xd1, 0x96, 0x0c, 0x4e, 0x88, 0xf1, 0xb8,
                                                  0xd1, 0x17, 0x6b, 0xd8, 0x85, 0xd7, 0xcd, 0x5a, 0xb0, 0x40, 0xb2,
                                                  0x68, 0x99, 0x30, 0xde, 0x77, 0xd4, 0xca, 0x05, 0xc7, 0x33};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mv::bundle;
  const auto bundle = Bundle::parse(Bytes(data, size));
  if (!bundle) return 0;
  const auto ignore = [](Bytes) -> Expected<void> { return {}; };
  for (const Layer& layer : bundle->manifest().body().layers) {
    if (!bundle->read_layer(layer, ignore)) __builtin_trap();  // it was checked a moment ago
  }
  static const auto reader = *PrivateKey::from_scalar(kReader);
  (void)bundle->decrypt(reader);  // opened or refused: what is sealed only the key's owner can tell
  if (!bundle->encode_with(bundle->manifest())) __builtin_trap();
  return 0;
}
