// Who may sign bundles for this device, and whether he did.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <tl/expected.hpp>

#include "core/update/sha256.h"
#include "wire/proto/link.nanopb.h"

namespace mv::update {

inline constexpr std::size_t kMaxSignatures = 5;  // of a bundle or of a change of keys

struct Signature {
  std::uint64_t key_id;
  std::span<const std::uint8_t> bytes;  // r || s
};

// Ids of different keys that signed something.
struct SignerIds {
  std::array<std::uint64_t, kMaxSignatures> ids{};
  std::uint8_t count = 0;

  std::span<const std::uint64_t> view() const { return std::span(ids).first(count); }
};

class SignatureCheck {
 public:
  // Which keys of this device signed a bundle's `body`, if they are enough. Errors: UPDATE_UNKNOWN_SIGNER,
  // UPDATE_BAD_SIGNATURE (by a key that is known), UPDATE_TOO_FEW_SIGNERS.
  virtual tl::expected<SignerIds, mv_wire_UpdateError> check(std::span<const Signature> signatures,
                                                             std::span<const std::uint8_t> body) = 0;

  // Whether a bundle that these keys signed may run still.
  virtual bool enough(const SignerIds& signers) const = 0;

 protected:
  ~SignatureCheck() = default;
};

// The id of a key: first 8 bytes, big-endian, of SHA-256(00 00 || uncompressed point). 0 if it cannot be computed.
std::uint64_t key_id(std::span<const std::uint8_t, 65> point);

// ECDSA P-256 over a digest; `signature` is r || s, 64 bytes. False too if the point is none of the curve.
bool verify(std::span<const std::uint8_t, 65> point, const Hash& digest, std::span<const std::uint8_t> signature);

}  // namespace mv::update
