#include "core/update/sealed_area.h"

#include <algorithm>

#include "core/storage/little_endian.h"

namespace mv::update {
namespace {

using Piece = std::array<std::uint8_t, 256>;

constexpr psa_algorithm_t kAlgorithm = PSA_ALG_GCM;

}  // namespace

SealedArea::SealedArea(Flash& flash, flash_map::Area area, flash_map::Area index)
    : flash_(flash), area_(area), index_(flash, index), writer_(flash) {}

bool SealedArea::use(const UpdateKey& key) {
  forget();
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_ENCRYPT | PSA_KEY_USAGE_DECRYPT);
  psa_set_key_algorithm(&attributes, kAlgorithm);
  if (psa_import_key(&attributes, key.bytes.data(), key.bytes.size(), &key_) != PSA_SUCCESS) return false;
  number_ = key.number;
  return true;
}

void SealedArea::forget() {
  close();
  if (key_ != PSA_KEY_ID_NULL) psa_destroy_key(key_);
  key_ = PSA_KEY_ID_NULL;
}

void SealedArea::close() { psa_aead_abort(&writing_); }

std::optional<SealedArea::Seal> SealedArea::seal_of(std::uint8_t block) {
  const auto record = index_.find(block);
  std::array<std::uint8_t, sizeof(Seal)> bytes;
  if (key_ == PSA_KEY_ID_NULL || !record || record->number != number_ || record->size != bytes.size()) {
    return std::nullopt;
  }
  if (index_.read(block, bytes) != bytes.size()) return std::nullopt;
  Seal seal;
  std::copy_n(bytes.begin(), seal.nonce.size(), seal.nonce.begin());
  std::copy_n(bytes.begin() + seal.nonce.size(), seal.tag.size(), seal.tag.begin());
  return seal;
}

bool SealedArea::holds(std::uint8_t block) { return seal_of(block).has_value(); }

bool SealedArea::drop(std::uint8_t block) { return !holds(block) || index_.put(block, 0); }

bool SealedArea::set_up(psa_aead_operation_t& operation, bool encrypt, const Place& place, const Seal& seal) {
  std::array<std::uint8_t, 17> bound;
  bound[0] = place.block;
  storage::store_u32(std::span(bound).subspan<1, 4>(), number_);
  storage::store_u32(std::span(bound).subspan<5, 4>(), area_.offset);
  storage::store_u32(std::span(bound).subspan<9, 4>(), place.offset);
  storage::store_u32(std::span(bound).subspan<13, 4>(), place.size);
  operation = PSA_AEAD_OPERATION_INIT;
  return (encrypt ? psa_aead_encrypt_setup(&operation, key_, kAlgorithm)
                  : psa_aead_decrypt_setup(&operation, key_, kAlgorithm)) == PSA_SUCCESS &&
         psa_aead_set_nonce(&operation, seal.nonce.data(), seal.nonce.size()) == PSA_SUCCESS &&
         psa_aead_update_ad(&operation, bound.data(), bound.size()) == PSA_SUCCESS;
}

bool SealedArea::begin(const Place& place) {
  close();
  left_ = 0;
  const bool inside = place.offset <= area_.size && place.size <= area_.size - place.offset;
  if (key_ == PSA_KEY_ID_NULL || place.block >= kBlocks || place.size == 0 || !inside) return false;
  // What the index says of the place before is not true from the first page on that is erased.
  if (!drop(place.block)) return false;
  if (psa_generate_random(seal_.nonce.data(), seal_.nonce.size()) != PSA_SUCCESS) return false;
  if (!set_up(writing_, true, place, seal_)) return false;
  place_ = place;
  left_ = place.size;
  writer_.begin(area_.offset + place.offset);
  return true;
}

bool SealedArea::write(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > left_) return false;
  left_ -= static_cast<std::uint32_t>(bytes.size());
  Piece sealed;
  for (std::size_t done = 0; done < bytes.size();) {
    const auto part = bytes.subspan(done, std::min(sealed.size(), bytes.size() - done));
    std::size_t size = 0;
    if (psa_aead_update(&writing_, part.data(), part.size(), sealed.data(), sealed.size(), &size) != PSA_SUCCESS) {
      return false;
    }
    if (!writer_.write(std::span(sealed).first(size))) return false;
    done += part.size();
  }
  return true;
}

bool SealedArea::finish() {
  if (left_ != 0) return false;
  Piece rest;  // GCM keeps nothing back
  std::size_t rest_size = 0, tag_size = 0;
  const psa_status_t status =
      psa_aead_finish(&writing_, rest.data(), rest.size(), &rest_size, seal_.tag.data(), seal_.tag.size(), &tag_size);
  if (status != PSA_SUCCESS || rest_size != 0 || tag_size != seal_.tag.size() || !writer_.finish()) return false;
  std::array<std::uint8_t, sizeof(Seal)> bytes;
  std::ranges::copy(seal_.nonce, bytes.begin());
  std::ranges::copy(seal_.tag, bytes.begin() + seal_.nonce.size());
  return index_.put(place_.block, number_, bytes);
}

bool SealedArea::read(const Place& place, delta::SegmentSink& out) {
  const auto seal = seal_of(place.block);
  if (!seal) return false;
  psa_aead_operation_t operation;
  bool good = set_up(operation, false, place, *seal);
  Piece sealed, plain;
  for (std::uint32_t done = 0; good && done < place.size;) {
    const auto part = std::span(sealed).first(std::min<std::uint32_t>(sealed.size(), place.size - done));
    std::size_t size = 0;
    good = flash_.read(area_.offset + place.offset + done, part) == Flash::Result::kOk &&
           psa_aead_update(&operation, part.data(), part.size(), plain.data(), plain.size(), &size) == PSA_SUCCESS &&
           size == part.size() && out.write(std::span(plain).first(size));
    done += static_cast<std::uint32_t>(part.size());
  }
  std::size_t rest = 0;
  good = good && psa_aead_verify(&operation, plain.data(), plain.size(), &rest, seal->tag.data(), seal->tag.size()) ==
                     PSA_SUCCESS;
  psa_aead_abort(&operation);
  return good && rest == 0;
}

}  // namespace mv::update
