// The manifest of a bundle: what it says, in plain types, and the exact bytes that were signed.
//
// The schema is wire/proto/manifest.proto, the signing rule docs/bundle-format.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bundle/board.h"
#include "bundle/error.h"
#include "bundle/hash.h"
#include "bundle/keys.h"

namespace mv::bundle {

// What is taken from outside. The defaults are for the cloud; mvctl inspects with the same.
struct Limits {
  std::uint64_t bundle_bytes = 32 << 20;
  std::uint64_t manifest_bytes = 64 << 10;
  std::uint32_t layers = 256;
  std::uint32_t region_bytes = 16 << 20;  // one layer, and all layers together
};

// What a device takes (wire/proto/manifest.options); a bundle that we make stays within.
inline constexpr std::size_t kDeviceLayers = 16;
inline constexpr std::size_t kDeviceBodyBytes = 4096;

// Start and size are relative to the area.
struct Region {
  AreaKind area = AreaKind::kInternalFlash;
  std::uint32_t start = 0;
  std::uint32_t size = 0;

  std::uint64_t end() const { return std::uint64_t{start} + size; }
  std::string describe() const;
};

struct Layer {
  Region region;
  std::uint64_t encrypted_with_key_id = 0;  // 0: not encrypted
  Hash fetch_hash;                          // of the layer's file
  Hash measurement_hash;                    // of the whole region once installed, padded with 0xFF
  std::uint32_t segment_size = 0;           // 0: no segment hashes
  std::vector<Hash> segment_hashes;
  std::uint32_t content_size = 0;  // 0 in bundles of the original: the file's size
};

// A device that has `has` installed has the region of `wanted` byte for byte, so it asks for nothing of it.
bool same_once_installed(const Layer& has, const Layer& wanted);

// The same of one segment of `wanted`, by its index.
bool same_segment_installed(const Layer& has, const Layer& wanted, std::size_t segment);

// RAM of the application that a crash record keeps.
struct CrashRegion {
  std::uint32_t address = 0;
  std::uint32_t length = 0;  // bytes
};
inline constexpr std::size_t kMostCrashRegions = 4;    // wire/proto/manifest.options
inline constexpr std::uint32_t kMostCrashBytes = 768;  // of all regions; wire/proto/link.options

// Who says that a bundle on trial works: wire::ConfirmBy.
enum class ConfirmBy { kContact = 0, kApplication = 1 };

struct Policies {
  bool debuggable = false;
  std::vector<std::uint8_t> debug_auth_pubkey;  // uncompressed point, 65 bytes; empty: no debugging
  std::uint32_t halt_limit_sec = 0;
  std::uint32_t minimum_restart_ms = 0;
  std::uint32_t maximum_restart_ms = 0;
  std::vector<std::uint8_t> crash_report_pubkey;
  std::uint32_t include_stack_bytes = 0;
  std::uint32_t maximum_politeness_time_sec = 0;
  std::uint32_t minimum_kernel_version = 0;
  std::uint32_t confirm_timeout_sec = 0;  // 0: no trial
  ConfirmBy confirm_by = ConfirmBy::kContact;
  std::uint32_t connection_grace_time_sec = 0;
  std::uint32_t minimum_check_in_time_sec = 0;
  bool reflect_faults = false;  // the application's own HardFault handler gets its faults
  std::vector<CrashRegion> crash_regions;
};

struct AppInfo {
  std::string name;
  std::string version;
  std::vector<std::uint8_t> build_id;
  std::string git_revision;
  std::string board;
  std::uint32_t syscall_abi = 0;
  std::uint32_t security_counter = 0;
  std::vector<std::uint8_t> sbom_hash;
};

// Who can read encrypted layers, and how: their key, wrapped by HPKE (bundle/sealed_layer.h).
struct Recipient {
  KeyId key;
  std::vector<std::uint8_t> enc;         // 65 bytes
  std::vector<std::uint8_t> sealed_key;  // 32 bytes
};

struct AppBody {
  std::vector<Layer> layers;
  Policies policies;
  AppInfo info;
  std::vector<Recipient> recipients;  // none if nothing is encrypted
};

struct KeySignature {
  KeyId key;
  std::vector<std::uint8_t> bytes;  // a Signature
};
inline constexpr std::size_t kMostSignatures = 5;  // wire/proto/manifest.options: the first and four more

// Exists only if it could be read, is within the limits and does not contradict itself: regions have a size, lie within
// the board's areas (if a board is named that we know) and do not overlap, hashes and keys have their length, texts are
// printable. If it names who can read it, all of its layers are encrypted, with one key.
class Manifest {
 public:
  // The bytes of the file `manifest`. Errors: kBadManifest, kTooBig, kOutsideArea, kOverlap.
  static Expected<Manifest> parse(Bytes encoded, const Limits& limits = {});

  // An unsigned manifest of this body.
  static Expected<Manifest> from_body(const AppBody& body);

  // The same body, signed by this key alone. Errors: kBadKey.
  Expected<Manifest> signed_with(const PrivateKey& key) const;

  // The same body with its signatures and one of this key, if there is none yet. Errors: kBadKey, kTooBig.
  Expected<Manifest> signed_also_with(const PrivateKey& key) const;

  // Those of `trusted` that signed it, at least one. Errors: kUnsigned, kUnknownSigner, kBadSignature.
  Expected<std::vector<PublicKey>> verify(std::span<const PublicKey> trusted) const;

  const AppBody& body() const { return body_; }
  const std::vector<std::uint8_t>& body_bytes() const { return body_bytes_; }
  const std::vector<std::uint8_t>& encoded() const { return encoded_; }
  Hash hash() const { return sha256(encoded_); }  // what devices and the cloud call the bundle by
  // Who signed it first; nothing: unsigned.
  std::optional<KeyId> signer() const {
    return signatures_.empty() ? std::nullopt : std::optional(signatures_.front().key);
  }
  const std::vector<KeySignature>& signatures() const { return signatures_; }

 private:
  AppBody body_;
  std::vector<std::uint8_t> body_bytes_;
  std::vector<std::uint8_t> encoded_;
  std::vector<KeySignature> signatures_;
};

}  // namespace mv::bundle
