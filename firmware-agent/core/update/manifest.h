// A manifest that this device may run: exists only if format, signature, board and layers were found good.
//
// Its layers lie in the application's area, begin at a page, and share no page. About 1.6 KiB.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <pb_decode.h>
#include <tl/expected.hpp>

#include "core/update/sentence.h"
#include "core/update/sha256.h"
#include "core/update/signature.h"
#include "wire/proto/manifest.nanopb.h"

namespace mv::update {

inline constexpr std::size_t kMaxLayers = 16;
inline constexpr std::uint32_t kMaxManifest = 4800;  // bytes of the file: a body of 4 KiB and its signatures
inline constexpr std::uint32_t kKernelVersion = 1;   // what `minimum_kernel_version` is compared with

// Why a bundle is refused: for the cloud's records and for a person.
struct Refusal {
  mv_wire_UpdateError error;
  Sentence sentence;
};

struct Layer {
  std::uint32_t start;         // bytes from the start of the application's area, a multiple of a page
  std::uint32_t size;          // of the region, bytes
  std::uint32_t content_size;  // bytes that are stored; the rest of the region is 0xFF. 0: an old bundle does not say
  Hash fetch_hash;
  Hash measurement_hash;           // of the whole region
  std::uint8_t segments = 0;       // how many hashes of segments there are: one for each, or none in an old bundle
  std::uint8_t first_segment = 0;  // in SegmentHashes
};

struct Manifest {
  Hash hash{};  // of the file
  std::array<Layer, kMaxLayers> layers{};
  std::size_t layer_count = 0;
  bool encrypted = false;  // the layers' files are; hashes of segments and regions are those of what is in them

  std::array<std::uint8_t, 65> debug_key{};
  bool has_debug_key = false;
  SignerIds signers;                 // keys of this device that signed it
  std::uint32_t halt_limit_sec = 0;  // 0: the agent's default
  std::array<std::uint8_t, 32> build_id{};
  std::size_t build_id_size = 0;

  std::uint32_t minimum_restart_ms = 0;
  std::uint32_t maximum_restart_ms = 0;
  std::uint32_t include_stack_bytes = 0;
  bool reflect_faults = false;
  struct CrashRegion {
    std::uint32_t address = 0;
    std::uint32_t length = 0;
  };
  static constexpr std::size_t kMaxCrashRegions = 4;
  std::array<CrashRegion, kMaxCrashRegions> crash_regions{};  // those with a length of 0 are none
  std::uint32_t maximum_politeness_time_sec = 0;
  std::uint32_t confirm_timeout_sec = 0;  // 0: confirmed as soon as it runs
  bool confirmed_by_application = false;  // else by contact with the cloud
  std::uint32_t security_counter = 0;
  std::uint32_t connection_grace_time_sec = 0;
  std::uint32_t minimum_check_in_time_sec = 0;
};

// SHA-256 of each segment of each layer, in the manifest's order. Only needed while a bundle is fetched.
inline constexpr std::size_t kMaxSegments = 48;  // what the area can be cut into: 32, and one more a layer
using SegmentHashes = std::array<Hash, kMaxSegments>;

// What parsing takes for a moment: too much for a stack.
struct ManifestScratch {
  mv_wire_OpaqueManifest opaque;
  mv_wire_AppBody body;
};

struct ManifestRules {
  SignatureCheck& signatures;
  const char* board;
};

// Takes the file apart and checks it; its hash is `hash` already. Whom an encrypted one is for is in `scratch` then,
// and not looked at. `out` and `segments` (which may be null) are unspecified after a refusal.
tl::expected<void, Refusal> parse_manifest(pb_istream_t& file, const Hash& hash, const ManifestRules& rules,
                                           ManifestScratch& scratch, Manifest& out, SegmentHashes* segments = nullptr);

}  // namespace mv::update
