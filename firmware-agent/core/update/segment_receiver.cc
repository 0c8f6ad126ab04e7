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
  hash_ = hash == nullptr ? std::nullopt : std::optional(*hash);
  sha_.emplace();
  decoder_.begin(block.place, block.content);
  return layers_.staging().begin(LayerStore::staged_place(block));
}

bool SegmentReceiver::write(std::span<const std::uint8_t> bytes) {
  sha_->add(bytes);
  return layers_.staging().write(bytes);
}

SegmentReceiver::Result SegmentReceiver::take(std::span<const std::uint8_t> record) {
  const auto taken = decoder_.push(record);
  if (!taken) {
    return taken.error() == delta::DecodeError::kSinkRefused ? Result::kFlashRefused : Result::kWrongRecord;
  }
  if (!decoder_.done()) return Result::kMore;
  Hash hash;
  const bool right = *taken == record.size() && sha_->finish(hash) && (!hash_ || hash == *hash_);
  if (!right) return Result::kWrongRecord;
  return layers_.staging().finish() ? Result::kWhole : Result::kFlashRefused;
}

}  // namespace mv::update
