// The microvisor's cryptography for images of itself: PSA, with the key that the boot ROM has.
#pragma once

#include <optional>

#include "core/image/image.h"
#include "core/update/sha256.h"

namespace mv::update {

class ImageCrypto final : public image::Crypto {
 public:
  // `key`: x and y, big-endian; must live as long as this.
  explicit ImageCrypto(std::span<const std::uint8_t, 64> key) : key_(key) {}

  void begin() override { sha_.emplace(); }
  void add(std::span<const std::uint8_t> bytes) override { sha_->add(bytes); }
  bool finish(image::Digest& out) override;
  bool verify(const image::Digest& digest, std::span<const std::uint8_t, 64> signature) override;

 private:
  std::span<const std::uint8_t, 64> key_;
  std::optional<Sha256> sha_;
};

}  // namespace mv::update
