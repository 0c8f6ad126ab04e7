// The key that the layers of one encrypted bundle are sealed with, and the opening of their segments
// (wire/sealed_layer.h).
//
// Secure thread. The key is in the crypto library, and leaves it with this object.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include <psa/crypto.h>
#include <tl/expected.hpp>

#include "core/update/manifest.h"
#include "wire/proto/identity.nanopb.h"
#include "wire/sealed_layer.h"

namespace mv::update {

// Private halves, one for each group that this device is in: scalars of 32 bytes, as the identity has them.
using DecryptionKeys = std::span<const mv_wire_Identity_decryption_keys_t>;

class ContentKey {
 public:
  ContentKey() = default;
  ~ContentKey() { forget(); }
  ContentKey(const ContentKey&) = delete;
  ContentKey& operator=(const ContentKey&) = delete;

  // Unwraps the key of an encrypted bundle; what was held before is forgotten. Takes a few multiplications on the
  // curve.
  //
  // Errors: UPDATE_NO_DECRYPTION_KEY, UPDATE_BAD_SEAL; then there is none.
  tl::expected<void, Refusal> unwrap(const mv_wire_AppBody& body, DecryptionKeys keys);
  void forget();

  bool there() const { return key_ != PSA_KEY_ID_NULL; }
  psa_key_id_t id() const { return key_; }

 private:
  psa_key_id_t key_ = PSA_KEY_ID_NULL;
};

// Opens one sealed segment at a time, as its bytes come.
class SegmentOpener {
 public:
  SegmentOpener() = default;
  ~SegmentOpener() { psa_aead_abort(&operation_); }
  SegmentOpener(const SegmentOpener&) = delete;
  SegmentOpener& operator=(const SegmentOpener&) = delete;

  // `size`: of the sealed segment, tag included. False if it is none of a segment, or the library refuses.
  bool begin(const ContentKey& key, std::uint32_t layer, std::uint32_t segment, std::uint32_t size);

  // Opens some of `sealed`, which is cut off by what was taken; none is left once this was called often enough. The
  // bytes, valid until the next call, come before it is known that they are true: judge what is made of them by
  // `true_to_the_end`. Nothing if there are more bytes than `size`, or the library refuses.
  std::optional<std::span<const std::uint8_t>> next(std::span<const std::uint8_t>& sealed);

  // The segment is whole.
  bool at_end() const { return left_ == 0 && tag_size_ == tag_.size(); }

  // And nothing of it was changed. Once, at the end.
  bool true_to_the_end();

 private:
  psa_aead_operation_t operation_ = PSA_AEAD_OPERATION_INIT;
  std::uint32_t left_ = 0;  // bytes before the tag
  std::size_t tag_size_ = 0;
  std::array<std::uint8_t, sealed::kTagSize> tag_{};
  std::array<std::uint8_t, 128> plain_;
};

}  // namespace mv::update
