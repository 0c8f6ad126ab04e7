#include "core/update/update_rig.h"

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "core/tls/tls_platform.h"
#include "delta/encoder.h"

namespace mv::update::rig {
namespace {

void check(bool good, const char* what) {
  if (!good) throw std::runtime_error(what);
}

std::string text(const Hash& hash) { return {hash.begin(), hash.end()}; }

}  // namespace

Hash sha256(const Bytes& bytes) {
  Sha256 sha;
  Hash hash;
  sha.add(bytes);
  check(sha.finish(hash), "no SHA-256: is the crypto library set up?");
  return hash;
}

void set_up_crypto() {
  static host::FakeEntropy entropy;
  static host::FakeClock clock;
  static const bool good = tls::set_up(entropy, clock);
  check(good, "the crypto library does not start");
}

Signer::Signer() {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, 256);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_HASH);
  psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
  check(psa_generate_key(&attributes, &key_) == PSA_SUCCESS, "no key");
  std::size_t size = 0;
  check(psa_export_public_key(key_, point_.data(), point_.size(), &size) == PSA_SUCCESS, "no public key");
}

Signer::~Signer() { psa_destroy_key(key_); }

Bytes Signer::sign(const std::string& body, const std::string& prefix) const {
  const std::string message = prefix + '\0' + body;
  const Hash digest = sha256({message.begin(), message.end()});
  Bytes signature(64);
  std::size_t size = 0;
  check(psa_sign_hash(key_, PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest.data(), digest.size(), signature.data(),
                      signature.size(), &size) == PSA_SUCCESS,
        "no signature");
  return signature;
}

Bytes pattern(std::size_t size, unsigned seed) {
  Bytes bytes(size);
  unsigned state = seed * 2654435761U + 12345U;
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>((state = state * 1664525U + 1013904223U) >> 24U);
  return bytes;
}

void add_layer(Bundle& bundle, std::uint32_t start, std::uint32_t size, const Bytes& content) {
  Bytes region = content;
  region.resize(size, 0xFF);
  wire::Layer& layer = *bundle.body.add_layers();
  layer.mutable_target()->mutable_internal_flash()->set_start(start);
  layer.mutable_target()->mutable_internal_flash()->set_size(size);
  layer.set_fetch_hash(text(sha256(content)));
  layer.set_measurement_hash(text(sha256(region)));
  layer.set_content_size(static_cast<std::uint32_t>(content.size()));
  layer.set_segment_size(mv::delta::kSegmentSize);
  for (std::size_t at = 0; at < content.size(); at += mv::delta::kSegmentSize) {
    const std::size_t end = std::min<std::size_t>(content.size(), at + mv::delta::kSegmentSize);
    layer.add_segment_hashes(text(sha256(
        Bytes(content.begin() + static_cast<std::ptrdiff_t>(at), content.begin() + static_cast<std::ptrdiff_t>(end)))));
  }
  bundle.layers.push_back(content);
}

void make_original(Bundle& bundle) {
  for (wire::Layer& layer : *bundle.body.mutable_layers()) {
    layer.clear_content_size();
    layer.clear_segment_size();
    layer.clear_segment_hashes();
  }
}

void encrypt(Bundle& bundle, const std::vector<bundle::PublicKey>& readers) {
  const auto key = bundle::ContentKey::generate();
  check(key.has_value(), "no key");
  for (const auto& reader : readers) {
    const auto wrapped = key->wrap(reader);
    check(wrapped.has_value(), "not wrapped");
    wire::Recipient& recipient = *bundle.body.add_recipients();
    recipient.set_key_id(wrapped->key.value);
    recipient.set_enc(wrapped->enc.data(), wrapped->enc.size());
    recipient.set_sealed_key(wrapped->sealed_key.data(), wrapped->sealed_key.size());
  }
  for (std::size_t i = 0; i < bundle.layers.size(); ++i) {
    const auto file = key->seal(bundle.layers[i], static_cast<std::uint32_t>(i));
    check(file.has_value(), "not sealed");
    const auto segments = bundle::sealed_segments(*file, static_cast<std::uint32_t>(bundle.layers[i].size()));
    check(segments.has_value(), "no segments");
    auto& sealed = bundle.sealed.emplace_back();
    for (const auto& each : *segments) sealed.emplace_back(each.begin(), each.end());
    wire::Layer& layer = *bundle.body.mutable_layers(static_cast<int>(i));
    layer.set_fetch_hash(text(sha256(*file)));
    layer.set_encrypted_with_key_id(7);
  }
}

