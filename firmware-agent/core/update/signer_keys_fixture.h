// What the tests of signer keys share: key pairs that sign key changes, and a device that knows some of them.
#pragma once

#include <cstdio>
#include <cstring>
#include <initializer_list>
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

// The body of a key change, signed by these.
inline rig::Bytes signed_by(const std::string& body, const std::vector<const rig::Signer*>& signers) {
  wire::SignedKeyChange message;
  message.set_body(body);
  for (const rig::Signer* signer : signers) {
    auto& signature = *message.add_signatures();
    signature.set_key_id(signer->id());
    signature.set_signature(text(signer->sign(body, "mv-key-change-v1")));
  }
  const std::string bytes = message.SerializeAsString();
  return {bytes.begin(), bytes.end()};
}

// Of the device kDeviceId, whose CA certificate is "the".
inline mv_wire_Identity identity_with(std::initializer_list<const rig::Signer*> signers) {
  mv_wire_Identity identity = mv_wire_Identity_init_zero;
  std::snprintf(identity.device_id, sizeof identity.device_id, "%s", kDeviceId);
  identity.ca_certificate.size = 3;
  std::memcpy(identity.ca_certificate.bytes, "the", 3);
  for (const rig::Signer* signer : signers) {
    auto& key = identity.signer_keys[identity.signer_keys_count++];
    key.size = 65;
    std::copy(signer->point().begin(), signer->point().end(), key.bytes);
  }
  return identity;
}

}  // namespace mv::update::fixture
