#include "core/update/signature.h"

namespace mv::update {
bool verify(std::span<const std::uint8_t, 65> point, const Hash& digest, std::span<const std::uint8_t> signature) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, 256);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_VERIFY_HASH);
  psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
  psa_key_id_t key = 0;
  if (psa_import_key(&attributes, point.data(), point.size(), &key) != PSA_SUCCESS) return false;
  const psa_status_t status = psa_verify_hash(key, PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest.data(), digest.size(),
                                              signature.data(), signature.size());
  psa_destroy_key(key);
  return status == PSA_SUCCESS;
}

std::uint64_t key_id(std::span<const std::uint8_t, 65> point) {
  constexpr std::array<std::uint8_t, 2> kZeros = {0, 0};
  Sha256 sha;
  Hash hash;
  sha.add(kZeros);
  sha.add(point);
  if (!sha.finish(hash)) return 0;
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < 8; ++i) id = id << 8U | hash[i];
  return id;
}

}  // namespace mv::update
