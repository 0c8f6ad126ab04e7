// A change of the keys whose bundles devices run: made, signed by keys that a device has, carried to it by the cloud.
//
// The schema is wire/proto/keys.proto, the rules docs/keys.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bundle/error.h"
#include "bundle/hash.h"
#include "bundle/keys.h"
#include "bundle/manifest.h"

namespace mv::bundle {

struct KeyChange {
  std::uint64_t sequence = 0;         // above that of the last change a device has carried out
  std::string device_id;              // for this device only; empty: for every device of the CA
  std::vector<std::uint8_t> ca_hash;  // SHA-256 of the DER of the CA's certificate; empty if there is a device
  std::vector<PublicKey> add;
  std::vector<KeyId> remove;
  std::uint32_t threshold = 0;  // so many keys must sign from now on; 0: as before
};

// Exists only if it is within what a device takes, names whom it is for, and changes something.
class SignedKeyChange {
 public:
  static constexpr std::size_t kMaxBytes = 1200;
  static constexpr std::size_t kMostAdded = 4;
  static constexpr std::size_t kMostRemoved = 8;
  static constexpr std::size_t kMostSignatures = 4;
  static constexpr std::uint32_t kMostKeys = 8;  // that a device holds

  // Errors: kBadManifest, kBadKey, kTooBig.
  static Expected<SignedKeyChange> parse(Bytes encoded);

  // Not signed yet. Errors: likewise.
  static Expected<SignedKeyChange> make(const KeyChange& change);

  // With a signature of this key besides those there are. Errors: kBadKey, kTooBig.
  Expected<SignedKeyChange> signed_with(const PrivateKey& key) const;

  const KeyChange& change() const { return change_; }
  const std::vector<KeySignature>& signatures() const { return signatures_; }
  const std::vector<std::uint8_t>& encoded() const { return encoded_; }
  Hash hash() const { return sha256(encoded_); }    // what a device answers to
  Hash body_hash() const { return sha256(body_); }  // what a device that has carried it out names

 private:
  KeyChange change_;
  std::vector<std::uint8_t> body_;
  std::vector<std::uint8_t> encoded_;
  std::vector<KeySignature> signatures_;
};

}  // namespace mv::bundle
