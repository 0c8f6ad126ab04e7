// Bytes that are wiped when they go.
#pragma once

#include <openssl/crypto.h>

#include <array>
#include <cstdint>

namespace mv::bundle {

template <std::size_t kSize>
struct Secret : std::array<std::uint8_t, kSize> {
  Secret() : std::array<std::uint8_t, kSize>{} {}
  explicit Secret(const std::array<std::uint8_t, kSize>& bytes) : std::array<std::uint8_t, kSize>(bytes) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret() { OPENSSL_cleanse(this->data(), kSize); }
};

}  // namespace mv::bundle
