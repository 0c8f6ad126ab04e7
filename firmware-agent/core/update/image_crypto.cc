#include "core/update/image_crypto.h"

#include <algorithm>

#include "core/update/signature.h"

namespace mv::update {

bool ImageCrypto::finish(image::Digest& out) {
  const bool good = sha_->finish(out);
  sha_.reset();
  return good;
}

bool ImageCrypto::verify(const image::Digest& digest, std::span<const std::uint8_t, 64> signature) {
  std::array<std::uint8_t, 65> point = {4};  // uncompressed (SEC 1, 2.3.3)
  std::ranges::copy(key_, point.begin() + 1);
  return update::verify(point, digest, signature);
}

}  // namespace mv::update
