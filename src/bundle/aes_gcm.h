// AES-128-GCM (NIST SP 800-38D) by OpenSSL: ciphertext and a tag of 16 bytes behind it.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "bundle/hash.h"

namespace mv::bundle {

using AesKey = std::span<const std::uint8_t, 16>;
using GcmNonce = std::span<const std::uint8_t, 12>;

// `nonce`: never twice with the same key. Nothing only if OpenSSL fails (memory).
std::optional<std::vector<std::uint8_t>> gcm_seal(AesKey key, GcmNonce nonce, Bytes aad, Bytes plain);

// Nothing if a byte was changed, or the key is another.
std::optional<std::vector<std::uint8_t>> gcm_open(AesKey key, GcmNonce nonce, Bytes aad, Bytes sealed);

}  // namespace mv::bundle
