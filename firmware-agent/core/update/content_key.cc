#include "core/update/content_key.h"

#include <algorithm>

#include <mbedtls/platform_util.h>

#include "core/update/hpke.h"

namespace mv::update {
namespace {

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

const mv_wire_Recipient* recipient_with(const mv_wire_AppBody& body, std::uint64_t id) {
  const std::span all(body.recipients, body.recipients_count);
  const auto found = std::ranges::find(all, id, &mv_wire_Recipient::key_id);
  return found == all.end() ? nullptr : &*found;
}

psa_key_id_t import_content_key(std::span<const std::uint8_t, sealed::kKeySize> bytes) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DECRYPT);
  psa_set_key_algorithm(&attributes, PSA_ALG_GCM);
  psa_key_id_t key = PSA_KEY_ID_NULL;
  return psa_import_key(&attributes, bytes.data(), bytes.size(), &key) == PSA_SUCCESS ? key : PSA_KEY_ID_NULL;
}

// The content key as it was wrapped for `scalar`; none if it does not open.
psa_key_id_t unwrapped(const mv_wire_Recipient& recipient, P256Scalar scalar) {
  if (recipient.enc.size != sizeof(P256Point) || recipient.sealed_key.size != sealed::kKeySize + sealed::kTagSize) {
    return PSA_KEY_ID_NULL;
  }
  std::array<std::uint8_t, sealed::kKeySize> bytes;
  const std::span<const std::uint8_t, sizeof(P256Point)> enc(recipient.enc.bytes, sizeof(P256Point));
  const bool good = hpke_open(scalar, enc, as_bytes(sealed::kKeyPurpose), {},
                              {recipient.sealed_key.bytes, recipient.sealed_key.size}, bytes);
  const psa_key_id_t key = good ? import_content_key(bytes) : PSA_KEY_ID_NULL;
  mbedtls_platform_zeroize(bytes.data(), bytes.size());
  return key;
}

}  // namespace

void ContentKey::forget() {
  if (key_ != PSA_KEY_ID_NULL) psa_destroy_key(key_);
  key_ = PSA_KEY_ID_NULL;
}

tl::expected<void, Refusal> ContentKey::unwrap(const mv_wire_AppBody& body, DecryptionKeys keys) {
  forget();
  bool known = false;
  for (const auto& each : keys) {
    if (each.size != P256Scalar::extent) continue;
    const P256Scalar scalar(each.bytes, P256Scalar::extent);
    const auto point = public_half(scalar);
    const mv_wire_Recipient* recipient = point ? recipient_with(body, key_id(*point)) : nullptr;
    if (recipient == nullptr) continue;
    known = true;
    key_ = unwrapped(*recipient, scalar);
    if (there()) return {};
  }
  if (known) {
    return tl::make_unexpected(Refusal{mv_wire_UpdateError_UPDATE_BAD_SEAL,
                                       {"the bundle's key does not open with this device's: make the bundle again"}});
  }
  return tl::make_unexpected(Refusal{mv_wire_UpdateError_UPDATE_NO_DECRYPTION_KEY,
                                     {"the bundle is encrypted, and not to a key of this device"}});
}

bool SegmentOpener::begin(const ContentKey& key, std::uint32_t layer, std::uint32_t segment, std::uint32_t size) {
  psa_aead_abort(&operation_);
  left_ = 0;
  tag_size_ = 0;
  if (!key.there() || size <= sealed::kTagSize || size > sealed::kMostSealedBytes) return false;
  left_ = size - std::uint32_t{sealed::kTagSize};
  const auto nonce = sealed::nonce(layer, segment);
  const auto purpose = as_bytes(sealed::kSegmentPurpose);
  return psa_aead_decrypt_setup(&operation_, key.id(), PSA_ALG_GCM) == PSA_SUCCESS &&
         psa_aead_set_nonce(&operation_, nonce.data(), nonce.size()) == PSA_SUCCESS &&
         psa_aead_update_ad(&operation_, purpose.data(), purpose.size()) == PSA_SUCCESS;
}

std::optional<std::span<const std::uint8_t>> SegmentOpener::next(std::span<const std::uint8_t>& sealed) {
  std::size_t opened = 0;
  if (left_ != 0) {
    const auto part = sealed.first(std::min<std::size_t>({sealed.size(), plain_.size(), left_}));
    sealed = sealed.subspan(part.size());
    left_ -= static_cast<std::uint32_t>(part.size());
    if (psa_aead_update(&operation_, part.data(), part.size(), plain_.data(), plain_.size(), &opened) != PSA_SUCCESS ||
        opened != part.size()) {
      return std::nullopt;
    }
    return std::span(plain_).first(opened);
  }
  const auto part = sealed.first(std::min(sealed.size(), tag_.size() - tag_size_));
  if (part.empty()) return std::nullopt;
  std::ranges::copy(part, tag_.begin() + static_cast<std::ptrdiff_t>(tag_size_));
  tag_size_ += part.size();
  sealed = sealed.subspan(part.size());
  return std::span<const std::uint8_t>();
}

bool SegmentOpener::true_to_the_end() {
  std::size_t rest = 0;
  const bool good = at_end() && psa_aead_verify(&operation_, plain_.data(), plain_.size(), &rest, tag_.data(),
                                                tag_.size()) == PSA_SUCCESS;
  psa_aead_abort(&operation_);
  return good && rest == 0;
}

}  // namespace mv::update
