#include "core/update/update_engine.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace mv::update {
namespace {

using storage::kPage;

constexpr std::uint8_t kAttempts = 3;                 // of anything that may fail by bad luck
constexpr std::uint64_t kProgressInterval = 250'000;  // us between two reports of mere progress
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

template <typename Bytes>
void put_hash(Bytes& out, const Hash& hash) {
  out.size = sizeof(Hash);
  std::memcpy(out.bytes, hash.data(), hash.size());
}

}  // namespace

UpdateEngine::UpdateEngine(const Ports& ports)
    : clock_(ports.clock),
      fetcher_(ports.fetcher),
      notifier_(ports.notifier),
      rules_{ports.signatures, ports.board},
      journal_(ports.flash),
      slots_(ports.flash),
      layers_(ports.flash),
      writer_(ports.flash) {}

// ---- after a reboot ----

void UpdateEngine::boot(ApplicationHost& host) {
  host_ = &host;
  state_ = journal_.mount();
  running_valid_ = load_running();
  if (state_.phase != Phase::kIdle) resume();
}

// Whether the bundle that the journal names as running is there, whole. In the middle of an installation it is not.
bool UpdateEngine::load_running() {
  if (state_.running >= ManifestSlots::kSlots || state_.phase == Phase::kInstalling) return false;
  if (!slots_.load(state_.running, rules_, scratch_, running_)) return false;
  const std::span known(running_.layers.data(), running_.layer_count);
  return std::ranges::all_of(known, [this](const Layer& each) { return layers_.installed(each); });
}

bool UpdateEngine::load_target() {
  if (state_.target >= ManifestSlots::kSlots) return false;
  if (!slots_.load(state_.target, rules_, scratch_, target_)) return false;
  target_hash_ = target_.hash;
  const UpdateJournal::Sizes learned = journal_.sizes();
  for (std::size_t i = 0; i < target_.layer_count; ++i) {
    const bool marked = (state_.layers >> i & 1U) != 0;
    const bool plausible = marked && learned[i] <= target_.layers[i].size;
    sizes_[i] = target_.layers[i].content_size != 0 ? target_.layers[i].content_size : plausible ? learned[i] : 0;
  }
  return true;
}

// Goes on with what the journal says was begun.
void UpdateEngine::resume() {
  if (!load_target()) {
    if (!running_valid_) state_.running = UpdateState::kNone;
    write_state({Phase::kIdle, state_.running, UpdateState::kNone, 0});
    return;
  }
  switch (state_.phase) {
    case Phase::kStaged:
      enter_staged();
      break;
    case Phase::kInstalling:
      begin_install();
      break;
    default:
      enter(Step::kFetchLayers);
      resume_layer();
      break;
  }
}

// Layers are fetched in order, so the one in flight is the first that is not marked.
void UpdateEngine::resume_layer() {
  while (layer_ < target_.layer_count && (state_.layers >> layer_ & 1U) != 0) ++layer_;
  const UpdateJournal::Progress known = journal_.progress();
  if (layer_ == known.layer && layer_ < target_.layer_count && known.bytes <= sizes_[layer_]) fetched_ = known.bytes;
}

// ---- what is wanted ----

void UpdateEngine::desire(const mv_wire_Desired& desired) {
  const bool usable = desired.manifest_hash.size == 0 || desired.manifest_hash.size == sizeof(Hash);
  if (!usable) return;  // not a message of ours: nothing could be fetched by such a hash
  desired_known_ = true;
  desired_any_ = desired.manifest_hash.size != 0;
  if (desired_any_) std::memcpy(desired_hash_.data(), desired.manifest_hash.bytes, desired_hash_.size());
  desired_size_ = desired.manifest_size;
  force_ = desired.force;
  if (generation_ != desired.generation) ++report_version_;
  generation_ = desired.generation;
}

// Compares what is wanted with what is under way. True if that changed anything.
bool UpdateEngine::reconcile() {
  if (!desired_known_) return false;
  const bool here = !desired_any_ || (running_valid_ && running_.hash == desired_hash_);
  if (here) {
    if (step_ == Step::kNothing) return false;
    drop_target();
    return true;
  }
  const bool under_way = step_ != Step::kNothing && target_hash_ == desired_hash_;
  const bool refused_for_good = step_ == Step::kRefused && refused_generation_ == generation_;
  if (under_way && (step_ != Step::kRefused || refused_for_good)) return false;
  begin_target();
  return true;
}

