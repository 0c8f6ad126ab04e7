#include "core/update/signer_keys.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <pb_decode.h>

#include "core/storage/little_endian.h"

namespace mv::update {
namespace {

constexpr std::string_view kBundlePrefix = {"twlo-mv-manifest-v1\0", 20};
constexpr std::string_view kChangePrefix = {"mv-key-change-v1\0", 17};
constexpr std::size_t kSignature = 64;

// The record: hash of the change, sequence (two words), threshold, number of keys, their points.
constexpr std::uint8_t kKind = 0;
constexpr std::size_t kSequenceAt = sizeof(Hash);
constexpr std::size_t kThresholdAt = kSequenceAt + 8;
constexpr std::size_t kCountAt = kThresholdAt + 1;
constexpr std::size_t kHeader = kCountAt + 1;
using RecordBytes = std::array<std::uint8_t, kHeader + SignerKeys::kMaxKeys * SignerKeys::kPoint>;

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

bool signed_by(std::span<const std::uint8_t, SignerKeys::kPoint> point, std::string_view prefix,
               std::span<const std::uint8_t> body, std::span<const std::uint8_t> signature) {
  Sha256 sha;
  Hash digest;
  sha.add(as_bytes(prefix));
  sha.add(body);
  return signature.size() == kSignature && sha.finish(digest) && verify(point, digest, signature);
}

// A key that PSA takes is a point of the curve.
bool is_point(std::span<const std::uint8_t, SignerKeys::kPoint> point) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, 256);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_VERIFY_HASH);
  psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
  psa_key_id_t key = 0;
  if (psa_import_key(&attributes, point.data(), point.size(), &key) != PSA_SUCCESS) return false;
  psa_destroy_key(key);
  return true;
}

template <typename Message>
bool decode(std::span<const std::uint8_t> bytes, const pb_msgdesc_t* fields, Message& out) {
  pb_istream_t stream = pb_istream_from_buffer(bytes.data(), bytes.size());
  return pb_decode(&stream, fields, &out);
}

}  // namespace

void SignerKeys::mount() {
  records_.mount();
  if (!load()) take_from_identity();
}

bool SignerKeys::load() {
  RecordBytes bytes{};
  const std::size_t size = records_.read(kKind, bytes);
  if (size < kHeader) return false;
  Set set;
  std::copy_n(bytes.begin(), set.change.size(), set.change.begin());
  set.sequence = storage::load_u32(std::span(bytes).subspan<kSequenceAt, 4>()) |
                 std::uint64_t{storage::load_u32(std::span(bytes).subspan<kSequenceAt + 4, 4>())} << 32U;
  set.threshold = bytes[kThresholdAt];
  set.count = bytes[kCountAt];
  const bool plausible = set.count != 0 && set.count <= kMaxKeys && size == kHeader + set.count * kPoint &&
                         set.threshold != 0 && set.threshold <= set.count;
  if (!plausible) return false;
  for (std::size_t i = 0; i < set.count; ++i) {
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(kHeader + i * kPoint), kPoint, set.points[i].begin());
  }
  set_ = set;
  return true;
}

void SignerKeys::take_from_identity() {
  set_ = {};
  for (std::size_t i = 0; i < identity_.signer_keys_count && set_.count < kMaxKeys; ++i) {
    const auto& key = identity_.signer_keys[i];
    if (key.size != kPoint) continue;
    std::copy_n(key.bytes, kPoint, set_.points[set_.count++].begin());
  }
  // One that wants more than there are runs nothing, but never with fewer than it was made for.
  set_.threshold = static_cast<std::uint8_t>(std::clamp<std::uint32_t>(identity_.signer_threshold, 1, kMaxKeys));
}

