#include "bundle/manifest.h"

#include <algorithm>
#include <string_view>

#include "bundle/manifest_check.h"
#include "bundle/protobuf.h"
#include "wire/proto/manifest.pb.h"

namespace mv::bundle {
namespace {

// Signed together with the body, its NUL included: 20 bytes.
constexpr std::string_view kSigningPrefix{"twlo-mv-manifest-v1\0", 20};

tl::unexpected<Error> bad(const std::string& what) {
  return refuse(ErrorKind::kBadManifest, "the manifest " + what, "make the bundle again with mvctl bundle create");
}

std::optional<Hash> to_hash(const std::string& bytes) {
  Hash hash;
  if (bytes.size() != hash.bytes.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), hash.bytes.begin());
  return hash;
}

Expected<Layer> to_layer(const wire::Layer& from) {
  Layer layer;
  const auto& target = from.target();
  if (target.where_case() == wire::TargetRegion::WHERE_NOT_SET) return bad("has a layer without a target region");
  const bool external = target.has_external_flash();
  const wire::FlashRegion& region = external ? target.external_flash() : target.internal_flash();
  layer.region = {external ? AreaKind::kExternalFlash : AreaKind::kInternalFlash, region.start(), region.size()};
  layer.encrypted_with_key_id = from.encrypted_with_key_id();
  const auto fetch = to_hash(from.fetch_hash());
  const auto measurement = to_hash(from.measurement_hash());
  if (!fetch || !measurement) return bad("has a layer whose hashes are not 32 bytes long");
  layer.fetch_hash = *fetch;
  layer.measurement_hash = *measurement;
  layer.segment_size = from.segment_size();
  layer.content_size = from.content_size();
  for (const auto& bytes : from.segment_hashes()) {
    const auto hash = to_hash(bytes);
    if (!hash) return bad("has a segment hash that is not 32 bytes long");
    layer.segment_hashes.push_back(*hash);
  }
  return layer;
}

std::vector<CrashRegion> to_regions(const wire::CrashPolicy& from) {
  std::vector<CrashRegion> regions;
  for (const auto& region : from.regions()) regions.push_back({region.address(), region.length()});
  return regions;
}

Policies to_policies(const wire::AppBody& from) {
  return {from.debug().debuggable(),
          to_bytes(from.debug().debug_auth_pubkey()),
          from.debug().halt_limit_sec(),
          from.crash().minimum_restart_ms(),
          from.crash().maximum_restart_ms(),
          to_bytes(from.crash().crash_report_pubkey()),
          from.crash().include_stack_bytes(),
          from.update().maximum_politeness_time_sec(),
          from.update().minimum_kernel_version(),
          from.update().confirm_timeout_sec(),
          static_cast<ConfirmBy>(from.update().confirm_by()),
          from.connectivity().connection_grace_time_sec(),
          from.connectivity().minimum_check_in_time_sec(),
          from.crash().reflect_faults(),
          to_regions(from.crash())};
}

AppInfo to_info(const wire::AppInfo& from) {
  return {from.name(),  from.version(),     to_bytes(from.build_id()), from.git_revision(),
          from.board(), from.syscall_abi(), from.security_counter(),   to_bytes(from.sbom_hash())};
}

Expected<AppBody> to_body(const wire::AppBody& from) {
  AppBody body;
  for (const auto& layer : from.layers()) {
    auto read = to_layer(layer);
    if (!read) return tl::unexpected(read.error());
    body.layers.push_back(std::move(*read));
  }
  body.policies = to_policies(from);
  body.info = to_info(from.info());
  for (const auto& recipient : from.recipients()) {
    body.recipients.push_back({KeyId{recipient.key_id()}, to_bytes(recipient.enc()), to_bytes(recipient.sealed_key())});
  }
  return body;
}

void write_layer(const Layer& layer, wire::Layer& out) {
  auto& target = *out.mutable_target();
  wire::FlashRegion& region = layer.region.area == AreaKind::kInternalFlash ? *target.mutable_internal_flash()
                                                                            : *target.mutable_external_flash();
  region.set_start(layer.region.start);
  region.set_size(layer.region.size);
  out.set_encrypted_with_key_id(layer.encrypted_with_key_id);
  out.set_fetch_hash(to_text(layer.fetch_hash.bytes));
  out.set_measurement_hash(to_text(layer.measurement_hash.bytes));
  out.set_segment_size(layer.segment_size);
  for (const Hash& hash : layer.segment_hashes) out.add_segment_hashes(to_text(hash.bytes));
  out.set_content_size(layer.content_size);
}

void write_policies(const Policies& policies, wire::AppBody& out) {
  out.mutable_debug()->set_debuggable(policies.debuggable);
  out.mutable_debug()->set_debug_auth_pubkey(to_text(policies.debug_auth_pubkey));
  out.mutable_debug()->set_halt_limit_sec(policies.halt_limit_sec);
  out.mutable_crash()->set_minimum_restart_ms(policies.minimum_restart_ms);
  out.mutable_crash()->set_maximum_restart_ms(policies.maximum_restart_ms);
  out.mutable_crash()->set_crash_report_pubkey(to_text(policies.crash_report_pubkey));
  out.mutable_crash()->set_include_stack_bytes(policies.include_stack_bytes);
  out.mutable_crash()->set_reflect_faults(policies.reflect_faults);
  for (const CrashRegion& region : policies.crash_regions) {
    wire::CrashRegion& written = *out.mutable_crash()->add_regions();
    written.set_address(region.address);
    written.set_length(region.length);
  }
  out.mutable_update()->set_maximum_politeness_time_sec(policies.maximum_politeness_time_sec);
  out.mutable_update()->set_minimum_kernel_version(policies.minimum_kernel_version);
  out.mutable_update()->set_confirm_timeout_sec(policies.confirm_timeout_sec);
  out.mutable_update()->set_confirm_by(static_cast<wire::ConfirmBy>(policies.confirm_by));
  out.mutable_connectivity()->set_connection_grace_time_sec(policies.connection_grace_time_sec);
  out.mutable_connectivity()->set_minimum_check_in_time_sec(policies.minimum_check_in_time_sec);
}

void write_info(const AppInfo& info, wire::AppInfo& out) {
  out.set_name(info.name);
  out.set_version(info.version);
  out.set_build_id(to_text(info.build_id));
  out.set_git_revision(info.git_revision);
  out.set_board(info.board);
  out.set_syscall_abi(info.syscall_abi);
  out.set_security_counter(info.security_counter);
  out.set_sbom_hash(to_text(info.sbom_hash));
}

std::string signed_message(Bytes body) { return std::string(kSigningPrefix) + to_text(body); }

}  // namespace