void UpdateEngine::begin_target() {
  drop_target();
  target_hash_ = desired_hash_;
  target_size_ = desired_size_;
  restaged_ = 0;
  if (target_size_ == 0 || target_size_ > kMaxManifest) {
    refuse(mv_wire_UpdateError_UPDATE_TOO_LARGE,
           Sentence("the manifest has ").add(target_size_).add(" bytes, this device takes ").add(kMaxManifest));
    return;
  }
  enter(Step::kFetchManifest);
}

void UpdateEngine::drop_target() {
  close_fetch();
  if (step_ == Step::kStaged) host_->update_withdrawn();
  if (state_.phase != Phase::kIdle) write_state({Phase::kIdle, state_.running, UpdateState::kNone, 0});
  target_ = {};
  sizes_ = {};
  apply_ = false;
  enter(Step::kNothing);
}

bool UpdateEngine::poll() {
  if (step_ != Step::kInstalling && reconcile()) return true;
  switch (step_) {
    case Step::kFetchManifest:
      return poll_manifest();
    case Step::kFetchLayers:
      return poll_layers();
    case Step::kStaged:
      return poll_staged();
    case Step::kInstalling:
      return poll_install();
    case Step::kNothing:
    case Step::kRefused:
      return false;
  }
  return false;
}

// ---- fetching ----

void UpdateEngine::on_chunk(std::uint32_t, std::span<const std::uint8_t> data, std::uint32_t total) {
  if (fetch_ != Fetch::kOpen) return;
  if (probing_) {
    probed_size_ = total;
    return;
  }
  const bool written = step_ == Step::kFetchManifest ? slots_.write(data) : writer_.write(data);
  if (!written) {
    fetch_ = Fetch::kBroken;
    return;
  }
  if (step_ == Step::kFetchLayers) {
    fetched_ += static_cast<std::uint32_t>(data.size());
    note_pages();
  }
  progress();
}

// A hint that is lost costs a download, nothing else.
void UpdateEngine::note_pages() {
  (void)journal_.write_progress({static_cast<std::uint8_t>(layer_), fetched_ / kPage * kPage});
}

void UpdateEngine::on_fetched() {
  if (fetch_ == Fetch::kOpen) fetch_ = Fetch::kFetched;
}

void UpdateEngine::on_missing() { fetch_ = Fetch::kMissing; }

void UpdateEngine::on_interrupted() { fetch_ = Fetch::kClosed; }

void UpdateEngine::close_fetch() {
  if (fetch_ == Fetch::kOpen || fetch_ == Fetch::kBroken) fetcher_.cancel();
  fetch_ = Fetch::kClosed;
}