bool SignerKeys::store(const Set& set) {
  RecordBytes bytes{};
  std::ranges::copy(set.change, bytes.begin());
  storage::store_u32(std::span(bytes).subspan<kSequenceAt, 4>(), static_cast<std::uint32_t>(set.sequence));
  storage::store_u32(std::span(bytes).subspan<kSequenceAt + 4, 4>(), static_cast<std::uint32_t>(set.sequence >> 32U));
  bytes[kThresholdAt] = set.threshold;
  bytes[kCountAt] = set.count;
  for (std::size_t i = 0; i < set.count; ++i) {
    std::ranges::copy(set.points[i], bytes.begin() + static_cast<std::ptrdiff_t>(kHeader + i * kPoint));
  }
  return records_.put(kKind, 0, std::span(bytes).first(kHeader + set.count * kPoint));
}

const SignerKeys::Point* SignerKeys::find(const Set& set, std::uint64_t id) {
  const std::span known(set.points.data(), set.count);
  const auto found = std::ranges::find_if(known, [id](const Point& point) { return key_id(point) == id; });
  return found == known.end() ? nullptr : &*found;
}

// A key that is named twice counts once.
SignerKeys::Tally SignerKeys::tally(std::string_view prefix, std::span<const std::uint8_t> body,
                                    std::span<const Signature> signatures) const {
  Tally tally;
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    const Signature& each = signatures[i];
    const bool again =
        std::ranges::any_of(signatures.first(i), [&](const Signature& other) { return other.key_id == each.key_id; });
    const Point* point = again ? nullptr : find(set_, each.key_id);
    if (point == nullptr) continue;
    if (!signed_by(*point, prefix, body, each.bytes)) {
      tally.bad = true;
    } else if (tally.good.count < kMaxSignatures) {
      tally.good.ids[tally.good.count++] = each.key_id;
    }
  }
  return tally;
}

tl::expected<SignerIds, mv_wire_UpdateError> SignerKeys::check(std::span<const Signature> signatures,
                                                               std::span<const std::uint8_t> body) {
  const Tally found = tally(kBundlePrefix, body, signatures);
  if (found.bad) return tl::make_unexpected(mv_wire_UpdateError_UPDATE_BAD_SIGNATURE);
  if (found.good.count == 0) return tl::make_unexpected(mv_wire_UpdateError_UPDATE_UNKNOWN_SIGNER);
  if (found.good.count < set_.threshold) return tl::make_unexpected(mv_wire_UpdateError_UPDATE_TOO_FEW_SIGNERS);
  return found.good;
}

bool SignerKeys::enough(const SignerIds& signers) const {
  const auto known = std::ranges::count_if(signers.view(), [this](std::uint64_t id) { return contains(id); });
  return known >= set_.threshold;
}

bool SignerKeys::is_for_us(const mv_wire_KeyChange& change) const {
  if (change.device_id[0] != '\0') return std::strcmp(change.device_id, identity_.device_id) == 0;
  Sha256 sha;
  Hash ca;
  sha.add({identity_.ca_certificate.bytes, identity_.ca_certificate.size});
  return change.ca_hash.size == ca.size() && sha.finish(ca) && std::equal(ca.begin(), ca.end(), change.ca_hash.bytes);
}

bool SignerKeys::enough_signed(const mv_wire_SignedKeyChange& message) const {
  std::array<Signature, std::size(mv_wire_SignedKeyChange{}.signatures)> signatures{};
  for (std::size_t i = 0; i < message.signatures_count; ++i) {
    const mv_wire_KeySignature& each = message.signatures[i];
    signatures[i] = {each.key_id, {each.signature.bytes, each.signature.size}};
  }
  return tally(kChangePrefix, {message.body.bytes, message.body.size},
               std::span(signatures).first(message.signatures_count))
             .good.count >= set_.threshold;
}

