#include "core/update/update_engine.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace mv::update {
namespace {

constexpr std::uint64_t kProgressInterval = 250'000;  // us between two reports of mere progress
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

template <typename Bytes>
void put_hash(Bytes& out, const Hash& hash) {
  out.size = sizeof(Hash);
  std::memcpy(out.bytes, hash.data(), hash.size());
}

std::uint32_t seconds_until(std::uint64_t now, std::uint64_t then) {
  return then <= now ? 0 : static_cast<std::uint32_t>((then - now + 999'999) / 1'000'000);
}

}  // namespace

UpdateEngine::UpdateEngine(const Ports& ports)
    : clock_(ports.clock),
      fetcher_(ports.fetcher),
      notifier_(ports.notifier),
      rules_{ports.signatures, ports.board},
      decryption_keys_(ports.decryption_keys),
      journal_(ports.flash),
      slots_(ports.flash),
      layers_(ports.flash),
      old_image_(ports.flash) {}

// ---- after a reboot ----

void UpdateEngine::boot(ApplicationHost& host) {
  host_ = &host;
  state_ = journal_.mount();
  layers_.mount();
  if (const auto key = journal_.key()) layers_.use(*key);
  order_ = journal_.order();
  running_valid_ = load_running();
  resume();
}

bool UpdateEngine::load(std::uint8_t slot, Manifest& out, SegmentHashes* segments) {
  if (slot >= ManifestSlots::kSlots) return false;
  auto& scratch = workshop_.emplace<ManifestScratch>();
  const bool loaded = slots_.load(slot, rules_, scratch, out, segments).has_value();
  // Without the key nothing more is fetched; what is there already can be installed.
  if (loaded && segments != nullptr && out.encrypted) {
    if (!content_key_.unwrap(scratch.body, decryption_keys_)) content_key_.forget();
  }
  workshop_.emplace<std::monostate>();
  return loaded;
}

// Whether the bundle that the journal names as running is there, whole. While the area is written it is not.
bool UpdateEngine::load_running() {
  if (!load(state_.running, running_, nullptr)) return false;
  if (state_.phase == Phase::kInstalling || state_.phase == Phase::kUndoing) return false;
  const std::span known(running_.layers.data(), running_.layer_count);
  return std::ranges::all_of(known, [this](const Layer& each) { return layers_.installed(each); });
}

bool UpdateEngine::load_target() {
  if (!load(state_.target, target_, &segments_)) return false;
  target_hash_ = target_.hash;
  const ContentSizes learned = journal_.sizes();
  for (std::size_t i = 0; i < target_.layer_count; ++i) {
    const Layer& each = target_.layers[i];
    sizes_[i] = each.content_size != 0 ? each.content_size : learned[i] <= each.size ? learned[i] : 0;
  }
  return true;
}

// Goes on with what the journal says was begun.
void UpdateEngine::resume() {
  switch (state_.phase) {
    case Phase::kIdle:
      // A confirmation that power cut short after its first step.
      if (running_valid_) journal_.raise_security_counter(running_.security_counter);
      if (const auto verdict = journal_.verdict(); verdict && !(running_valid_ && running_.hash == verdict->bundle)) {
        target_hash_ = verdict->bundle;
        refusal_ = verdict->refusal;
        refused_generation_ = verdict->generation;
        enter(Step::kRefused);
      }
      return;
    case Phase::kTrial:
      return enter_trial();
    case Phase::kUndoing:
      return begin_undo();
    case Phase::kFetching:
    case Phase::kStaged:
    case Phase::kInstalling:
      break;
  }
  if (!load_target()) {
    // Of an installation that was under way nothing whole is left, unless what it replaced can be put back.
    if (state_.phase == Phase::kInstalling) state_.running = UpdateState::kNone;
    write_state({Phase::kIdle, running_valid_ ? state_.running : UpdateState::kNone, UpdateState::kNone});
    return;
  }
  if (state_.phase == Phase::kStaged) {
    enter_staged();
  } else if (state_.phase == Phase::kInstalling) {
    begin_install();
  } else {
    enter(Step::kFetchLayers);
  }
}

// ---- what is wanted ----

void UpdateEngine::desire(const mv_wire_Desired& desired) {
  const bool usable = desired.manifest_hash.size == 0 || desired.manifest_hash.size == sizeof(Hash);
  if (!usable) return;  // not a message of ours: nothing could be fetched by such a hash
  Hash hash{};
  const bool any = desired.manifest_hash.size != 0;
  if (any) std::memcpy(hash.data(), desired.manifest_hash.bytes, hash.size());
  // Once forced is forced, whatever came of the message that said so, until something else is wanted.
  const bool same = any && state_.phase != Phase::kIdle && target_hash_ == hash;
  if (order_.generation != desired.generation) ++report_version_;
  order_ = {desired.generation, desired.force || (same && order_.force)};
  desired_known_ = true;
  desired_any_ = any;
  desired_hash_ = hash;
  desired_size_ = desired.manifest_size;
  if (same) journal_.write_order(order_);
}

void UpdateEngine::signers_changed() {
  const bool checked = step_ == Step::kFetchLayers || step_ == Step::kStaged;
  if (!checked || rules_.signatures.enough(target_.signers)) return;
  if (step_ == Step::kStaged) host_->update_withdrawn();
  refuse(mv_wire_UpdateError_UPDATE_UNKNOWN_SIGNER,
         {"the keys of this device were changed: it does not know the signer any more"});
}

// Compares what is wanted with what is under way. True if that changed anything.
bool UpdateEngine::reconcile() {
  if (!desired_known_) return false;
  if (step_ == Step::kTrial) return reconcile_trial();
  const bool here = !desired_any_ || (running_valid_ && running_.hash == desired_hash_);
  if (here) {
    if (step_ == Step::kNothing) return false;
    drop_target();
    journal_.clear_verdict();
    return true;
  }
  const bool under_way = step_ != Step::kNothing && target_hash_ == desired_hash_;
  const bool refused_for_good = step_ == Step::kRefused && order_.generation <= refused_generation_;
  if (under_way && (step_ != Step::kRefused || refused_for_good)) return false;
  begin_target();
  return true;
}

// A bundle on trial is replaced by the one before at once, and by any other once it is decided.
bool UpdateEngine::reconcile_trial() {
  if (!desired_any_ || desired_hash_ != before_) return false;
  begin_undo();
  return true;
}

void UpdateEngine::begin_target() {
  drop_target();
  journal_.clear_verdict();
  target_hash_ = desired_hash_;
  target_size_ = desired_size_;
  restaged_ = 0;
  received_ = 0;
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
  if (state_.phase != Phase::kIdle) write_state({Phase::kIdle, state_.running, UpdateState::kNone});
  target_ = {};
  content_key_.forget();
  sizes_ = {};
  apply_ = false;
  done_ = 0;
  enter(Step::kNothing);
}

bool UpdateEngine::poll() {
  if (!installing() && reconcile()) return true;
  switch (step_) {
    case Step::kFetchManifest:
      return poll_manifest();
    case Step::kFetchLayers:
      return poll_layers();
    case Step::kStaged:
      return poll_staged();
    case Step::kInstalling:
      return poll_install();
    case Step::kTrial:
      return poll_trial();
    case Step::kUndoing:
      return poll_undo();
    case Step::kNothing:
    case Step::kRefused:
      return false;
  }
  return false;
}

// ---- common ----

void UpdateEngine::refuse(const Refusal& refusal) {
  close_fetch();
  if (state_.phase != Phase::kIdle) {
    const bool torn = state_.phase == Phase::kInstalling || state_.phase == Phase::kUndoing;
    write_state({Phase::kIdle, torn ? UpdateState::kNone : state_.running, UpdateState::kNone});
  }
  refusal_ = refusal;
  refused_generation_ = order_.generation;
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
  block_ = 0;
  looked_ = false;
  without_old_ = false;
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

std::uint64_t UpdateEngine::next_deadline_us() const {
  if (step_ == Step::kStaged) return patience_ends_us();
  if (step_ != Step::kTrial) return kNever;
  const std::uint64_t left = trial_limit_us() - std::min(trial_limit_us(), trial_us_);
  const std::uint64_t steady = steady_us() - std::min(steady_us(), steady_for_us_);
  return trial_seen_us_ + (steady != 0 ? std::min(left, steady) : left);
}

void UpdateEngine::report(mv_wire_AppReport& out) const {
  out = mv_wire_AppReport_init_zero;
  out.generation = order_.generation;
  out.bytes_received = received_;
  if (running_valid_) put_hash(out.running_hash, running_.hash);
  if (step_ != Step::kNothing && step_ != Step::kTrial) put_hash(out.target_hash, target_hash_);
  for (std::size_t i = 0; i < target_.layer_count; ++i) out.bytes_total += sizes_[i];
  out.bytes_done = fetching() ? done_ : out.bytes_total;
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
      if (waits_for_application()) {
        out.wait = mv_wire_UpdateWait_WAIT_APPLICATION;
        out.wait_left_sec = seconds_until(clock_.uptime_us(), patience_ends_us());
      }
      break;
    case Step::kInstalling:
      out.state = mv_wire_AppState_APP_INSTALLING;
      break;
    case Step::kTrial:
      out.state = mv_wire_AppState_APP_RUNNING;
      out.wait = mv_wire_UpdateWait_WAIT_CONFIRMATION;
      out.wait_left_sec = seconds_until(trial_us_, trial_limit_us());
      break;
    case Step::kUndoing:
      out.state = mv_wire_AppState_APP_UNDOING;
      break;
    case Step::kRefused:
      out.state = mv_wire_AppState_APP_REFUSED;
      break;
  }
  if (step_ == Step::kUndoing || step_ == Step::kRefused) {
    out.error = refusal_.error;
    std::ranges::copy(refusal_.sentence.view(), out.detail);
  }
}

}  // namespace mv::update
