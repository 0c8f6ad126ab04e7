#include "core/update/signature.h"

#include <string_view>

namespace mv::update {
namespace {

constexpr std::size_t kPoint = 65;
constexpr std::size_t kSignature = 64;
constexpr std::string_view kPrefix = {"twlo-mv-manifest-v1\0", 20};

}  // namespace

bool verify(std::span<const std::uint8_t, kPoint> point, const Hash& digest, std::span<const std::uint8_t> signature) {
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

std::uint64_t key_id(std::span<const std::uint8_t, kPoint> point) {
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

tl::expected<void, mv_wire_UpdateError> IdentitySignatures::check(std::uint64_t signer_id,
                                                                  std::span<const std::uint8_t> body,
                                                                  std::span<const std::uint8_t> signature) {
  for (std::size_t i = 0; i < identity_.signer_keys_count; ++i) {
    const auto& key = identity_.signer_keys[i];
    if (key.size != kPoint) continue;
    const std::span<const std::uint8_t, kPoint> point(key.bytes, kPoint);
    if (key_id(point) != signer_id) continue;
    if (signature.size() != kSignature) return tl::make_unexpected(mv_wire_UpdateError_UPDATE_BAD_SIGNATURE);
    Sha256 sha;
    Hash digest;
    sha.add({reinterpret_cast<const std::uint8_t*>(kPrefix.data()), kPrefix.size()});
    sha.add(body);
    if (sha.finish(digest) && verify(point, digest, signature)) return {};
    return tl::make_unexpected(mv_wire_UpdateError_UPDATE_BAD_SIGNATURE);
  }
  return tl::make_unexpected(mv_wire_UpdateError_UPDATE_UNKNOWN_SIGNER);
}

}  // namespace mv::update
