#include "core/update/sha256.h"

#include <algorithm>

namespace mv::update {

Sha256::Sha256() : good_(psa_hash_setup(&operation_, PSA_ALG_SHA_256) == PSA_SUCCESS) {}

Sha256::~Sha256() { psa_hash_abort(&operation_); }

void Sha256::add(std::span<const std::uint8_t> bytes) {
  good_ = good_ && psa_hash_update(&operation_, bytes.data(), bytes.size()) == PSA_SUCCESS;
}

void Sha256::add_erased(std::uint32_t count) {
  std::array<std::uint8_t, 256> erased;
  erased.fill(0xFF);
  while (count != 0) {
    const auto piece = std::min<std::uint32_t>(count, erased.size());
    add(std::span(erased).first(piece));
    count -= piece;
  }
}

bool Sha256::finish(Hash& hash) {
  std::size_t size = 0;
  return good_ && psa_hash_finish(&operation_, hash.data(), hash.size(), &size) == PSA_SUCCESS && size == hash.size();
}

}  // namespace mv::update
