// The update engine's last steps: installing what is staged, the trial of what was installed, and undoing it.
#include <algorithm>

#include "core/update/update_engine.h"

namespace mv::update {

// ---- staged ----

bool UpdateEngine::apply() {
  if (step_ != Step::kStaged) return false;
  apply_ = true;
  return true;
}

// The policy that counts is that of the bundle that runs.
bool UpdateEngine::waits_for_application() const {
  if (order_.force || apply_ || !listened_ || !running_valid_ || !host_->application_runs()) return false;
  return clock_.uptime_us() < patience_ends_us();
}

std::uint64_t UpdateEngine::patience_ends_us() const {
  return staged_since_us_ + std::uint64_t{running_.maximum_politeness_time_sec} * 1'000'000;
}

bool UpdateEngine::poll_staged() {
  if (waits_for_application()) return false;
  begin_install();
  return true;
}

// ---- installing ----

bool UpdateEngine::all_layers_there() {
  for (std::size_t i = 0; i < target_.layer_count; ++i) {
    if (layers_.staged(target_, i, sizes_) != LayerStore::Staged::kGood) return false;
  }
  return true;
}

void UpdateEngine::begin_install() {
  if (!all_layers_there()) {
    stage_again();
    return;
  }
  if (state_.phase != Phase::kInstalling) {
    host_->stop_for_install();
    const bool keeps = running_valid_ && target_.confirm_timeout_sec != 0;
    if (!write_state({Phase::kInstalling, state_.running, state_.target, keeps})) {
      host_->install_ended(running_valid_);
      refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the journal of updates could not be written to flash"});
      return;
    }
  } else {
    host_->stop_for_install();
  }
  running_valid_ = false;
  enter(Step::kInstalling);
}

// The staging area was damaged after it was checked. What an installation has replaced until then is put back if it was
// kept; else nothing whole is left until it is fetched again.
void UpdateEngine::stage_again() {
  if (state_.phase == Phase::kInstalling && state_.keeps) {
    refusal_ = {mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"what was staged is damaged: it is fetched again"}};
    begin_undo();
    return;
  }
  if (++restaged_ > kAttempts) {
    refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED,
           {"what is staged does not stay as it was written: the flash fails"});
    return;
  }
  for (std::uint8_t block = 0; block < kMaxBlocks; ++block) layers_.staging().drop(block);
  const std::uint8_t running = state_.phase == Phase::kInstalling ? UpdateState::kNone : state_.running;
  if (write_state({Phase::kFetching, running, state_.target})) {
    enter(Step::kFetchLayers);
  } else {
    refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the journal of updates could not be written to flash"});
  }
}

bool UpdateEngine::poll_install() {
  if (layer_ == target_.layer_count) {
    finish_install();
    return true;
  }
  if (install_block()) return true;
  // The flash refused, or the region is not what it should be: all of the layer once more.
  block_ = 0;
  if (++attempts_ > kAttempts) fail_install();
  return true;
}

// The next block, or the look at a layer whose blocks are all there.
bool UpdateEngine::install_block() {
  const LayerBlocks all = blocks(layer_);
  const bool changes = sizes_[layer_] != 0;  // else it was installed already, and nobody had to ask how large it is
  if (changes && block_ < all.count()) {
    if (!layers_.install(all[block_], state_.keeps)) return false;
    ++block_;
    return true;
  }
  if (!layers_.installed(target_.layers[layer_])) return false;
  ++layer_;
  block_ = 0;
  attempts_ = 0;
  return true;
}

// This one record is the switch.
void UpdateEngine::finish_install() {
  const UpdateState next = state_.keeps ? UpdateState{Phase::kTrial, state_.target, state_.running}
                                        : UpdateState{Phase::kIdle, state_.target, UpdateState::kNone};
  const Hash before = running_.hash;
  if (!write_state(next)) {
    if (++attempts_ > kAttempts) fail_install();
    return;
  }
  running_ = target_;
  running_valid_ = true;
  apply_ = false;
  if (state_.phase == Phase::kTrial) {
    before_ = before;
    enter_trial();
  } else {
    target_ = {};
    layers_.forget();
    journal_.raise_security_counter(running_.security_counter);
    enter(Step::kNothing);
  }
  host_->install_ended(true);
}

void UpdateEngine::fail_install() {
  const Sentence sentence = layer_ < target_.layer_count ? about_layer() : Sentence("the journal ");
  const Refusal refusal = {
      mv_wire_UpdateError_UPDATE_FLASH_FAILED,
      Sentence(sentence).add("could not be written to the application's flash: the flash is worn out")};
  if (state_.phase == Phase::kInstalling && state_.keeps) {
    refusal_ = refusal;
    journal_.write_verdict({target_hash_, order_.generation, refusal_});
    begin_undo();
    return;
  }
  refuse(refusal);
  host_->install_ended(false);
}

