// SHA-256 through the PSA interface of mbedTLS.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <psa/crypto.h>

namespace mv::update {

using Hash = std::array<std::uint8_t, 32>;

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::span<const std::uint8_t> bytes);
  void add_erased(std::uint32_t count);  // `count` bytes of 0xFF

  // False if the library could not compute it (crypto not set up, pool exhausted); `hash` is then unspecified.
  bool finish(Hash& hash);

 private:
  psa_hash_operation_t operation_{};
  bool good_;
};

}  // namespace mv::update
