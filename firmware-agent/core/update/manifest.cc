#include "core/update/manifest.h"

#include <algorithm>
#include <cstring>

#include "core/platform/flash_map.h"
#include "core/storage/flash_units.h"
#include "wire/delta_format.h"

namespace mv::update {
namespace {

using storage::kPage;
using Check = tl::expected<void, Refusal>;

tl::unexpected<Refusal> refuse(mv_wire_UpdateError error, Sentence sentence) {
  return tl::make_unexpected(Refusal{error, sentence});
}

Sentence layer_sentence(std::size_t index) {
  return Sentence("layer ").add(static_cast<std::uint32_t>(index + 1)).add(" ");
}

// Takes the hashes of one layer's segments, as the decoder comes to them.
struct SegmentCollector {
  SegmentHashes* hashes;  // null: they are only counted
  std::uint32_t count = 0;
  std::array<std::uint8_t, kMaxLayers> of_layer{};
};

struct LayerCollector {
  SegmentCollector* all = nullptr;
  std::size_t layer = 0;
};

bool collect_hash(pb_istream_t* stream, const pb_field_t*, void** argument) {
  const auto& collector = *static_cast<LayerCollector*>(*argument);
  SegmentCollector& all = *collector.all;
  Hash hash;
  if (stream->bytes_left != hash.size() || all.count == kMaxSegments) return false;
  if (!pb_read(stream, hash.data(), hash.size())) return false;
  if (all.hashes != nullptr) (*all.hashes)[all.count] = hash;
  ++all.count;
  ++all.of_layer[collector.layer];
  return true;
}

std::uint32_t pages_of(std::uint32_t bytes) { return (bytes + kPage - 1) / kPage; }

bool is_hash(std::size_t size) { return size == sizeof(Hash); }

Check check_signatures(const mv_wire_OpaqueManifest& manifest, SignatureCheck& check, SignerIds& signers) {
  std::array<Signature, kMaxSignatures> signatures{};
  static_assert(std::size(mv_wire_OpaqueManifest{}.extra_signatures) + 1 == kMaxSignatures);
  std::size_t count = 0;
  signatures[count++] = {manifest.signer_id, {manifest.signature.bytes, manifest.signature.size}};
  for (std::size_t i = 0; i < manifest.extra_signatures_count; ++i) {
    const mv_wire_ExtraSignature& extra = manifest.extra_signatures[i];
    signatures[count++] = {extra.signer_id, {extra.signature.bytes, extra.signature.size}};
  }
  const auto found = check.check(std::span(signatures).first(count), {manifest.body.bytes, manifest.body.size});
  if (found) {
    signers = *found;
    return {};
  }
  switch (found.error()) {
    case mv_wire_UpdateError_UPDATE_UNKNOWN_SIGNER:
      return refuse(found.error(),
                    {"this device does not know the signer of the bundle: sign it with a provisioned key"});
    case mv_wire_UpdateError_UPDATE_TOO_FEW_SIGNERS:
      return refuse(found.error(), {"this device wants more signers of a bundle: sign it with more of its keys"});
    default:
      return refuse(found.error(), {"the signature of the bundle is wrong: it was changed after it was signed"});
  }
}

Check check_region(const mv_wire_Layer& from, std::size_t index) {
  if (from.target.which_where != mv_wire_TargetRegion_internal_flash_tag) {
    return refuse(mv_wire_UpdateError_UPDATE_OUTSIDE_AREA, layer_sentence(index).add("is not for internal flash"));
  }
  const auto [start, size] = from.target.where.internal_flash;
  if (start % kPage != 0) {
    return refuse(mv_wire_UpdateError_UPDATE_OUTSIDE_AREA,
                  layer_sentence(index).add("does not begin at a multiple of 8192 bytes"));
  }
  const std::uint32_t area = flash_map::kApplication.size;
  if (size == 0 || start >= area || size > area - start) {
    return refuse(mv_wire_UpdateError_UPDATE_OUTSIDE_AREA,
                  layer_sentence(index).add("is not within the 1048576 bytes of the application's flash"));
  }
  if (from.content_size > size) {
    return refuse(mv_wire_UpdateError_UPDATE_TOO_LARGE,
                  layer_sentence(index).add("holds ").add(from.content_size - size).add(" bytes more than its region"));
  }
  return {};
}

Check check_layer(const mv_wire_Layer& from, std::size_t index) {
  if (!is_hash(from.fetch_hash.size) || !is_hash(from.measurement_hash.size)) {
    return refuse(mv_wire_UpdateError_UPDATE_BAD_MANIFEST, layer_sentence(index).add("lacks a SHA-256 hash"));
  }
  return check_region(from, index);
}

Check check_overlap(const Manifest& manifest) {
  for (std::size_t i = 0; i < manifest.layer_count; ++i) {
    const Layer& one = manifest.layers[i];
    for (std::size_t j = i + 1; j < manifest.layer_count; ++j) {
      const Layer& two = manifest.layers[j];
      const bool apart = one.start / kPage + pages_of(one.size) <= two.start / kPage ||
                         two.start / kPage + pages_of(two.size) <= one.start / kPage;
      if (!apart) {
        return refuse(mv_wire_UpdateError_UPDATE_OUTSIDE_AREA,
                      layer_sentence(j).add("overlaps layer ").add(static_cast<std::uint32_t>(i + 1)));
      }
    }
  }
  return {};
}

// All segments have a hash, or none: an encrypted layer is checked by nothing else.
Check check_segments(const mv_wire_Layer& from, std::size_t index, std::uint8_t hashes) {
  if (hashes == 0 && from.encrypted_with_key_id == 0) return {};
  constexpr std::uint32_t kSize = mv::delta::kSegmentSize;
  if (hashes == 0 || from.segment_size != kSize || hashes != (from.content_size + kSize - 1) / kSize) {
    return refuse(mv_wire_UpdateError_UPDATE_BAD_MANIFEST,
                  layer_sentence(index).add("does not have a hash for each segment of 32768 bytes"));
  }
  return {};
}

Check take_layers(const mv_wire_AppBody& body, const SegmentCollector& segments, Manifest& out) {
  std::uint32_t first_segment = 0;
  if (body.layers_count == 0) return refuse(mv_wire_UpdateError_UPDATE_BAD_MANIFEST, {"the bundle has no layers"});
  for (std::size_t i = 0; i < body.layers_count; ++i) {
    const mv_wire_Layer& from = body.layers[i];
    if (const auto checked = check_layer(from, i); !checked) return checked;
    if (from.encrypted_with_key_id != body.layers[0].encrypted_with_key_id) {
      return refuse(mv_wire_UpdateError_UPDATE_BAD_MANIFEST,
                    layer_sentence(i).add("is not encrypted with the key of the first one"));
    }
    if (const auto checked = check_segments(from, i, segments.of_layer[i]); !checked) return checked;
    Layer& to = out.layers[i];
    to.start = from.target.where.internal_flash.start;
    to.size = from.target.where.internal_flash.size;
    to.content_size = from.content_size;
    to.segments = segments.of_layer[i];
    to.first_segment = static_cast<std::uint8_t>(first_segment);
    first_segment += to.segments;
    std::memcpy(to.fetch_hash.data(), from.fetch_hash.bytes, to.fetch_hash.size());
    std::memcpy(to.measurement_hash.data(), from.measurement_hash.bytes, to.measurement_hash.size());
  }
  out.layer_count = body.layers_count;
  out.encrypted = body.layers[0].encrypted_with_key_id != 0;
  return check_overlap(out);
}

Check check_target(const mv_wire_AppBody& body, const char* board) {
  // Bundles made for the original do not name a board.
  if (body.has_info && body.info.board[0] != '\0' && std::strcmp(body.info.board, board) != 0) {
    return refuse(mv_wire_UpdateError_UPDATE_WRONG_BOARD,
                  Sentence("the bundle is for ").add(body.info.board).add(", this device is a ").add(board));
  }
  if (body.has_update && body.update.minimum_kernel_version > kKernelVersion) {
    return refuse(mv_wire_UpdateError_UPDATE_KERNEL_TOO_OLD, Sentence("the bundle wants microvisor version ")
                                                                 .add(body.update.minimum_kernel_version)
                                                                 .add(", this is ")
                                                                 .add(kKernelVersion));
  }
  return {};
}

void take_policies(const mv_wire_AppBody& body, Manifest& out) {
  out.has_debug_key = body.has_debug && body.debug.debug_auth_pubkey.size == out.debug_key.size();
  if (out.has_debug_key) std::memcpy(out.debug_key.data(), body.debug.debug_auth_pubkey.bytes, out.debug_key.size());
  if (body.has_debug) out.halt_limit_sec = body.debug.halt_limit_sec;
  if (body.has_info) {
    out.build_id_size = body.info.build_id.size;
    std::memcpy(out.build_id.data(), body.info.build_id.bytes, out.build_id_size);
  }
  if (body.has_crash) {
    out.minimum_restart_ms = body.crash.minimum_restart_ms;
    out.maximum_restart_ms = body.crash.maximum_restart_ms;
    out.include_stack_bytes = body.crash.include_stack_bytes;
    out.reflect_faults = body.crash.reflect_faults;
    for (std::size_t i = 0; i < body.crash.regions_count; ++i) {
      out.crash_regions[i] = {body.crash.regions[i].address, body.crash.regions[i].length};
    }
  }
  if (body.has_info) out.security_counter = body.info.security_counter;
  if (body.has_update) {
    out.maximum_politeness_time_sec = body.update.maximum_politeness_time_sec;
    out.confirm_timeout_sec = body.update.confirm_timeout_sec;
    out.confirmed_by_application = body.update.confirm_by == mv_wire_ConfirmBy_CONFIRM_BY_APPLICATION;
  }
  if (body.has_connectivity) {
    out.connection_grace_time_sec = body.connectivity.connection_grace_time_sec;
    out.minimum_check_in_time_sec = body.connectivity.minimum_check_in_time_sec;
  }
}

}  // namespace

tl::expected<void, Refusal> parse_manifest(pb_istream_t& file, const Hash& hash, const ManifestRules& rules,
                                           ManifestScratch& scratch, Manifest& out, SegmentHashes* segments) {
  scratch = {};
  out = {};
  out.hash = hash;
  if (!pb_decode(&file, mv_wire_OpaqueManifest_fields, &scratch.opaque)) {
    return refuse(mv_wire_UpdateError_UPDATE_BAD_MANIFEST, {"the manifest is malformed or too large for this device"});
  }
  if (const auto checked = check_signatures(scratch.opaque, rules.signatures, out.signers); !checked) return checked;
  SegmentCollector collector{segments};
  std::array<LayerCollector, kMaxLayers> collectors;
  for (std::size_t i = 0; i < kMaxLayers; ++i) {
    collectors[i] = {&collector, i};
    scratch.body.layers[i].segment_hashes.funcs.decode = &collect_hash;
    scratch.body.layers[i].segment_hashes.arg = &collectors[i];
  }
  pb_istream_t inner = pb_istream_from_buffer(scratch.opaque.body.bytes, scratch.opaque.body.size);
  if (!pb_decode(&inner, mv_wire_AppBody_fields, &scratch.body)) {
    return refuse(mv_wire_UpdateError_UPDATE_BAD_MANIFEST,
                  {"the manifest's body is malformed, or has more than 16 layers or 48 segments"});
  }
  if (const auto checked = check_target(scratch.body, rules.board); !checked) return checked;
  if (const auto taken = take_layers(scratch.body, collector, out); !taken) return taken;
  take_policies(scratch.body, out);
  return {};
}

}  // namespace mv::update
