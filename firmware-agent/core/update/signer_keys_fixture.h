// What the tests of signer keys share: key pairs that sign key changes, and a device that knows some of them.
#pragma once

#include <array>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include "boards/host/fake_flash.h"
#include "core/update/signer_keys.h"
#include "core/update/update_rig.h"
#include "wire/proto/keys.pb.h"

namespace mv::update::fixture {

constexpr const char* kDeviceId = "UV00000000000000000000000000000001";
constexpr std::uint32_t kKeysFlash = flash_map::kSignerKeys.offset + flash_map::kSignerKeys.size;

inline std::string text(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

class KeyPair {
 public:
  KeyPair() {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attributes, 256);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_HASH);
    psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
    std::size_t size = 0;
    check(psa_generate_key(&attributes, &key_));
    check(psa_export_public_key(key_, point_.data(), point_.size(), &size));
  }
  ~KeyPair() { psa_destroy_key(key_); }
  KeyPair(const KeyPair&) = delete;
  KeyPair& operator=(const KeyPair&) = delete;

  const std::array<std::uint8_t, 65>& point() const { return point_; }
  std::uint64_t id() const { return key_id(point_); }

  // r || s over `prefix`, NUL, `body`.
  std::string sign(const std::string& prefix, const std::string& body) const {
    const std::string message = prefix + '\0' + body;
    const Hash digest = rig::sha256({message.begin(), message.end()});
    std::string signature(64, '\0');
    std::size_t size = 0;
    check(psa_sign_hash(key_, PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest.data(), digest.size(),
                        reinterpret_cast<std::uint8_t*>(signature.data()), signature.size(), &size));
    return signature;
  }

 private:
  static void check(psa_status_t status) {
    if (status != PSA_SUCCESS) throw std::runtime_error("the crypto library refuses");
  }

  psa_key_id_t key_ = 0;
  std::array<std::uint8_t, 65> point_{};
};

// The body of a key change, signed by these.
inline rig::Bytes signed_by(const std::string& body, const std::vector<const KeyPair*>& signers) {
  wire::SignedKeyChange message;
  message.set_body(body);
  for (const KeyPair* signer : signers) {
    auto& signature = *message.add_signatures();
    signature.set_key_id(signer->id());
    signature.set_signature(signer->sign("mv-key-change-v1", body));
  }
  const std::string bytes = message.SerializeAsString();
  return {bytes.begin(), bytes.end()};
}

// Of the device kDeviceId, whose CA certificate is "the".
inline mv_wire_Identity identity_with(std::initializer_list<const KeyPair*> signers) {
  mv_wire_Identity identity = mv_wire_Identity_init_zero;
  std::snprintf(identity.device_id, sizeof identity.device_id, "%s", kDeviceId);
  identity.ca_certificate.size = 3;
  std::memcpy(identity.ca_certificate.bytes, "the", 3);
  for (const KeyPair* signer : signers) {
    auto& key = identity.signer_keys[identity.signer_keys_count++];
    key.size = 65;
    std::copy(signer->point().begin(), signer->point().end(), key.bytes);
  }
  return identity;
}

}  // namespace mv::update::fixture
