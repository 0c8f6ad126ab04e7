#include "core/update/segment_receiver.h"

#include <algorithm>

namespace mv::update {

void InstalledImage::use(const Manifest* bundle) {
  bundle_ = bundle;
  size_ = 0;
  if (bundle == nullptr) return;
  for (std::size_t i = 0; i < bundle->layer_count; ++i) size_ += bundle->layers[i].content_size;
}

bool InstalledImage::read(std::uint32_t offset, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < bundle_->layer_count && !out.empty(); ++i) {
    const Layer& layer = bundle_->layers[i];
    if (offset >= layer.content_size) {
      offset -= layer.content_size;
      continue;
    }
    const auto part = out.first(std::min<std::size_t>(out.size(), layer.content_size - offset));
    if (flash_.read(LayerStore::installed_offset(layer.start + offset), part) != Flash::Result::kOk) return false;
    out = out.subspan(part.size());
    offset = 0;
  }
  return out.empty();
}

bool SegmentReceiver::begin(const Block& block, const Hash* hash) {
  sealed_ = false;
  hash_ = hash == nullptr ? std::nullopt : std::optional(*hash);
  sha_.emplace();
  decoder_.begin(block.place, block.content);
  return layers_.staging().begin(LayerStore::staged_place(block));
}

bool SegmentReceiver::begin_sealed(const Block& block, const Hash& hash, const ContentKey& key, std::uint32_t layer,
                                   std::uint32_t size) {
  const bool good = begin(block, &hash) && opener_.begin(key, layer, block.segment, size);
  sealed_ = true;
  rebuilt_ = Result::kMore;
  return good;
}

bool SegmentReceiver::write(std::span<const std::uint8_t> bytes) {
  sha_->add(bytes);
  return layers_.staging().write(bytes);
}

SegmentReceiver::Result SegmentReceiver::take(std::span<const std::uint8_t> bytes) {
  if (sealed_) return take_sealed(bytes);
  const Result result = rebuild(bytes);
  return result == Result::kMore && decoder_.done() ? finish() : result;
}

// What is wrong with an opened segment is told at its end: a changed one fails anywhere, and it is the tag that says
// so.
SegmentReceiver::Result SegmentReceiver::take_sealed(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto opened = opener_.next(bytes);
    if (!opened) return Result::kDoesNotOpen;
    if (rebuilt_ == Result::kMore && !opened->empty()) rebuilt_ = rebuild(*opened);
  }
  if (!opener_.at_end()) return Result::kMore;
  if (!opener_.true_to_the_end()) return Result::kDoesNotOpen;
  return rebuilt_ == Result::kMore ? finish() : rebuilt_;
}

SegmentReceiver::Result SegmentReceiver::rebuild(std::span<const std::uint8_t> record) {
  const auto taken = decoder_.push(record);
  if (!taken) {
    return taken.error() == delta::DecodeError::kSinkRefused ? Result::kFlashRefused : Result::kWrongRecord;
  }
  return *taken == record.size() ? Result::kMore : Result::kWrongRecord;
}

SegmentReceiver::Result SegmentReceiver::finish() {
  Hash hash;
  const bool right = decoder_.done() && sha_->finish(hash) && (!hash_ || hash == *hash_);
  if (!right) return Result::kWrongRecord;
  return layers_.staging().finish() ? Result::kWhole : Result::kFlashRefused;
}

}  // namespace mv::update
