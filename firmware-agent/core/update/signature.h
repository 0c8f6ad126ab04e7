// Who may sign bundles for this device, and whether he did.
#pragma once

#include <cstdint>
#include <span>

#include <tl/expected.hpp>

#include "core/update/sha256.h"
#include "wire/proto/identity.nanopb.h"
#include "wire/proto/link.nanopb.h"

namespace mv::update {

class SignatureCheck {
 public:
  // Errors: UPDATE_UNKNOWN_SIGNER, UPDATE_BAD_SIGNATURE. `signature`: r || s.
  virtual tl::expected<void, mv_wire_UpdateError> check(std::uint64_t signer_id, std::span<const std::uint8_t> body,
                                                        std::span<const std::uint8_t> signature) = 0;

 protected:
  ~SignatureCheck() = default;
};

// The id of a key: first 8 bytes, big-endian, of SHA-256(00 00 || uncompressed point). 0 if it cannot be computed.
std::uint64_t key_id(std::span<const std::uint8_t, 65> point);

// ECDSA P-256 over a digest; `signature` is r || s, 64 bytes. False too if the point is none of the curve.
bool verify(std::span<const std::uint8_t, 65> point, const Hash& digest, std::span<const std::uint8_t> signature);

// Against the signer keys of the device's identity, with ECDSA P-256/SHA-256 over "twlo-mv-manifest-v1" NUL body.
class IdentitySignatures final : public SignatureCheck {
 public:
  explicit IdentitySignatures(const mv_wire_Identity& identity) : identity_(identity) {}

  tl::expected<void, mv_wire_UpdateError> check(std::uint64_t signer_id, std::span<const std::uint8_t> body,
                                                std::span<const std::uint8_t> signature) override;

 private:
  const mv_wire_Identity& identity_;
};

}  // namespace mv::update
