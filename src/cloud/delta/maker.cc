#include "cloud/delta/maker.h"

#include <algorithm>
#include <optional>

#include "bundle/manifest.h"
#include "delta/encoder.h"

namespace mv::cloud {
namespace {

// What a device has, or is to have: the contents of all layers, one after the other in the manifest's order.
struct Installed {
  std::vector<bundle::Layer> layers;
  std::vector<std::uint32_t> sizes;  // of each layer's content
  std::vector<std::uint8_t> image;
};

Result<std::string> read_blob(const BlobStore& blobs, std::string_view hash, std::uint64_t limit) {
  auto content = read_file(blobs.path_of(hash), limit);
  if (content && sha256(*content) != hash) return fail("the blob " + to_hex(hash) + " is not what its name says");
  return content;
}

// The plain content of an encrypted layer is not known here: zeros hold its place.
Result<std::string> read_layer(const BlobStore& blobs, const bundle::Layer& layer) {
  if (layer.encrypted_with_key_id != 0) return std::string(layer.content_size, '\0');
  auto content = read_blob(blobs, as_chars(layer.fetch_hash.bytes), layer.region.size);
  if (content && layer.content_size != 0 && content->size() != layer.content_size) {
    return fail("the layer " + layer.region.describe() + " has not the size that its manifest says");
  }
  return content;
}

Result<Installed> read_installed(const BlobStore& blobs, std::string_view manifest_hash) {
  const auto encoded = read_blob(blobs, manifest_hash, bundle::Limits().manifest_bytes);
  if (!encoded) return fail(encoded.error());
  const auto manifest = bundle::Manifest::parse(as_bytes(*encoded));
  if (!manifest) return fail(manifest.error().message);
  Installed installed{manifest->body().layers, {}, {}};
  for (const bundle::Layer& layer : installed.layers) {
    const auto content = read_layer(blobs, layer);
    if (!content) return fail(content.error());
    installed.sizes.push_back(static_cast<std::uint32_t>(content->size()));
    const auto bytes = as_bytes(*content);
    installed.image.insert(installed.image.end(), bytes.begin(), bytes.end());
  }
  return installed;
}

bool is_encrypted(const bundle::Layer& layer) { return layer.encrypted_with_key_id != 0; }

// What records may refer to: all of what the device has, or nothing.
Installed read_old(const BlobStore& blobs, std::string_view manifest_hash) {
  if (manifest_hash.empty()) return {};
  auto old = read_installed(blobs, manifest_hash);
  if (!old) return {};
  if (std::ranges::any_of(old->layers, is_encrypted)) old->image.clear();
  return std::move(*old);
}

// Devices check segments by the manifest's hashes, so those must be of the segments that records are for. A bundle of the
// original has none: devices check its layers as a whole.
bool can_be_served(const bundle::Layer& layer) {
  return !is_encrypted(layer) && (layer.segment_hashes.empty() || layer.segment_size == delta::kSegmentSize);
}

DeltaRecords into_layers(const Installed& old, const Installed& wanted, std::vector<delta::Segment> segments) {
  std::vector<DeltaRecords::NewLayer> layers;
  auto next = segments.begin();
  for (std::size_t i = 0; i < wanted.layers.size(); ++i) {
    DeltaRecords::NewLayer layer;
    layer.content_size = wanted.sizes[i];
    layer.served = can_be_served(wanted.layers[i]);
    layer.installed = std::ranges::any_of(
        old.layers, [&](const bundle::Layer& has) { return bundle::same_once_installed(has, wanted.layers[i]); });
    for (std::uint64_t left = layer.content_size; left > 0; ++next) {
      left -= next->size;
      if (layer.served) layer.records.push_back(std::move(next->record));
    }
    layers.push_back(std::move(layer));
  }
  return DeltaRecords::make(layers);
}

}  // namespace

Result<DeltaRecords> make_records(const BlobStore& blobs, const DeltaPair& pair) {
  const auto wanted = read_installed(blobs, pair.to);
  if (!wanted) return fail(wanted.error());
  const Installed old = read_old(blobs, pair.from);
  auto segments = delta::Encoder::create(old.image).and_then(
      [&](const delta::Encoder& encoder) { return encoder.encode(wanted->image, wanted->sizes); });
  if (!segments) return fail(std::string(delta::describe(segments.error())));
  return into_layers(old, *wanted, std::move(*segments));
}

}  // namespace mv::cloud