// ---- trial ----

// Also after a reboot, which counts as a start: a bundle that makes the device reboot does not do so for ever.
void UpdateEngine::enter_trial() {
  enter(Step::kTrial);
  target_hash_ = {};
  confirmed_ = false;
  crashes_ = 0;
  trial_us_ = 0;
  steady_for_us_ = 0;
  trial_seen_us_ = clock_.uptime_us();
  if (before_ == Hash{}) {
    if (const auto hash = slots_.hash(state_.target)) before_ = *hash;
  }
  if (!running_valid_) {
    condemn({"its flash changed while it was on trial"});
  } else if (state_.starts >= kTrialStarts) {
    condemn(Sentence("the device restarted ").add(kTrialStarts).add(" times before it was confirmed"));
  } else {
    UpdateState next = state_;
    ++next.starts;
    write_state(next);
  }
}

void UpdateEngine::application_crashed() {
  if (step_ != Step::kTrial) return;
  ++crashes_;
  steady_for_us_ = 0;
}

bool UpdateEngine::poll_trial() {
  const std::uint64_t now = clock_.uptime_us();
  if (!host_->application_held()) {
    trial_us_ += now - trial_seen_us_;
    if (host_->application_runs()) steady_for_us_ += now - trial_seen_us_;
  }
  trial_seen_us_ = now;
  const bool by_contact = !running_.confirmed_by_application && steady_for_us_ >= steady_us() && fetcher_.ready();
  if (confirmed_ || by_contact) {
    confirm_trial();
  } else if (crashes_ >= kTrialCrashes) {
    condemn(Sentence("it crashed ").add(crashes_).add(" times on trial"));
  } else if (trial_us_ >= trial_limit_us()) {
    condemn(Sentence("it was not confirmed within ").add(running_.confirm_timeout_sec).add(" s"));
  } else {
    return false;
  }
  return true;
}

void UpdateEngine::confirm_trial() {
  if (!write_state({Phase::kIdle, state_.running, UpdateState::kNone})) {
    condemn({"its confirmation could not be written to flash"});
    return;
  }
  layers_.forget();
  journal_.raise_security_counter(running_.security_counter);
  enter(Step::kNothing);
}

void UpdateEngine::condemn(Sentence sentence) {
  refusal_ = {mv_wire_UpdateError_UPDATE_ROLLED_BACK, sentence};
  journal_.write_verdict({running_.hash, order_.generation, refusal_});
  begin_undo();
}

// ---- undoing ----

// From a trial, from an installation that cannot go on, or after a reboot in the middle of it. `target_` becomes what
// was tried, for its blocks are what was kept; `running_` what is put back.
void UpdateEngine::begin_undo() {
  host_->stop_for_install();
  running_valid_ = false;
  UpdateState next = state_;
  next.phase = Phase::kUndoing;
  next.starts = 0;
  if (state_.phase == Phase::kTrial) std::swap(next.running, next.target);
  if (!write_state(next) || !load_target() || !load(state_.running, running_, nullptr)) {
    refuse(mv_wire_UpdateError_UPDATE_ROLLED_BACK, {"and the bundle before could not be put back: nothing runs"});
    host_->install_ended(false);
    return;
  }
  if (const auto verdict = journal_.verdict()) refusal_ = verdict->refusal;
  enter(Step::kUndoing);
}

bool UpdateEngine::poll_undo() {
  if (layer_ == target_.layer_count) {
    finish_undo();
    return true;
  }
  const LayerBlocks all = blocks(layer_);
  if (!layers_.restore(all[block_])) {
    if (++attempts_ > kAttempts) layer_ = target_.layer_count;  // what came of it is looked at in the end
    return true;
  }
  if (++block_ == all.count()) {
    block_ = 0;
    ++layer_;
  }
  return true;
}

void UpdateEngine::finish_undo() {
  const std::span known(running_.layers.data(), running_.layer_count);
  const bool whole = std::ranges::all_of(known, [this](const Layer& each) { return layers_.installed(each); });
  const std::uint8_t running = whole ? state_.running : UpdateState::kNone;
  if (!write_state({Phase::kIdle, running, UpdateState::kNone}) && ++attempts_ <= kAttempts) return;
  running_valid_ = whole;
  layers_.forget();
  target_ = {};
  sizes_ = {};
  if (const auto verdict = journal_.verdict()) {
    target_hash_ = verdict->bundle;
    refused_generation_ = verdict->generation;
    enter(Step::kRefused);
  } else {
    enter(Step::kNothing);
  }
  host_->install_ended(whole);
}

}  // namespace mv::update
