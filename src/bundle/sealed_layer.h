// Layers that only a group of devices can read: sealed segments, and the key to them wrapped for each receiver.
//
// The format is in wire/sealed_layer.h and docs/bundle-format.md.
#pragma once

#include <cstdint>
#include <vector>

#include "bundle/error.h"
#include "bundle/keys.h"
#include "bundle/manifest.h"
#include "bundle/secret.h"
#include "wire/sealed_layer.h"

namespace mv::bundle {

// What the layers of one bundle are sealed with.
class ContentKey {
 public:
  // Errors: kBadKey (the system has no randomness).
  static Expected<ContentKey> generate();

  // The one that was wrapped for the owner of `key`. Errors: kBadKey (for somebody else, or changed).
  static Expected<ContentKey> unwrap(const std::vector<Recipient>& recipients, const PrivateKey& key);

  Expected<Recipient> wrap(const PublicKey& receiver) const;

  // The layer's file. `layer`: its index in the bundle. No two contents may be sealed with one index.
  // Errors: kTooBig (no memory).
  Expected<std::vector<std::uint8_t>> seal(Bytes content, std::uint32_t layer) const;

  // What `seal` was given. Errors: kWrongContent (which segment).
  Expected<std::vector<std::uint8_t>> open(Bytes file, std::uint32_t layer, std::uint32_t content_size) const;

 private:
  explicit ContentKey(const Secret<sealed::kKeySize>& bytes) : bytes_(bytes) {}

  Secret<sealed::kKeySize> bytes_;
};

// The sealed segments of a layer's file, as devices ask for them: no key is needed for that. They point into `file`.
// Errors: kWrongContent: its table does not fit.
Expected<std::vector<Bytes>> sealed_segments(Bytes file, std::uint32_t content_size);

// The longest file of a layer: what is sealed may be longer than it was.
std::uint64_t most_file_bytes(const Layer& layer);

}  // namespace mv::bundle
