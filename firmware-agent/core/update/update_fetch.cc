// The update engine's fetching: the manifest, then the segments that are missing, layer by layer.
#include <algorithm>

#include "core/update/update_engine.h"

namespace mv::update {

void UpdateEngine::on_chunk(std::uint32_t, std::span<const std::uint8_t> data, std::uint32_t total) {
  if (fetch_ != Fetch::kOpen) return;
  if (probing_) {
    probed_size_ = total;
    return;
  }
  if (!slots_.write(data)) fetch_ = Fetch::kFlashRefused;
}

void UpdateEngine::on_record(std::uint32_t segment, std::uint32_t offset, std::span<const std::uint8_t> data,
                             std::uint32_t total) {
  auto* receiver = std::get_if<SegmentReceiver>(&workshop_);
  if (fetch_ != Fetch::kOpen || receiver == nullptr) return;
  segment_ = static_cast<std::uint8_t>(segment);
  received_ += static_cast<std::uint32_t>(data.size());
  const Block block = blocks(layer_)[segment_];
  if (offset == 0) {
    if (!begin_segment(*receiver, block, total)) return;
  }
  switch (receiver->take(data)) {
    case SegmentReceiver::Result::kMore:
      if (offset + data.size() == total) fetch_ = Fetch::kWrongRecord;
      break;
    case SegmentReceiver::Result::kWhole:
      missing_ &= ~(1U << segment_);
      done_ += block.content;
      break;
    case SegmentReceiver::Result::kWrongRecord:
      fetch_ = Fetch::kWrongRecord;
      break;
    case SegmentReceiver::Result::kFlashRefused:
      fetch_ = Fetch::kFlashRefused;
      break;
    case SegmentReceiver::Result::kDoesNotOpen:
      fetch_ = Fetch::kDoesNotOpen;
      break;
  }
  progress();
}

bool UpdateEngine::begin_segment(SegmentReceiver& receiver, const Block& block, std::uint32_t size) {
  const Layer& layer = target_.layers[layer_];
  const Hash* hash = segment_ < layer.segments ? &segments_[layer.first_segment + segment_] : nullptr;
  if (!target_.encrypted) {
    if (receiver.begin(block, hash)) return true;
    fetch_ = Fetch::kFlashRefused;
    return false;
  }
  const bool sealed = size > sealed::kTagSize && size <= sealed::kMostSealedBytes;
  if (sealed && receiver.begin_sealed(block, *hash, content_key_, static_cast<std::uint32_t>(layer_), size))
    return true;
  fetch_ = sealed ? Fetch::kFlashRefused : Fetch::kDoesNotOpen;
  return false;
}

void UpdateEngine::on_fetched() {
  if (fetch_ == Fetch::kOpen) fetch_ = Fetch::kFetched;
}

void UpdateEngine::on_missing() { fetch_ = Fetch::kMissing; }

void UpdateEngine::on_interrupted() { fetch_ = Fetch::kClosed; }

void UpdateEngine::close_fetch() {
  if (fetch_ != Fetch::kClosed) fetcher_.cancel();
  fetch_ = Fetch::kClosed;
}

// ---- the manifest ----

bool UpdateEngine::poll_manifest() {
  switch (fetch_) {
    case Fetch::kOpen:
      return false;
    case Fetch::kClosed:
      return open_manifest();
    case Fetch::kMissing:
      refuse(mv_wire_UpdateError_UPDATE_NOT_FOUND, {"the cloud does not have the manifest: upload the bundle again"});
      return false;
    case Fetch::kFlashRefused:
    case Fetch::kWrongRecord:
    case Fetch::kDoesNotOpen:
      close_fetch();
      return retry(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the manifest could not be written to flash"});
    case Fetch::kFetched:
      fetch_ = Fetch::kClosed;
      finish_manifest();
      return true;
  }
  return false;
}

bool UpdateEngine::open_manifest() {
  if (!fetcher_.ready()) return false;
  if (!slots_.begin(free_slot(), target_size_)) {
    return retry(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the manifest could not be written to flash"});
  }
  probing_ = false;
  if (fetcher_.fetch(target_hash_, 0, target_size_, *this)) fetch_ = Fetch::kOpen;
  return false;
}

void UpdateEngine::finish_manifest() {
  const std::uint8_t slot = free_slot();
  if (!slots_.finish() || slots_.hash(slot) != target_hash_) {
    retry(mv_wire_UpdateError_UPDATE_BAD_MANIFEST, {"the manifest that came does not match its hash"});
    return;
  }
  auto& scratch = workshop_.emplace<ManifestScratch>();
  if (const auto loaded = slots_.load(slot, rules_, scratch, target_, &segments_); !loaded) {
    refuse(loaded.error());
    return;
  }
  if (target_.security_counter < journal_.security_counter()) {
    refuse(mv_wire_UpdateError_UPDATE_COUNTER_TOO_LOW, Sentence("its security counter is ")
                                                           .add(target_.security_counter)
                                                           .add(", this device has confirmed ")
                                                           .add(journal_.security_counter()));
    return;
  }
  if (target_.encrypted) {
    if (const auto opened = content_key_.unwrap(scratch.body, decryption_keys_); !opened) {
      refuse(opened.error());
      return;
    }
  }
  if (!begin_fetching(slot)) {
    refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the journal of updates could not be written to flash"});
    return;
  }
  for (std::size_t i = 0; i < target_.layer_count; ++i) sizes_[i] = target_.layers[i].content_size;
  enter(Step::kFetchLayers);
}

// The new key comes first: nothing of an update before is staged from then on.
bool UpdateEngine::begin_fetching(std::uint8_t slot) {
  const auto key = journal_.begin();
  const std::uint8_t running = running_valid_ ? state_.running : UpdateState::kNone;
  return key && layers_.use(*key) && journal_.write_order(order_) && write_state({Phase::kFetching, running, slot});
}

// ---- layers ----

bool UpdateEngine::poll_layers() {
  if (layer_ == target_.layer_count) {
    if (write_state({Phase::kStaged, state_.running, state_.target})) {
      enter_staged();
      return true;
    }
    return retry(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the journal of updates could not be written to flash"});
  }
  switch (fetch_) {
    case Fetch::kOpen:
      return false;
    case Fetch::kClosed:
      return open_layer();
    case Fetch::kMissing:
      refuse(mv_wire_UpdateError_UPDATE_NOT_FOUND,
             about_layer().add("is not in the cloud as the manifest describes it: upload the bundle again"));
      return false;
    case Fetch::kFlashRefused:
      close_fetch();
      looked_ = false;
      return retry(mv_wire_UpdateError_UPDATE_FLASH_FAILED, about_layer().add("could not be written to flash"));
    case Fetch::kWrongRecord:
      close_fetch();
      looked_ = false;
      return give_up_old_image(about_segment().add("does not match its hash"));
    case Fetch::kDoesNotOpen:
      close_fetch();
      looked_ = false;
      return retry(mv_wire_UpdateError_UPDATE_BAD_SEAL,
                   about_segment().add("does not open with the bundle's key: it was changed"));
    case Fetch::kFetched:
      fetch_ = Fetch::kClosed;
      if (probing_) finish_probe();
      looked_ = false;
      return true;
  }
  return false;
}

bool UpdateEngine::open_layer() {
  if (!looked_) {
    look_at_layer();
    return true;
  }
  if (sizes_[layer_] != 0 && missing_ == 0) return finish_layer();
  return ask_for_segments();
}

// Which segments are neither staged nor installed. Without hashes of them only the whole layer can be.
void UpdateEngine::look_at_layer() {
  const Layer& layer = target_.layers[layer_];
  const LayerBlocks all = blocks(layer_);
  const bool whole = layer.segments == 0 && layers_.installed(layer);
  looked_ = true;
  missing_ = 0;
  done_ = 0;
  for (std::size_t i = 0; i < layer_; ++i) done_ += sizes_[i];
  if (whole) {
    next_layer();
    return;
  }
  for (std::uint8_t i = 0; i < all.count(); ++i) {
    const Block block = all[i];
    if (block.content == 0) break;
    const bool there = layers_.staging().holds(block.index) ||
                       (i < layer.segments && layers_.installed(block, segments_[layer.first_segment + i]));
    if (there) {
      done_ += block.content;
    } else {
      missing_ |= 1U << i;
    }
  }
}

bool UpdateEngine::ask_for_segments() {
  if (!fetcher_.ready()) return false;
  if (target_.encrypted && !content_key_.there()) {
    refuse(mv_wire_UpdateError_UPDATE_NO_DECRYPTION_KEY,
           {"the bundle is encrypted, and its key does not open with one of this device"});
    return false;
  }
  const Layer& layer = target_.layers[layer_];
  probing_ = sizes_[layer_] == 0;
  if (probing_) {
    if (fetcher_.fetch(layer.fetch_hash, 0, 1, *this)) fetch_ = Fetch::kOpen;
    return false;
  }
  const std::span known(running_.layers.data(), running_.layer_count);
  const bool has_old = running_valid_ && !without_old_ && !target_.encrypted &&
                       std::ranges::all_of(known, [](const Layer& each) { return each.content_size != 0; });
  old_image_.use(has_old ? &running_ : nullptr);
  if (!std::holds_alternative<SegmentReceiver>(workshop_)) workshop_.emplace<SegmentReceiver>(layers_, old_image_);
  const link::SegmentQuery query = {target_hash_, static_cast<std::uint32_t>(layer_), running_.hash, has_old, missing_};
  if (fetcher_.fetch_segments(query, *this)) fetch_ = Fetch::kOpen;
  return false;
}

void UpdateEngine::finish_probe() {
  if (probed_size_ == 0 || probed_size_ > target_.layers[layer_].size) {
    refuse(mv_wire_UpdateError_UPDATE_TOO_LARGE, about_layer().add("is larger than its region"));
    return;
  }
  sizes_[layer_] = probed_size_;
  if (!journal_.write_sizes(sizes_)) {
    refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the journal of updates could not be written to flash"});
  }
}

// Everything of the layer is there.
bool UpdateEngine::finish_layer() {
  switch (layers_.staged(target_, layer_, sizes_)) {
    case LayerStore::Staged::kGood:
      next_layer();
      return true;
    case LayerStore::Staged::kWrongRegion:
      refuse(mv_wire_UpdateError_UPDATE_BAD_LAYER,
             about_layer().add("is not what the manifest measures: bundle it again"));
      return false;
    case LayerStore::Staged::kDamaged:
    case LayerStore::Staged::kWrongContent:
      break;
  }
  const LayerBlocks all = blocks(layer_);
  for (std::uint8_t i = 0; i < all.count(); ++i) layers_.staging().drop(all[i].index);
  looked_ = false;
  return give_up_old_image(about_layer().add("does not match its hash"));
}

// What came is wrong. If the old image is not what the cloud thinks, it comes right without.
bool UpdateEngine::give_up_old_image(Sentence sentence) {
  without_old_ = true;
  return retry(mv_wire_UpdateError_UPDATE_BAD_LAYER, sentence);
}

void UpdateEngine::next_layer() {
  ++layer_;
  looked_ = false;
  without_old_ = false;
  attempts_ = 0;
  ++report_version_;
}

void UpdateEngine::enter_staged() {
  workshop_.emplace<std::monostate>();
  enter(Step::kStaged);
  staged_since_us_ = clock_.uptime_us();
  listened_ = host_->application_runs() && notifier_.update_staged();
}

Sentence UpdateEngine::about_layer() const {
  return Sentence("layer ").add(static_cast<std::uint32_t>(layer_ + 1)).add(" ");
}

Sentence UpdateEngine::about_segment() const {
  return Sentence("segment ").add(segment_ + 1U).add(" of layer ").add(static_cast<std::uint32_t>(layer_ + 1)).add(" ");
}

}  // namespace mv::update