void seal(Bundle& bundle, const std::vector<const Signer*>& signers) {
  wire::OpaqueManifest manifest;
  manifest.set_body(bundle.body.SerializeAsString());
  manifest.set_signer_id(1);
  manifest.set_signature(std::string(64, 1));
  for (const Signer* signer : signers) {
    const Bytes signature = signer->sign(manifest.body());
    if (signer == signers.front()) {
      manifest.set_signer_id(signer->id());
      manifest.set_signature(signature.data(), signature.size());
    } else {
      wire::ExtraSignature& extra = *manifest.add_extra_signatures();
      extra.set_signer_id(signer->id());
      extra.set_signature(signature.data(), signature.size());
    }
  }
  const std::string file = manifest.SerializeAsString();
  bundle.manifest.assign(file.begin(), file.end());
  bundle.hash = sha256(bundle.manifest);
}

Bundle make_bundle(const std::vector<Bytes>& contents, unsigned politeness_sec) {
  Bundle bundle;
  std::uint32_t start = 0;
  for (const Bytes& content : contents) {
    const auto pages = static_cast<std::uint32_t>((content.size() + storage::kPage - 1) / storage::kPage);
    add_layer(bundle, start, pages * storage::kPage, content);
    start += pages * storage::kPage;
  }
  bundle.body.mutable_info()->set_board("mps2-an505");
  bundle.body.mutable_update()->set_maximum_politeness_time_sec(politeness_sec);
  seal(bundle);
  return bundle;
}

Bundle make_trial_bundle(const std::vector<Bytes>& contents, unsigned confirm_sec) {
  Bundle bundle = make_bundle(contents);
  bundle.body.mutable_update()->set_confirm_timeout_sec(confirm_sec);
  seal(bundle);
  return bundle;
}

void FakeCloud::add(const Bundle& bundle) {
  blobs_[bundle.hash] = bundle.manifest;
  if (!bundle.sealed.empty()) sealed_[bundle.hash] = bundle.sealed;
  Image& image = images_[bundle.hash] = {};
  for (const Bytes& layer : bundle.layers) {
    blobs_[sha256(layer)] = layer;
    image.bytes.insert(image.bytes.end(), layer.begin(), layer.end());
    image.layers.push_back(static_cast<std::uint32_t>(layer.size()));
  }
}

void FakeCloud::replace_layer(const Bundle& bundle, std::size_t layer, Bytes bytes) {
  Bundle changed = bundle;
  blobs_[sha256(bundle.layers[layer])] = bytes;
  changed.layers[layer] = std::move(bytes);
  Image image;
  for (const Bytes& each : changed.layers) {
    image.bytes.insert(image.bytes.end(), each.begin(), each.end());
    image.layers.push_back(static_cast<std::uint32_t>(each.size()));
  }
  images_[bundle.hash] = image;
  records_.clear();
}

void FakeCloud::believe(const Hash& bundle, const Bytes& image) {
  images_[bundle].bytes = image;
  records_.clear();
}

const FakeCloud::Records& FakeCloud::records(const Hash& from, bool has_from, const Hash& to) {
  if (const auto sealed = sealed_.find(to); sealed != sealed_.end()) return sealed->second;
  const auto key = std::pair(has_from ? from : Hash{}, to);
  if (const auto known = records_.find(key); known != records_.end()) return known->second;
  static const Bytes nothing;
  const Image& image = images_.at(to);
  const Bytes& old = has_from ? images_.at(from).bytes : nothing;
  const auto encoder = mv::delta::Encoder::create(old);
  check(encoder.has_value(), "no encoder");
  const auto segments = encoder->encode(image.bytes, image.layers);
  check(segments.has_value(), "not encoded");
  Records& made = records_[key];
  std::size_t at = 0;
  for (const std::uint32_t size : image.layers) {
    auto& layer = made.emplace_back();
    for (std::uint32_t done = 0; done < size; done += mv::delta::kSegmentSize)
      layer.push_back((*segments)[at++].record);
  }
  return made;
}

