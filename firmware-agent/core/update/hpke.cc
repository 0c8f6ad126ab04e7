#include "core/update/hpke.h"

#include <algorithm>
#include <string_view>

#include <mbedtls/platform_util.h>
#include <psa/crypto.h>

namespace mv::update {
namespace {

using namespace std::literals;
using Bytes = std::span<const std::uint8_t>;

// RFC 9180, 4.1 and 5.1: which algorithms, in all that is derived.
constexpr std::string_view kKemSuite = "KEM\x00\x10"sv;
constexpr std::string_view kHpkeSuite = "HPKE\x00\x10\x00\x01\x00\x01"sv;
constexpr std::string_view kVersion = "HPKE-v1";

constexpr std::uint8_t kModeBase = 0;
constexpr std::size_t kLongest = 224;  // of what goes into one derivation; the longest here is 166 bytes

// An array that is wiped when it goes.
template <std::size_t kSize>
struct Secret : std::array<std::uint8_t, kSize> {
  Secret() : std::array<std::uint8_t, kSize>{} {}
  ~Secret() { mbedtls_platform_zeroize(this->data(), kSize); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
};
using Secret32 = Secret<32>;

// Bytes put together; `fits` says whether all had room.
class Message {
 public:
  Message& add(Bytes bytes) {
    fits_ = fits_ && bytes.size() <= bytes_.size() - size_;
    if (fits_) std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    if (fits_) size_ += bytes.size();
    return *this;
  }
  Message& add(std::string_view text) { return add({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}); }
  Message& add(std::uint8_t byte) { return add(Bytes(&byte, 1)); }

  bool fits() const { return fits_; }
  Bytes view() const { return Bytes(bytes_).first(size_); }

 private:
  Secret<kLongest> bytes_;
  std::size_t size_ = 0;
  bool fits_ = true;
};

bool derive(psa_algorithm_t algorithm, psa_key_derivation_step_t first, Bytes one, psa_key_derivation_step_t second,
            Bytes two, std::span<std::uint8_t> out) {
  psa_key_derivation_operation_t operation = PSA_KEY_DERIVATION_OPERATION_INIT;
  const bool good = psa_key_derivation_setup(&operation, algorithm) == PSA_SUCCESS &&
                    psa_key_derivation_input_bytes(&operation, first, one.data(), one.size()) == PSA_SUCCESS &&
                    psa_key_derivation_input_bytes(&operation, second, two.data(), two.size()) == PSA_SUCCESS &&
                    psa_key_derivation_output_bytes(&operation, out.data(), out.size()) == PSA_SUCCESS;
  psa_key_derivation_abort(&operation);
  return good;
}

// RFC 9180, 4: LabeledExtract.
bool labeled_extract(std::string_view suite, Bytes salt, std::string_view label, Bytes ikm, Secret32& out) {
  Message labeled;
  labeled.add(kVersion).add(suite).add(label).add(ikm);
  return labeled.fits() && derive(PSA_ALG_HKDF_EXTRACT(PSA_ALG_SHA_256), PSA_KEY_DERIVATION_INPUT_SALT, salt,
                                  PSA_KEY_DERIVATION_INPUT_SECRET, labeled.view(), out);
}

// LabeledExpand.
bool labeled_expand(std::string_view suite, Bytes key, std::string_view label, Bytes info,
                    std::span<std::uint8_t> out) {
  Message labeled;
  labeled.add(std::uint8_t{0}).add(static_cast<std::uint8_t>(out.size()));
  labeled.add(kVersion).add(suite).add(label).add(info);
  return labeled.fits() && derive(PSA_ALG_HKDF_EXPAND(PSA_ALG_SHA_256), PSA_KEY_DERIVATION_INPUT_SECRET, key,
                                  PSA_KEY_DERIVATION_INPUT_INFO, labeled.view(), out);
}

psa_key_id_t import_scalar(P256Scalar scalar) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, 256);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DERIVE);
  psa_set_key_algorithm(&attributes, PSA_ALG_ECDH);
  psa_key_id_t key = PSA_KEY_ID_NULL;
  return psa_import_key(&attributes, scalar.data(), scalar.size(), &key) == PSA_SUCCESS ? key : PSA_KEY_ID_NULL;
}

