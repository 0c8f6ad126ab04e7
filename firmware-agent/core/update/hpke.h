// HPKE (RFC 9180), the receiver's half: base mode, one message, with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and
// AES-128-GCM. mbedTLS has the parts (ECDH, HKDF, GCM) and not the whole.
//
// Secure thread. About 1 KiB of stack; nothing secret is left there.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace mv::update {

inline constexpr std::size_t kHpkeTag = 16;
using P256Point = std::array<std::uint8_t, 65>;  // 04 || x || y
using P256Scalar = std::span<const std::uint8_t, 32>;

// The public half. Nothing if the scalar is out of range.
std::optional<P256Point> public_half(P256Scalar scalar);

// Opens what was sealed to `scalar`; `enc` is the sender's encapsulated key. `out` is kHpkeTag bytes shorter than
// `sealed`, and unspecified if this is false: a point off the curve, another key, `info` or `aad`, or a changed byte.
bool hpke_open(P256Scalar scalar, std::span<const std::uint8_t, 65> enc, std::span<const std::uint8_t> info,
               std::span<const std::uint8_t> aad, std::span<const std::uint8_t> sealed, std::span<std::uint8_t> out);

}  // namespace mv::update