bool UpdateEngine::poll_manifest() {
  switch (fetch_) {
    case Fetch::kOpen:
      return false;
    case Fetch::kClosed:
      return open_manifest();
    case Fetch::kMissing:
      refuse(mv_wire_UpdateError_UPDATE_NOT_FOUND, {"the cloud does not have the manifest: upload the bundle again"});
      return false;
    case Fetch::kBroken:
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
  if (fetcher_.fetch(target_hash_, 0, target_size_, *this)) fetch_ = Fetch::kOpen;
  return false;
}

void UpdateEngine::finish_manifest() {
  const std::uint8_t slot = free_slot();
  if (!slots_.finish() || slots_.hash(slot) != target_hash_) {
    retry(mv_wire_UpdateError_UPDATE_BAD_MANIFEST, {"the manifest that came does not match its hash"});
    return;
  }
  if (const auto loaded = slots_.load(slot, rules_, scratch_, target_); !loaded) {
    refuse(loaded.error());
    return;
  }
  const std::uint8_t running = running_valid_ ? state_.running : UpdateState::kNone;
  if (!journal_.write_progress({}) || !write_state({Phase::kFetching, running, slot, 0})) {
    refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the journal of updates could not be written to flash"});
    return;
  }
  for (std::size_t i = 0; i < target_.layer_count; ++i) sizes_[i] = target_.layers[i].content_size;
  enter(Step::kFetchLayers);
}

bool UpdateEngine::poll_layers() {
  while (layer_ < target_.layer_count && (state_.layers >> layer_ & 1U) != 0) ++layer_;
  if (layer_ == target_.layer_count) {
    if (write_state({Phase::kStaged, state_.running, state_.target, state_.layers})) {
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
    case Fetch::kBroken:
      close_fetch();
      return retry(mv_wire_UpdateError_UPDATE_FLASH_FAILED, about_layer().add("could not be written to flash"));
    case Fetch::kFetched:
      fetch_ = Fetch::kClosed;
      finish_layer();
      return true;
  }
  return false;
}

bool UpdateEngine::open_layer() {
  if (!compared_) {
    compared_ = true;
    if (layers_.installed(layer())) {
      mark_layer();
      return true;
    }
  }
  if (!fetcher_.ready()) return false;
  probing_ = sizes_[layer_] == 0;
  fetched_ = probing_ ? 0 : fetched_ / kPage * kPage;
  const std::uint32_t length = probing_ ? 1 : sizes_[layer_] - fetched_;
  if (!probing_) {
    writer_.begin(LayerStore::staging_offset(layer()) + fetched_);
    note_pages();
  }
  if (length == 0) {  // the link was lost between the last byte and the word that it was the last
    finish_layer();
    return true;
  }
  if (fetcher_.fetch(layer().fetch_hash, fetched_, length, *this)) fetch_ = Fetch::kOpen;
  return false;
}

void UpdateEngine::finish_layer() {
  if (probing_) {
    if (probed_size_ == 0 || probed_size_ > layer().size) {
      refuse(mv_wire_UpdateError_UPDATE_TOO_LARGE, about_layer().add("is larger than its region"));
      return;
    }
    sizes_[layer_] = probed_size_;
    return;
  }
  const auto staged = writer_.finish() ? layers_.staged(layer(), sizes_[layer_]) : LayerStore::Staged::kWrongContent;
  if (staged == LayerStore::Staged::kWrongRegion) {
    refuse(mv_wire_UpdateError_UPDATE_BAD_LAYER,
           about_layer().add("is not what the manifest measures: bundle it again"));
  } else if (staged == LayerStore::Staged::kWrongContent) {
    fetched_ = 0;
    retry(mv_wire_UpdateError_UPDATE_BAD_LAYER, about_layer().add("does not match its hash"));
  } else {
    mark_layer();
  }
}

// The layer is where it should be: notes it, first its size if the manifest does not know it.
void UpdateEngine::mark_layer() {
  const bool sized = layer().content_size != 0 || journal_.write_sizes(sizes_);
  UpdateState next = state_;
  next.layers = static_cast<std::uint16_t>(next.layers | 1U << layer_);
  if (!sized || !write_state(next)) {
    retry(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the journal of updates could not be written to flash"});
    return;
  }
  fetched_ = 0;
  compared_ = false;
  attempts_ = 0;
  ++report_version_;
}

// ---- staged ----

void UpdateEngine::enter_staged() {
  enter(Step::kStaged);
  staged_since_us_ = clock_.uptime_us();
  listened_ = host_->application_runs() && notifier_.update_staged();
}

bool UpdateEngine::apply() {
  if (step_ != Step::kStaged) return false;
  apply_ = true;
  return true;
}

// The policy that counts is that of the bundle that runs.
bool UpdateEngine::waits_for_application() const {
  if (force_ || apply_ || !listened_ || !running_valid_ || !host_->application_runs()) return false;
  return clock_.uptime_us() < patience_ends_us();
}

std::uint64_t UpdateEngine::patience_ends_us() const {
  return staged_since_us_ + std::uint64_t{running_.maximum_politeness_time_sec} * 1'000'000;
}

std::uint64_t UpdateEngine::next_deadline_us() const { return step_ == Step::kStaged ? patience_ends_us() : kNever; }

bool UpdateEngine::poll_staged() {
  if (waits_for_application()) return false;
  begin_install();
  return true;
}

// Every marked layer can be had from flash. Takes the mark from those that cannot.
bool UpdateEngine::all_layers_there(UpdateState& state) {
  bool all = true;
  for (std::size_t i = 0; i < target_.layer_count; ++i) {
    const Layer& each = target_.layers[i];
    const bool staged = sizes_[i] != 0 && layers_.staged(each, sizes_[i]) == LayerStore::Staged::kGood;
    if (staged || layers_.installed(each)) continue;
    state.layers = static_cast<std::uint16_t>(state.layers & ~(1U << i));
    all = false;
  }
  return all;
}

// ---- installing ----

void UpdateEngine::begin_install() {
  UpdateState next = state_;
  if (!all_layers_there(next)) {
    // The staging area was damaged after it was checked. Of an installation that was under way, nothing whole is left.
    if (++restaged_ > kAttempts) {
      refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED,
             {"what is staged does not stay as it was written: the flash fails"});
      return;
    }
    next.phase = Phase::kFetching;
    if (state_.phase == Phase::kInstalling) next.running = UpdateState::kNone;
    if (write_state(next)) {
      enter(Step::kFetchLayers);
    } else {
      refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the journal of updates could not be written to flash"});
    }
    return;
  }
  host_->stop_for_install();
  next.phase = Phase::kInstalling;
  if (state_.phase != Phase::kInstalling && !write_state(next)) {
    host_->install_ended(running_valid_);
    refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the journal of updates could not be written to flash"});
    return;
  }
  running_valid_ = false;
  enter(Step::kInstalling);
}

bool UpdateEngine::poll_install() {
  if (layer_ == target_.layer_count) {
    finish_install();
    return true;
  }
  const bool done = page_ >= layer().size;
  if ((page_ == 0 || done) && layers_.installed(layer())) {
    ++layer_;
    page_ = 0;
    attempts_ = 0;
    return true;
  }
  if (!done && layers_.install_page(layer(), sizes_[layer_], page_)) {
    page_ += kPage;
    return true;
  }
  // The flash refused, or the region is not what it should be: all of it once more.
  page_ = 0;
  if (++attempts_ > kAttempts) fail_install();
  return true;
}

void UpdateEngine::finish_install() {
  if (!write_state({Phase::kIdle, state_.target, UpdateState::kNone, 0})) {
    if (++attempts_ > kAttempts) fail_install();
    return;
  }
  running_ = target_;
  running_valid_ = true;
  target_ = {};
  apply_ = false;
  enter(Step::kNothing);
  host_->install_ended(true);
}

void UpdateEngine::fail_install() {
  const Sentence sentence = layer_ < target_.layer_count ? about_layer() : Sentence("the journal ");
  refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED,
         Sentence(sentence).add("could not be written to the application's flash: the flash is worn out"));
  host_->install_ended(false);
}

// ---- common ----

void UpdateEngine::refuse(const Refusal& refusal) {
  close_fetch();
  if (state_.phase != Phase::kIdle) {
    const bool torn = state_.phase == Phase::kInstalling;
    write_state({Phase::kIdle, torn ? UpdateState::kNone : state_.running, UpdateState::kNone, 0});
  }
  refusal_ = refusal;
  refused_generation_ = generation_;
  enter(Step::kRefused);
}

// Another try of the current step; refuses when there were too many. True: go on at once.
bool UpdateEngine::retry(mv_wire_UpdateError error, Sentence sentence) {
  if (++attempts_ < kAttempts) return true;
  refuse(error, sentence);
  return false;
}

void UpdateEngine::enter(Step step) {
  step_ = step;
  layer_ = 0;
  fetched_ = 0;
  page_ = 0;
  compared_ = false;
  attempts_ = 0;
  ++report_version_;
}

void UpdateEngine::progress() {
  const std::uint64_t now = clock_.uptime_us();
  if (now - progress_us_ < kProgressInterval) return;
  progress_us_ = now;
  ++report_version_;
}

bool UpdateEngine::write_state(UpdateState state) {
  if (state == state_) return true;
  if (!journal_.write(state)) return false;
  state_ = state;
  return true;
}

Sentence UpdateEngine::about_layer() const {
  return Sentence("layer ").add(static_cast<std::uint32_t>(layer_ + 1)).add(" ");
}

void UpdateEngine::report(mv_wire_AppReport& out) const {
  out = mv_wire_AppReport_init_zero;
  out.generation = generation_;
  if (running_valid_) put_hash(out.running_hash, running_.hash);
  if (step_ != Step::kNothing) put_hash(out.target_hash, target_hash_);
  for (std::size_t i = 0; i < target_.layer_count; ++i) {
    out.bytes_total += sizes_[i];
    if ((state_.layers >> i & 1U) != 0) out.bytes_done += sizes_[i];
  }
  if (step_ == Step::kFetchLayers) out.bytes_done += fetched_;
  switch (step_) {
    case Step::kNothing:
      out.state = running_valid_ ? mv_wire_AppState_APP_RUNNING : mv_wire_AppState_APP_NONE;
      break;
    case Step::kFetchManifest:
    case Step::kFetchLayers:
      out.state = mv_wire_AppState_APP_DOWNLOADING;
      break;
    case Step::kStaged:
      out.state = mv_wire_AppState_APP_STAGED;
      break;
    case Step::kInstalling:
      out.state = mv_wire_AppState_APP_INSTALLING;
      break;
    case Step::kRefused:
      out.state = mv_wire_AppState_APP_REFUSED;
      out.error = refusal_.error;
      std::ranges::copy(refusal_.sentence.view(), out.detail);
      break;
  }
}

}  // namespace mv::update
