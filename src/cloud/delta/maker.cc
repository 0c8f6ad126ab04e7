#include "cloud/delta/maker.h"

#include <algorithm>
#include <optional>

#include "bundle/sealed_layer.h"
#include "delta/encoder.h"

namespace mv::cloud {
namespace {

// What a device has, or is to have: the contents of all layers, one after the other in the manifest's order.
struct Installed {
  std::vector<bundle::Layer> layers;
  std::vector<std::uint32_t> sizes;  // of each layer's content
  std::vector<std::uint8_t> image;
  std::vector<std::vector<std::vector<std::uint8_t>>> sealed;  // of each layer its sealed segments; none if it is plain
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

// Segments of an encrypted layer; none if it is not encrypted as ours are.
Result<std::vector<std::vector<std::uint8_t>>> read_sealed(const BlobStore& blobs, const bundle::Layer& layer) {
  std::vector<std::vector<std::uint8_t>> segments;
  if (layer.encrypted_with_key_id == 0) return segments;
  const auto file = read_blob(blobs, as_chars(layer.fetch_hash.bytes), bundle::most_file_bytes(layer));
  if (!file) return fail(file.error());
  const auto pieces = bundle::sealed_segments(as_bytes(*file), layer.content_size);
  if (!pieces) return segments;
  for (const bundle::Bytes piece : *pieces) segments.emplace_back(piece.begin(), piece.end());
  return segments;
}

Result<Installed> read_installed(const BlobStore& blobs, std::string_view manifest_hash) {
  const auto encoded = read_blob(blobs, manifest_hash, bundle::Limits().manifest_bytes);
  if (!encoded) return fail(encoded.error());
  const auto manifest = bundle::Manifest::parse(as_bytes(*encoded));
  if (!manifest) return fail(manifest.error().message);
  Installed installed{manifest->body().layers, {}, {}, {}};
  for (const bundle::Layer& layer : installed.layers) {
    const auto content = read_layer(blobs, layer);
    if (!content) return fail(content.error());
    auto sealed = read_sealed(blobs, layer);
    if (!sealed) return fail(sealed.error());
    installed.sealed.push_back(std::move(*sealed));
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

// Devices check segments by the manifest's hashes, so those must be of the segments that records are for. A bundle of
// the original has none: devices check its layers as a whole.
bool can_be_served(const bundle::Layer& layer) {
  return !is_encrypted(layer) && (layer.segment_hashes.empty() || layer.segment_size == delta::kSegmentSize);
}

// Which segments of the layer a device has where it wants them.
std::vector<bool> kept_segments(const Installed& old, const bundle::Layer& wanted) {
  std::vector<bool> kept;
  for (std::size_t i = 0; i < wanted.segment_hashes.size(); ++i) {
    kept.push_back(std::ranges::any_of(
        old.layers, [&](const bundle::Layer& has) { return bundle::same_segment_installed(has, wanted, i); }));
  }
  return kept;
}

// The device asks for the sealed segments that it has not: there is nothing to be made of them here.
void take_sealed(const Installed& old, const bundle::Layer& wanted, std::vector<std::vector<std::uint8_t>> segments,
                 DeltaRecords::NewLayer& layer) {
  layer.served = !segments.empty();
  layer.sealed = true;
  layer.kept = kept_segments(old, wanted);
  layer.records = std::move(segments);
}

DeltaRecords into_layers(const Installed& old, Installed wanted, std::vector<delta::Segment> segments) {
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
    if (is_encrypted(wanted.layers[i])) take_sealed(old, wanted.layers[i], std::move(wanted.sealed[i]), layer);
    layers.push_back(std::move(layer));
  }
  return DeltaRecords::make(layers);
}

}  // namespace

Result<DeltaRecords> make_records(const BlobStore& blobs, const DeltaPair& pair) {
  auto wanted = read_installed(blobs, pair.to);
  if (!wanted) return fail(wanted.error());
  const Installed old = read_old(blobs, pair.from);
  auto segments = delta::Encoder::create(old.image).and_then(
      [&](const delta::Encoder& encoder) { return encoder.encode(wanted->image, wanted->sizes); });
  if (!segments) return fail(std::string(delta::describe(segments.error())));
  return into_layers(old, std::move(*wanted), std::move(*segments));
}

}  // namespace mv::cloud
