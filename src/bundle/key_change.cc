#include "bundle/key_change.h"

#include <algorithm>
#include <string_view>

#include "bundle/protobuf.h"
#include "wire/proto/keys.pb.h"

namespace mv::bundle {
namespace {

// Signed together with the body, its NUL included.
constexpr std::string_view kSigningPrefix{"mv-key-change-v1\0", 17};

tl::unexpected<Error> bad(const std::string& what) {
  return refuse(ErrorKind::kBadManifest, "the key change " + what, "make it again with mvctl keys change");
}

// "UV" and 32 lower-case hexadecimal digits.
bool is_device_id(std::string_view text) {
  return text.size() == 34 && text.starts_with("UV") &&
         text.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
}

Expected<void> check(const KeyChange& change) {
  if (change.sequence == 0) return bad("has no sequence number");
  if (change.device_id.empty() == change.ca_hash.empty()) return bad("must be for one device or for one CA");
  if (!change.device_id.empty() && !is_device_id(change.device_id)) return bad("is for something that is no device id");
  if (!change.ca_hash.empty() && change.ca_hash.size() != sizeof(Hash)) return bad("is for a CA without a SHA-256");
  if (change.add.size() > SignedKeyChange::kMostAdded) return bad("adds more than 4 keys: make two of it");
  if (change.remove.size() > SignedKeyChange::kMostRemoved) return bad("removes more than the 8 keys a device has");
  if (change.threshold > SignedKeyChange::kMostKeys) return bad("wants more signers than the 8 keys a device has");
  if (change.add.empty() && change.remove.empty() && change.threshold == 0) return bad("changes nothing");
  return {};
}

Expected<KeyChange> to_change(const wire::KeyChange& from) {
  KeyChange change;
  change.sequence = from.sequence();
  change.device_id = from.device_id();
  change.ca_hash = to_bytes(from.ca_hash());
  for (const std::string& point : from.add()) {
    auto key = PublicKey::from_point(as_bytes(point));
    if (!key) return tl::unexpected(key.error());
    change.add.push_back(std::move(*key));
  }
  for (const std::uint64_t id : from.remove()) change.remove.push_back(KeyId{id});
  change.threshold = from.threshold();
  if (auto good = check(change); !good) return tl::unexpected(good.error());
  return change;
}

}  // namespace

Expected<SignedKeyChange> SignedKeyChange::parse(Bytes encoded) {
  if (encoded.size() > kMaxBytes) {
    return refuse(ErrorKind::kTooBig,
                  "a key change has at most 1200 bytes, this has " + std::to_string(encoded.size()));
  }
  wire::SignedKeyChange outer;
  wire::KeyChange inner;
  if (!parse_message(outer, encoded) || !parse_message(inner, as_bytes(outer.body()))) return bad("is damaged");
  auto change = to_change(inner);
  if (!change) return tl::unexpected(change.error());
  if (static_cast<std::size_t>(outer.signatures_size()) > kMostSignatures) {
    return refuse(ErrorKind::kTooBig, "a device looks at 4 signatures of a key change at most");
  }
  SignedKeyChange out;
  for (const wire::KeySignature& each : outer.signatures()) {
    if (each.signature().size() != sizeof(Signature)) return bad("has a signature that is not 64 bytes long");
    out.signatures_.push_back({KeyId{each.key_id()}, to_bytes(each.signature())});
  }
  out.change_ = std::move(*change);
  out.body_ = to_bytes(outer.body());
  out.encoded_.assign(encoded.begin(), encoded.end());
  return out;
}

Expected<SignedKeyChange> SignedKeyChange::make(const KeyChange& change) {
  wire::KeyChange inner;
  inner.set_sequence(change.sequence);
  inner.set_device_id(change.device_id);
  inner.set_ca_hash(to_text(change.ca_hash));
  for (const PublicKey& key : change.add) inner.add_add(to_text(key.point()));
  for (const KeyId id : change.remove) inner.add_remove(id.value);
  inner.set_threshold(change.threshold);
  wire::SignedKeyChange outer;
  outer.set_body(to_text(serialise(inner)));
  return parse(serialise(outer));
}

Expected<SignedKeyChange> SignedKeyChange::signed_with(const PrivateKey& key) const {
  const KeyId id = key.public_key().id();
  const auto is_its = [&](const KeySignature& each) { return each.key == id; };
  if (std::any_of(signatures_.begin(), signatures_.end(), is_its)) return *this;
  const auto signature = key.sign(as_bytes(std::string(kSigningPrefix) + to_text(body_)));
  if (!signature) return tl::unexpected(signature.error());
  wire::SignedKeyChange outer;
  if (!parse_message(outer, encoded_)) return bad("is damaged");
  wire::KeySignature& added = *outer.add_signatures();
  added.set_key_id(id.value);
  added.set_signature(to_text(*signature));
  return parse(serialise(outer));
}

}  // namespace mv::bundle