namespace {

Expected<std::vector<KeySignature>> to_signatures(const wire::OpaqueManifest& outer) {
  std::vector<KeySignature> signatures;
  if (outer.signature().empty()) {
    if (outer.signer_id() != 0) return bad("names a signer but has no signature");
    if (outer.extra_signatures_size() != 0) return bad("has extra signatures, but not the first");
    return signatures;
  }
  signatures.push_back({KeyId{outer.signer_id()}, to_bytes(outer.signature())});
  for (const wire::ExtraSignature& extra : outer.extra_signatures()) {
    signatures.push_back({KeyId{extra.signer_id()}, to_bytes(extra.signature())});
  }
  if (signatures.size() > kMostSignatures) return bad("has more than 5 signatures");
  for (auto each = signatures.begin(); each != signatures.end(); ++each) {
    if (each->bytes.size() != sizeof(Signature)) return bad("has a signature that is not 64 bytes long");
    if (std::any_of(signatures.begin(), each, [&](const KeySignature& other) { return other.key == each->key; })) {
      return bad("has two signatures of one key");
    }
  }
  return signatures;
}

}  // namespace

Expected<Manifest> Manifest::parse(Bytes encoded, const Limits& limits) {
  if (encoded.size() > limits.manifest_bytes) {
    return refuse(ErrorKind::kTooBig, "the manifest is " + std::to_string(encoded.size()) + " bytes long, at most " +
                                          std::to_string(limits.manifest_bytes) + " are taken");
  }
  wire::OpaqueManifest outer;
  if (!parse_message(outer, encoded)) return bad("is damaged: it is not a protobuf message");
  wire::AppBody inner;
  if (!parse_message(inner, as_bytes(outer.body()))) return bad("has a damaged body, or text in it that is not UTF-8");
  if (static_cast<std::uint32_t>(inner.layers_size()) > limits.layers) {
    return refuse(ErrorKind::kTooBig, "the manifest names " + std::to_string(inner.layers_size()) +
                                          " layers, at most " + std::to_string(limits.layers) + " are taken");
  }
  auto signatures = to_signatures(outer);
  if (!signatures) return tl::unexpected(signatures.error());
  auto body = to_body(inner);
  if (!body) return tl::unexpected(body.error());
  if (auto checked = check_body(*body, limits); !checked) return tl::unexpected(checked.error());
  Manifest manifest;
  manifest.body_ = std::move(*body);
  manifest.body_bytes_ = to_bytes(outer.body());
  manifest.encoded_.assign(encoded.begin(), encoded.end());
  manifest.signatures_ = std::move(*signatures);
  return manifest;
}

