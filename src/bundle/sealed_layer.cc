#include "bundle/sealed_layer.h"

#include <openssl/rand.h>

#include <algorithm>

#include "bundle/aes_gcm.h"
#include "bundle/hpke.h"
#include "delta/encoder.h"
#include "delta/whole_segment.h"

namespace mv::bundle {
namespace {

constexpr const char* kAgain = "copy or make the bundle again";

tl::unexpected<Error> wrong(const std::string& what) { return refuse(ErrorKind::kWrongContent, what, kAgain); }

void write_size(std::size_t size, std::vector<std::uint8_t>& out) {
  for (std::size_t shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(size >> shift));
}

std::uint32_t read_size(Bytes bytes) {
  std::uint32_t size = 0;
  for (std::size_t i = sealed::kSizeBytes; i-- > 0;) size = size << 8 | bytes[i];
  return size;
}

}  // namespace

Expected<ContentKey> ContentKey::generate() {
  Secret<sealed::kKeySize> bytes;
  if (RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return refuse(ErrorKind::kBadKey, "no key could be made: the system has no randomness");
  }
  return ContentKey(bytes);
}

Expected<ContentKey> ContentKey::unwrap(const std::vector<Recipient>& recipients, const PrivateKey& key) {
  const KeyId id = key.public_key().id();
  const auto own = std::ranges::find(recipients, id, &Recipient::key);
  if (own == recipients.end()) {
    return refuse(ErrorKind::kBadKey, "the bundle is not encrypted to key " + describe(id),
                  "mvctl bundle inspect shows whom it is for");
  }
  auto opened = hpke_open(key, own->enc, as_bytes(sealed::kKeyPurpose), {}, own->sealed_key);
  if (!opened) return tl::unexpected(opened.error());
  if (opened->size() != sealed::kKeySize) return wrong("the bundle's key has another length");
  Secret<sealed::kKeySize> bytes;
  std::ranges::copy(*opened, bytes.begin());
  OPENSSL_cleanse(opened->data(), opened->size());
  return ContentKey(bytes);
}

Expected<Recipient> ContentKey::wrap(const PublicKey& receiver) const {
  auto message = hpke_seal(receiver, as_bytes(sealed::kKeyPurpose), {}, bytes_);
  if (!message) return tl::unexpected(message.error());
  return Recipient{receiver.id(), {message->enc.begin(), message->enc.end()}, std::move(message->sealed)};
}

Expected<std::vector<std::uint8_t>> ContentKey::seal(Bytes content, std::uint32_t layer) const {
  const auto segments =
      delta::Encoder::create({}).and_then([&](const delta::Encoder& encoder) { return encoder.encode(content); });
  if (!segments) return refuse(ErrorKind::kTooBig, std::string(delta::describe(segments.error())));
  std::vector<std::uint8_t> file, pieces;
  for (std::uint32_t i = 0; i < segments->size(); ++i) {
    const auto piece =
        gcm_seal(bytes_, sealed::nonce(layer, i), as_bytes(sealed::kSegmentPurpose), (*segments)[i].record);
    if (!piece) return refuse(ErrorKind::kTooBig, "a layer could not be encrypted: no memory");
    write_size(piece->size(), file);
    pieces.insert(pieces.end(), piece->begin(), piece->end());
  }
  file.insert(file.end(), pieces.begin(), pieces.end());
  return file;
}

Expected<std::vector<std::uint8_t>> ContentKey::open(Bytes file, std::uint32_t layer,
                                                     std::uint32_t content_size) const {
  const auto pieces = sealed_segments(file, content_size);
  if (!pieces) return tl::unexpected(pieces.error());
  std::vector<std::uint8_t> content;
  for (std::uint32_t i = 0; i < pieces->size(); ++i) {
    const auto record = gcm_open(bytes_, sealed::nonce(layer, i), as_bytes(sealed::kSegmentPurpose), (*pieces)[i]);
    const std::uint32_t size = std::min(delta::kSegmentSize, content_size - i * delta::kSegmentSize);
    const auto segment = record ? delta::unpack_whole(*record, size) : std::nullopt;
    if (!segment) {
      return wrong("segment " + std::to_string(i + 1) + " of layer " + std::to_string(layer + 1) +
                   (record ? " is sealed, and no segment of its size" : " does not open: it was changed"));
    }
    content.insert(content.end(), segment->begin(), segment->end());
  }
  return content;
}

Expected<std::vector<Bytes>> sealed_segments(Bytes file, std::uint32_t content_size) {
  const std::size_t count = sealed::segments_of(content_size), table = count * sealed::kSizeBytes;
  if (file.size() < table) return wrong("an encrypted layer is shorter than the table of its segments");
  Bytes rest = file.subspan(table);
  std::vector<Bytes> pieces;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t size = read_size(file.subspan(i * sealed::kSizeBytes));
    if (size <= sealed::kTagSize || size > sealed::kMostSealedBytes || size > rest.size()) {
      return wrong("an encrypted layer has a segment of an impossible size");
    }
    pieces.push_back(rest.first(size));
    rest = rest.subspan(size);
  }
  if (!rest.empty()) return wrong("an encrypted layer goes on after its last segment");
  return pieces;
}

std::uint64_t most_file_bytes(const Layer& layer) {
  if (layer.encrypted_with_key_id == 0) return layer.region.size;
  return std::uint64_t{sealed::segments_of(layer.region.size)} * (sealed::kSizeBytes + sealed::kMostSealedBytes);
}

}  // namespace mv::bundle
