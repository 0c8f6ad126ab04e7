// Bundles for tests: a real manifest and its layers, in a blob store.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "bundle/manifest.h"
#include "cloud/blob_store.h"
#include "cloud/store/store.h"
#include "delta/encoder.h"

namespace mv::cloud {

// Bytes that repeat nowhere and look like code to no compressor; the same for the same seed.
inline std::string noise(std::size_t size, std::uint32_t seed) {
  std::string bytes;
  while (bytes.size() < size) bytes += sha256(std::to_string(seed) + "/" + std::to_string(bytes.size()));
  bytes.resize(size);
  return bytes;
}

inline bundle::Layer layer_of(const std::string& content, std::uint32_t start) {
  bundle::Layer layer;
  layer.region = {bundle::AreaKind::kInternalFlash, start,
                  static_cast<std::uint32_t>(content.size() + 8191) / 8192 * 8192};
  layer.fetch_hash = bundle::sha256(bundle::as_bytes(content));
  bundle::Hasher measured;
  measured.add(bundle::as_bytes(content));
  measured.add_padding(layer.region.size - content.size());
  layer.measurement_hash = measured.finish();
  layer.segment_size = delta::kSegmentSize;
  layer.content_size = static_cast<std::uint32_t>(content.size());
  for (std::size_t at = 0; at < content.size(); at += delta::kSegmentSize) {
    layer.segment_hashes.push_back(bundle::sha256(
        bundle::as_bytes(content).subspan(at, std::min<std::size_t>(delta::kSegmentSize, content.size() - at))));
  }
  return layer;
}

inline bundle::AppBody body_of(const std::vector<std::string>& contents, const std::string& version = "1.0.0") {
  bundle::AppBody body;
  body.info.name = "blinky";
  body.info.version = version;
  std::uint32_t start = 0;
  for (const std::string& content : contents) {
    body.layers.push_back(layer_of(content, start));
    start += body.layers.back().region.size;
  }
  return body;
}

// Puts the files there; the app's ids are the caller's to give.
inline App put_bundle(const BlobStore& blobs, const bundle::AppBody& body, const std::vector<std::string>& contents) {
  const auto manifest = bundle::Manifest::from_body(body);
  if (!manifest) std::abort();
  const std::string encoded(as_chars(manifest->encoded()));
  App app;
  app.manifest = {*blobs.put(encoded), encoded.size()};
  app.bundle = {sha256("zip of " + app.manifest.hash), 3};
  for (const std::string& content : contents) {
    if (!blobs.put(content)) std::abort();
  }
  return app;
}

inline App put_bundle(const BlobStore& blobs, const std::vector<std::string>& contents) {
  return put_bundle(blobs, body_of(contents), contents);
}

// What the encoder itself makes of the images.
inline std::vector<std::string> expected_records(const std::string& old, const std::vector<std::string>& contents) {
  std::string image;
  std::vector<std::uint32_t> sizes;
  for (const std::string& content : contents) {
    image += content;
    sizes.push_back(static_cast<std::uint32_t>(content.size()));
  }
  const auto encoder = delta::Encoder::create(as_bytes(old));
  const auto segments = *encoder->encode(as_bytes(image), sizes);
  std::vector<std::string> records;
  for (const auto& segment : segments) records.emplace_back(as_chars(segment.record));
  return records;
}

}  // namespace mv::cloud
