// A manifest from anywhere: parsed or refused, never a crash.
#include <cstddef>
#include <cstdint>

#include "core/update/manifest.h"
#include "core/update/update_rig.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mv::update::rig::set_up_crypto();
  static mv::update::rig::AcceptAll signatures;
  static mv::update::ManifestScratch scratch;
  static mv::update::Manifest manifest;
  pb_istream_t stream = pb_istream_from_buffer(data, size);
  const auto parsed = mv::update::parse_manifest(stream, {}, {signatures, "mps2-an505"}, scratch, manifest);
  if (!parsed) return 0;
  // What was accepted lies within the application's flash, page by page.
  for (std::size_t i = 0; i < manifest.layer_count; ++i) {
    const auto& layer = manifest.layers[i];
    if (layer.start + std::uint64_t{layer.size} > mv::flash_map::kApplication.size) __builtin_trap();
    if (layer.content_size > layer.size) __builtin_trap();
  }
  return 0;
}
