// What an update from one bundle to another sends over the air, layer by layer and segment by segment.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>
#include <tl/expected.hpp>

#include "bundle/bundle.h"
#include "cli/failure.h"
#include "cli/output.h"
#include "delta/encoder.h"

namespace mv::cli {

struct SegmentDiff {
  std::uint32_t size = 0;   // bytes of the segment
  std::string kind;         // as delta::name; "sealed": of an encrypted layer
  std::uint64_t bytes = 0;  // over the air
};

struct LayerDiff {
  bundle::Layer layer;  // of the new bundle
  std::uint64_t content_bytes = 0;
  std::vector<SegmentDiff> segments;  // none if a device that has the old bundle has the whole region

  std::uint64_t sent_bytes() const;
};

struct BundleDiff {
  std::vector<LayerDiff> layers;

  std::uint64_t content_bytes() const;
  std::uint64_t sent_bytes() const;  // of segments; the manifest comes on top
};

// Encrypted layers are compared by the hashes of their segments, so that no key is needed.
//
// Errors: bundles of different boards, a layer that cannot be read, no memory.
tl::expected<BundleDiff, Failure> diff_bundles(const bundle::Bundle& old, const bundle::Bundle& wanted);

nlohmann::ordered_json diff_json(const BundleDiff& diff);
std::string diff_text(const BundleDiff& diff, const Output& output);

}  // namespace mv::cli
