// Deterministic ECDSA on P-256 with SHA-256 (RFC 6979). OpenSSL 3.0 has no such nonce; its arithmetic is used.
#pragma once

#include <openssl/bn.h>

#include <optional>

#include "bundle/keys.h"

namespace mv::bundle {

// r || s over SHA-256 of `message`. Nothing only if OpenSSL's arithmetic fails (memory).
std::optional<Signature> sign_deterministic(const BIGNUM* scalar, Bytes message);

}  // namespace mv::bundle