// 4.1: Decap. The library refuses points that are not on the curve.
bool decapsulate(P256Scalar scalar, std::span<const std::uint8_t, 65> enc, Secret32& shared) {
  const auto own = public_half(scalar);
  const psa_key_id_t key = own ? import_scalar(scalar) : PSA_KEY_ID_NULL;
  if (key == PSA_KEY_ID_NULL) return false;
  Secret32 agreed, extracted;
  std::size_t size = 0;
  const bool good = psa_raw_key_agreement(PSA_ALG_ECDH, key, enc.data(), enc.size(), agreed.data(), agreed.size(),
                                          &size) == PSA_SUCCESS &&
                    size == agreed.size();
  psa_destroy_key(key);
  Message context;
  context.add(enc).add(*own);
  return good && labeled_extract(kKemSuite, {}, "eae_prk", agreed, extracted) &&
         labeled_expand(kKemSuite, extracted, "shared_secret", context.view(), shared);
}

// 5.1: KeySchedule, without a pre-shared key.
bool schedule(const Secret32& shared, Bytes info, std::span<std::uint8_t, 16> key, std::span<std::uint8_t, 12> nonce) {
  Secret32 psk_id_hash, info_hash, secret;
  if (!labeled_extract(kHpkeSuite, {}, "psk_id_hash", {}, psk_id_hash)) return false;
  if (!labeled_extract(kHpkeSuite, {}, "info_hash", info, info_hash)) return false;
  Message context;
  context.add(kModeBase).add(psk_id_hash).add(info_hash);
  return labeled_extract(kHpkeSuite, shared, "secret", {}, secret) &&
         labeled_expand(kHpkeSuite, secret, "key", context.view(), key) &&
         labeled_expand(kHpkeSuite, secret, "base_nonce", context.view(), nonce);
}

bool open(std::span<const std::uint8_t, 16> key, Bytes nonce, Bytes aad, Bytes sealed, std::span<std::uint8_t> out) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DECRYPT);
  psa_set_key_algorithm(&attributes, PSA_ALG_GCM);
  psa_key_id_t id = PSA_KEY_ID_NULL;
  if (psa_import_key(&attributes, key.data(), key.size(), &id) != PSA_SUCCESS) return false;
  std::size_t size = 0;
  const bool good = psa_aead_decrypt(id, PSA_ALG_GCM, nonce.data(), nonce.size(), aad.data(), aad.size(), sealed.data(),
                                     sealed.size(), out.data(), out.size(), &size) == PSA_SUCCESS;
  psa_destroy_key(id);
  return good && size == out.size();
}

}  // namespace

std::optional<P256Point> public_half(P256Scalar scalar) {
  const psa_key_id_t key = import_scalar(scalar);
  if (key == PSA_KEY_ID_NULL) return std::nullopt;
  P256Point point;
  std::size_t size = 0;
  const bool good =
      psa_export_public_key(key, point.data(), point.size(), &size) == PSA_SUCCESS && size == point.size();
  psa_destroy_key(key);
  return good ? std::optional(point) : std::nullopt;
}

bool hpke_open(P256Scalar scalar, std::span<const std::uint8_t, 65> enc, Bytes info, Bytes aad, Bytes sealed,
               std::span<std::uint8_t> out) {
  if (sealed.size() < kHpkeTag || out.size() != sealed.size() - kHpkeTag) return false;
  Secret32 shared;
  Secret<16> key;
  Secret<12> nonce;
  return decapsulate(scalar, enc, shared) && schedule(shared, info, key, nonce) && open(key, nonce, aad, sealed, out);
}

}  // namespace mv::update
