#include "cli/bundle_diff.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "bundle/sealed_layer.h"
#include "cli/bundle_text.h"
#include "cli/key_store.h"

namespace mv::cli {
namespace {

using Json = nlohmann::ordered_json;
using Image = std::vector<std::uint8_t>;

bool is_encrypted(const bundle::Layer& layer) { return layer.encrypted_with_key_id != 0; }

// Zeros hold the place of what is encrypted.
tl::expected<void, Failure> add_layer(const bundle::Bundle& from, const bundle::Layer& layer, Image& image) {
  if (is_encrypted(layer)) {
    image.resize(image.size() + layer.content_size);
    return {};
  }
  const auto read = from.read_layer(layer, [&](bundle::Bytes piece) -> bundle::Expected<void> {
    image.insert(image.end(), piece.begin(), piece.end());
    return {};
  });
  if (!read) return tl::unexpected(to_failure(read.error()));
  return {};
}

bool is_installed(const bundle::Bundle& old, const bundle::Layer& layer) {
  return std::ranges::any_of(old.manifest().body().layers,
                             [&](const bundle::Layer& has) { return bundle::same_once_installed(has, layer); });
}

// The segments as they are sealed; those that a device with the old bundle has do not come.
tl::expected<std::vector<SegmentDiff>, Failure> sealed_segments(const bundle::Bundle& old, const bundle::Bundle& wanted,
                                                                const bundle::Layer& layer) {
  Image file;
  const auto read = wanted.read_layer(layer, [&](bundle::Bytes piece) -> bundle::Expected<void> {
    file.insert(file.end(), piece.begin(), piece.end());
    return {};
  });
  if (!read) return tl::unexpected(to_failure(read.error()));
  const auto pieces = bundle::sealed_segments(file, layer.content_size);
  if (!pieces) return tl::unexpected(to_failure(pieces.error()));
  std::vector<SegmentDiff> segments;
  for (std::size_t i = 0; i < pieces->size(); ++i) {
    const bool kept = std::ranges::any_of(old.manifest().body().layers, [&](const bundle::Layer& has) {
      return bundle::same_segment_installed(has, layer, i);
    });
    const auto begin = static_cast<std::uint32_t>(i) * delta::kSegmentSize;
    segments.push_back({std::min(delta::kSegmentSize, layer.content_size - begin), kept ? "same" : "sealed",
                        kept ? 0 : (*pieces)[i].size()});
  }
  return segments;
}

}  // namespace

std::uint64_t LayerDiff::sent_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& segment : segments) bytes += segment.bytes;
  return bytes;
}

std::uint64_t BundleDiff::content_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& layer : layers) bytes += layer.content_bytes;
  return bytes;
}

std::uint64_t BundleDiff::sent_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& layer : layers) bytes += layer.sent_bytes();
  return bytes;
}

tl::expected<BundleDiff, Failure> diff_bundles(const bundle::Bundle& old, const bundle::Bundle& wanted) {
  const std::string &from = old.manifest().body().info.board, &to = wanted.manifest().body().info.board;
  if (!from.empty() && !to.empty() && from != to) {
    return fail(ExitCode::kFailed, "the bundles are for different boards: " + printable(from) + " and " + printable(to),
                "no device can be updated from the one to the other");
  }
  Image old_image, image;
  for (const auto& layer : old.manifest().body().layers) {
    if (auto added = add_layer(old, layer, old_image); !added) return tl::unexpected(added.error());
  }
  BundleDiff diff;
  std::vector<std::uint32_t> sizes;
  for (const auto& layer : wanted.manifest().body().layers) {
    const std::size_t before = image.size();
    if (auto added = add_layer(wanted, layer, image); !added) return tl::unexpected(added.error());
    sizes.push_back(static_cast<std::uint32_t>(image.size() - before));
    diff.layers.push_back({layer, sizes.back(), {}});
  }
  // What is encrypted on the device the cloud does not know, so nothing refers to it.
  if (std::ranges::any_of(old.manifest().body().layers, is_encrypted)) old_image.clear();
  auto segments = delta::Encoder::create(old_image).and_then(
      [&](const delta::Encoder& encoder) { return encoder.encode(image, sizes); });
  if (!segments) return fail(ExitCode::kFailed, std::string(delta::describe(segments.error())));

  auto next = segments->begin();
  for (LayerDiff& layer : diff.layers) {
    const bool installed = is_installed(old, layer.layer);
    for (std::uint64_t left = layer.content_bytes; left > 0; ++next) {
      left -= next->size;
      if (!installed) layer.segments.push_back({next->size, delta::name(next->kind), next->record.size()});
    }
    if (!installed && is_encrypted(layer.layer)) {
      auto sealed = sealed_segments(old, wanted, layer.layer);
      if (!sealed) return tl::unexpected(sealed.error());
      layer.segments = std::move(*sealed);
    }
  }
  return diff;
}

Json diff_json(const BundleDiff& diff) {
  Json layers = Json::array();
  for (const LayerDiff& layer : diff.layers) {
    Json segments = Json::array();
    for (const auto& segment : layer.segments) {
      segments.push_back({{"size", segment.size}, {"kind", segment.kind}, {"bytes", segment.bytes}});
    }
    layers.push_back({{"area", area_name(layer.layer)},
                      {"start", layer.layer.region.start},
                      {"content_size", layer.content_bytes},
                      {"installed", layer.segments.empty()},
                      {"bytes", layer.sent_bytes()},
                      {"segments", segments}});
  }
  return {{"content_size", diff.content_bytes()}, {"bytes", diff.sent_bytes()}, {"layers", layers}};
}

std::string diff_text(const BundleDiff& diff, const Output& output) {
  Table table({"AREA", "START", "SEGMENT", "SIZE", "KIND", "BYTES"});
  for (const LayerDiff& layer : diff.layers) {
    const std::string area = area_name(layer.layer), start = bundle::hex_address(layer.layer.region.start);
    if (layer.segments.empty()) {
      table.row({area, start, "all", std::to_string(layer.content_bytes), "installed", "0"});
    }
    for (std::size_t i = 0; i < layer.segments.size(); ++i) {
      const auto& segment = layer.segments[i];
      table.row(
          {area, start, std::to_string(i), std::to_string(segment.size), segment.kind, std::to_string(segment.bytes)});
    }
  }
  return table.text(output) + "\n" + std::to_string(diff.sent_bytes()) + " bytes for " +
         std::to_string(diff.content_bytes()) + ", " + percent(diff.sent_bytes(), diff.content_bytes());
}

}  // namespace mv::cli
