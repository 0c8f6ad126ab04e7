// How an encrypted layer is laid out: what whoever encrypts it, the cloud and the device agree on.
// docs/bundle-format.md.
//
// The layer's file is the sealed segments, one after the other, after a table of their sizes (four bytes each, the
// lowest first). A sealed segment is AES-128-GCM, ciphertext and tag, under the bundle's key; what is sealed is the
// segment as a record of the delta format that needs no old image. Freestanding.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/delta_format.h"

namespace mv::sealed {

inline constexpr std::size_t kKeySize = 16;
inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kNonceSize = 12;
inline constexpr std::size_t kMostRecipients = 4;
inline constexpr std::size_t kSizeBytes = 4;  // of one entry of the table

// What HPKE binds the wrapped key to (its `info`), and GCM a segment (its additional data).
inline constexpr std::string_view kKeyPurpose = "mv-bundle-key-v1";
inline constexpr std::string_view kSegmentPurpose = "mv-segment-v1";

// A record is never longer than that: kind, size, the bytes as they are.
inline constexpr std::uint32_t kMostSealedBytes = 1 + delta::kMaxVarint + delta::kSegmentSize + kTagSize;

constexpr std::uint32_t segments_of(std::uint32_t content) {
  return content / delta::kSegmentSize + (content % delta::kSegmentSize != 0 ? 1 : 0);
}

// Of the segment's place in the bundle, which is why no two segments of a bundle share one; each bundle has its own
// key.
constexpr std::array<std::uint8_t, kNonceSize> nonce(std::uint32_t layer, std::uint32_t segment) {
  std::array<std::uint8_t, kNonceSize> bytes{};
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[i] = static_cast<std::uint8_t>(layer >> (24 - 8 * i));
    bytes[8 + i] = static_cast<std::uint8_t>(segment >> (24 - 8 * i));
  }
  return bytes;
}

}  // namespace mv::sealed
