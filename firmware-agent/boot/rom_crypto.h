// The boot ROM's cryptography: mbedTLS's SHA-256 and the p256-m driver, with the key of this build.
#pragma once

#include "core/image/image.h"
#include "mbedtls/sha256.h"

namespace mv::boot {

class RomCrypto final : public image::Crypto {
 public:
  // `key`: x and y, big-endian.
  explicit RomCrypto(std::span<const std::uint8_t, 64> key) : key_(key) {}

  void begin() override;
  void add(std::span<const std::uint8_t> bytes) override;
  bool finish(image::Digest& out) override;
  bool verify(const image::Digest& digest, std::span<const std::uint8_t, 64> signature) override;

 private:
  std::span<const std::uint8_t, 64> key_;
  mbedtls_sha256_context sha_{};
};

}  // namespace mv::boot