Expected<Manifest> Manifest::from_body(const AppBody& body) {
  wire::AppBody inner;
  for (const Layer& layer : body.layers) write_layer(layer, *inner.add_layers());
  write_policies(body.policies, inner);
  write_info(body.info, *inner.mutable_info());
  for (const Recipient& recipient : body.recipients) {
    wire::Recipient& written = *inner.add_recipients();
    written.set_key_id(recipient.key.value);
    written.set_enc(to_text(recipient.enc));
    written.set_sealed_key(to_text(recipient.sealed_key));
  }
  wire::OpaqueManifest outer;
  outer.set_body(to_text(serialise(inner)));
  return parse(serialise(outer));
}

Expected<Manifest> Manifest::signed_with(const PrivateKey& key) const {
  const auto signature = key.sign(as_bytes(signed_message(body_bytes_)));
  if (!signature) return tl::unexpected(signature.error());
  wire::OpaqueManifest outer;
  if (!parse_message(outer, encoded_)) return bad("is damaged");
  outer.set_signer_id(key.public_key().id().value);
  outer.set_signature(to_text(*signature));
  outer.clear_extra_signatures();
  return parse(serialise(outer));
}

Expected<Manifest> Manifest::signed_also_with(const PrivateKey& key) const {
  if (signatures_.empty()) return signed_with(key);
  const KeyId id = key.public_key().id();
  const auto is_its = [&](const KeySignature& each) { return each.key == id; };
  if (std::any_of(signatures_.begin(), signatures_.end(), is_its)) return *this;
  if (signatures_.size() == kMostSignatures) {
    return refuse(ErrorKind::kTooBig, "the bundle has 5 signatures, and a device takes no more",
                  "begin anew: mvctl bundle sign FILE --key KEY");
  }
  const auto signature = key.sign(as_bytes(signed_message(body_bytes_)));
  if (!signature) return tl::unexpected(signature.error());
  wire::OpaqueManifest outer;
  if (!parse_message(outer, encoded_)) return bad("is damaged");
  wire::ExtraSignature& extra = *outer.add_extra_signatures();
  extra.set_signer_id(id.value);
  extra.set_signature(to_text(*signature));
  return parse(serialise(outer));
}

Expected<std::vector<PublicKey>> Manifest::verify(std::span<const PublicKey> trusted) const {
  if (signatures_.empty())
    return refuse(ErrorKind::kUnsigned, "the bundle is not signed", "sign it with mvctl bundle sign FILE --key KEY");
  std::vector<PublicKey> good;
  for (const KeySignature& each : signatures_) {
    const auto key =
        std::find_if(trusted.begin(), trusted.end(), [&](const PublicKey& k) { return k.id() == each.key; });
    if (key == trusted.end()) continue;
    if (!key->verify(as_bytes(signed_message(body_bytes_)), each.bytes)) {
      return refuse(
          ErrorKind::kBadSignature,
          "the signature of key " + describe(each.key) + " does not fit: the manifest was changed after it was signed",
          "do not use this bundle; make it again from the sources");
    }
    good.push_back(*key);
  }
  if (!good.empty()) return good;
  const std::string many = signatures_.size() > 1 ? " and others" : "";
  return refuse(
      ErrorKind::kUnknownSigner,
      "the bundle is signed by key " + describe(signatures_.front().key) + many + ", which is not trusted here",
      "sign it with a trusted key, or add this key's public half to the trusted ones");
}

}  // namespace mv::bundle
