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

struct LayerDiff {
  bundle::Layer layer;  // of the new bundle
  std::uint64_t content_bytes = 0;
  std::vector<delta::Segment> segments;  // none if a device that has the old bundle has the whole region

  std::uint64_t sent_bytes() const;
};

struct BundleDiff {
  std::vector<LayerDiff> layers;

  std::uint64_t content_bytes() const;
  std::uint64_t sent_bytes() const;  // of segments; the manifest comes on top
};

// Errors: bundles of different boards, a layer that cannot be read, no memory.
tl::expected<BundleDiff, Failure> diff_bundles(const bundle::Bundle& old, const bundle::Bundle& wanted);

nlohmann::ordered_json diff_json(const BundleDiff& diff);
std::string diff_text(const BundleDiff& diff, const Output& output);

}  // namespace mv::cli