mv_wire_KeyChangeError SignerKeys::change_set(Set& set, const mv_wire_KeyChange& change,
                                              std::span<const std::uint64_t> in_use) {
  for (std::size_t i = 0; i < change.remove_count; ++i) {
    const std::span known(set.points.data(), set.count);
    const auto found =
        std::ranges::find_if(known, [&](const Point& point) { return key_id(point) == change.remove[i]; });
    if (found == known.end()) return mv_wire_KeyChangeError_KEYS_UNKNOWN_KEY;
    std::copy(found + 1, known.end(), found);
    --set.count;
  }
  for (std::size_t i = 0; i < change.add_count; ++i) {
    Point point{};
    if (change.add[i].size != kPoint) return mv_wire_KeyChangeError_KEYS_BAD_POINT;
    std::copy_n(change.add[i].bytes, kPoint, point.begin());
    if (!is_point(point)) return mv_wire_KeyChangeError_KEYS_BAD_POINT;
    const std::span known(set.points.data(), set.count);
    if (std::ranges::find(known, point) != known.end()) continue;  // it is there already
    if (set.count == kMaxKeys) return mv_wire_KeyChangeError_KEYS_TOO_MANY;
    set.points[set.count++] = point;
  }
  if (change.threshold > kMaxKeys) return mv_wire_KeyChangeError_KEYS_BELOW_THRESHOLD;
  if (change.threshold != 0) set.threshold = static_cast<std::uint8_t>(change.threshold);
  if (set.count == 0 || set.count < set.threshold) return mv_wire_KeyChangeError_KEYS_BELOW_THRESHOLD;
  const auto left = std::ranges::count_if(in_use, [&](std::uint64_t id) { return find(set, id) != nullptr; });
  if (!in_use.empty() && left < set.threshold) return mv_wire_KeyChangeError_KEYS_IN_USE;
  set.sequence = change.sequence;
  return mv_wire_KeyChangeError_KEYS_OK;
}

// Nothing of the body is looked at before the signatures over it are verified, but whom it is for: a change for
// another device is no forgery.
mv_wire_KeyChangeError SignerKeys::apply(std::span<const std::uint8_t> bytes, std::span<const std::uint64_t> in_use) {
  mv_wire_SignedKeyChange message = mv_wire_SignedKeyChange_init_zero;
  mv_wire_KeyChange change = mv_wire_KeyChange_init_zero;
  if (bytes.size() > kMaxMessage || !decode(bytes, mv_wire_SignedKeyChange_fields, message) ||
      !decode({message.body.bytes, message.body.size}, mv_wire_KeyChange_fields, change)) {
    return mv_wire_KeyChangeError_KEYS_NOT_UNDERSTOOD;
  }
  if (!is_for_us(change)) return mv_wire_KeyChangeError_KEYS_OTHER_DEVICE;
  Sha256 sha;
  Hash hash;
  sha.add({message.body.bytes, message.body.size});
  if (!sha.finish(hash)) return mv_wire_KeyChangeError_KEYS_NOT_NOW;
  if (set_.sequence != 0 && hash == set_.change) return mv_wire_KeyChangeError_KEYS_OK;  // its answer was lost
  if (!enough_signed(message)) return mv_wire_KeyChangeError_KEYS_TOO_FEW_SIGNERS;
  if (change.sequence <= set_.sequence) return mv_wire_KeyChangeError_KEYS_OLD_SEQUENCE;
  Set next = set_;
  if (const auto error = change_set(next, change, in_use); error != mv_wire_KeyChangeError_KEYS_OK) return error;
  next.change = hash;
  if (!store(next)) return mv_wire_KeyChangeError_KEYS_FLASH_FAILED;
  set_ = next;
  return mv_wire_KeyChangeError_KEYS_OK;
}

void SignerKeys::report(mv_wire_KeysReport& out) const {
  out.sequence = set_.sequence;
  out.threshold = set_.threshold;
  if (set_.sequence != 0) {
    out.change.size = sizeof(Hash);
    std::ranges::copy(set_.change, out.change.bytes);
  }
  out.keys_count = set_.count;
  for (std::size_t i = 0; i < set_.count; ++i) out.keys[i] = key_id(set_.points[i]);
}

}  // namespace mv::update
