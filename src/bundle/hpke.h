// HPKE (RFC 9180): base mode, one message, with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-128-GCM. OpenSSL 3.0 has
// the parts (ECDH, HKDF, GCM) and not the whole. Devices have the receiver's half: core/update/hpke.h.
#pragma once

#include <vector>

#include "bundle/error.h"
#include "bundle/keys.h"

namespace mv::bundle {

struct HpkeMessage {
  Point enc;                         // the encapsulated key
  std::vector<std::uint8_t> sealed;  // ciphertext and tag
};

// Seals `plain` for the owner of `receiver`. Errors: kBadKey (the machine has no randomness).
Expected<HpkeMessage> hpke_seal(const PublicKey& receiver, Bytes info, Bytes aad, Bytes plain);

// The same with a given ephemeral key, which must be new for each message: for tests.
Expected<HpkeMessage> hpke_seal_with(const PrivateKey& ephemeral, const PublicKey& receiver, Bytes info, Bytes aad,
                                     Bytes plain);

// Errors: kBadKey: not for this key, or changed.
Expected<std::vector<std::uint8_t>> hpke_open(const PrivateKey& receiver, Bytes enc, Bytes info, Bytes aad,
                                              Bytes sealed);

}  // namespace mv::bundle