bool FakeCloud::fetch_segments(const link::SegmentQuery& query, link::BlobSink& sink) {
  if (!ready() || query.wanted == 0) return false;
  Open open{nullptr, 0, 0, &sink};
  if (images_.contains(query.manifest)) {
    const bool has_from = query.has_from && images_.contains(query.from);
    const Records& all = records(query.from, has_from, query.manifest);
    open.records = &all.at(query.layer);
    open.wanted = query.wanted;
  }
  open_ = open;
  return true;
}

void FakeCloud::pump_record(Open open) {
  const auto segment = static_cast<std::uint32_t>(std::countr_zero(open.wanted));
  const Bytes& record = open.records->at(segment);
  const std::uint32_t at = open.offset;
  const auto total = static_cast<std::uint32_t>(record.size());
  const std::uint32_t size = std::min(chunk, total - at);
  open.offset += size;
  bytes_served += size;
  if (open.offset == total) {
    open.offset = 0;
    open.wanted &= open.wanted - 1;
  }
  open_ = open;
  open.sink->on_record(segment, at, std::span(record).subspan(at, size), total);
  if (open.wanted != 0) return;
  open_.reset();
  open.sink->on_fetched();
}

bool FakeCloud::fetch(std::span<const std::uint8_t, 32> hash, std::uint32_t offset, std::uint32_t length,
                      link::BlobSink& sink) {
  if (!ready() || length == 0) return false;
  Hash key;
  std::ranges::copy(hash, key.begin());
  const auto found = blobs_.find(key);
  const bool there = found != blobs_.end() && offset + length <= found->second.size();
  open_ = Open{there ? &found->second : nullptr, offset, offset + length, &sink};
  return true;
}

void FakeCloud::pump() {
  if (!open_) return;
  link::BlobSink& sink = *open_->sink;
  if (open_->records != nullptr) return pump_record(*open_);
  if (open_->blob == nullptr) {
    open_.reset();
    sink.on_missing();
    return;
  }
  const std::uint32_t size = std::min(chunk, open_->end - open_->offset);
  const std::uint32_t at = open_->offset;
  const std::span data(open_->blob->data() + at, size);
  open_->offset += size;
  bytes_served += size;
  const bool last = open_->offset == open_->end;
  sink.on_chunk(at, data, static_cast<std::uint32_t>(open_->blob->size()));
  if (!last) return;
  open_.reset();
  sink.on_fetched();
}

void FakeCloud::disconnect() {
  connected = false;
  if (!open_) return;
  link::BlobSink& sink = *open_->sink;
  open_.reset();
  sink.on_interrupted();
}

void Device::desire(const Bundle& bundle, std::uint64_t generation, bool force) {
  mv_wire_Desired desired = mv_wire_Desired_init_zero;
  desired.generation = first_generation + generation;
  desired.manifest_hash.size = 32;
  std::ranges::copy(bundle.hash, desired.manifest_hash.bytes);
  desired.manifest_size = static_cast<std::uint32_t>(bundle.manifest.size());
  desired.force = force;
  engine.desire(desired);
}

void Device::desire_nothing(std::uint64_t generation) {
  mv_wire_Desired desired = mv_wire_Desired_init_zero;
  desired.generation = first_generation + generation;
  engine.desire(desired);
}

void Device::run(int limit) {
  for (int step = 0; step < limit && flash_.powered(); ++step) {
    clock.advance_ms(1);
    const bool more = engine.poll();
    const std::uint64_t before = cloud_.bytes_served;
    const bool was_ready = cloud_.ready();
    cloud_.pump();
    if (!more && cloud_.bytes_served == before && cloud_.ready() == was_ready) return;
  }
}

mv_wire_AppReport Device::report() {
  mv_wire_AppReport report;
  engine.report(report);
  return report;
}

bool installed(host::FakeFlash& flash, const Bundle& bundle) {
  for (int i = 0; i < bundle.body.layers_size(); ++i) {
    const auto& where = bundle.body.layers(i).target().internal_flash();
    Bytes wanted = bundle.layers[static_cast<std::size_t>(i)];
    wanted.resize(where.size(), 0xFF);
    Bytes is(where.size());
    if (flash.read(flash_map::kApplication.offset + where.start(), is) != Flash::Result::kOk || is != wanted)
      return false;
  }
  return true;
}

}  // namespace mv::update::rig
