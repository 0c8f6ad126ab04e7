#include "core/update/microvisor_updater.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/storage/little_endian.h"

namespace mv::update {
namespace {

using image::BootState;
using image::ImageError;
using image::Slot;
using storage::kPage;

constexpr std::uint8_t kAttempts = 3;                 // of anything that may fail by bad luck
constexpr std::uint64_t kProgressInterval = 250'000;  // us between two reports of mere progress
constexpr std::uint64_t kSecond = 1'000'000;
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

// Kinds of records beside the boot ROM's.
constexpr std::uint8_t kOrder = image::BootRecords::kFirstFreeKind;
constexpr std::uint8_t kProgress = kOrder + 1;  // number: bytes of the order's file in flash, whole pages

// An order in flash: hash, number (two words), size, trial time, error, length of the sentence, sentence.
constexpr std::size_t kHashAt = 0, kNumberAt = 32, kSizeAt = 40, kTrialAt = 44, kErrorAt = 48, kLengthAt = 49,
                      kSentenceAt = 50;
using OrderBytes = std::array<std::uint8_t, kSentenceAt + Sentence::kSize>;

template <std::size_t kAt>
std::span<std::uint8_t, 4> word(OrderBytes& bytes) {
  return std::span<std::uint8_t, 4>(&bytes[kAt], 4);
}

Sentence named(std::uint32_t version) { return Sentence("microvisor ").add(image::version_text(version).data()); }

// What the boot ROM would say of it, for the cloud.
Refusal refusal_of(ImageError error) {
  switch (error) {
    case ImageError::kBadSignature:
      return {mv_wire_UpdateError_UPDATE_BAD_SIGNATURE,
              {"the microvisor image is not signed with the key of this device's boot ROM"}};
    case ImageError::kBadLength:
      return {mv_wire_UpdateError_UPDATE_TOO_LARGE, {"the microvisor image is larger than its place in RAM or flash"}};
    case ImageError::kWrongBoard:
    case ImageError::kBadLoadAddress:
      return {mv_wire_UpdateError_UPDATE_WRONG_BOARD, {"the microvisor image was built for another board"}};
    case ImageError::kBadHash:
      return {mv_wire_UpdateError_UPDATE_BAD_LAYER, {"the microvisor image is damaged: upload it again"}};
    default:
      return {mv_wire_UpdateError_UPDATE_BAD_MANIFEST, {"the file is no microvisor image that this device knows"}};
  }
}

}  // namespace

MicrovisorUpdater::MicrovisorUpdater(const Ports& ports)
    : flash_(ports.flash),
      clock_(ports.clock),
      fetcher_(ports.fetcher),
      notifier_(ports.notifier),
      crypto_(ports.crypto),
      restart_(ports.restart),
      target_(ports.target),
      records_(ports.flash),
      writer_(ports.flash) {}

// ---- after a boot ----

void MicrovisorUpdater::boot(MicrovisorHost& host, const image::Started& started) {
  host_ = &host;
  started_ = started;
  records_.mount();
  load_order();
  BootState state = records_.state();
  if (started_.on_trial) {
    since_us_ = clock_.uptime_us();
    return enter(Step::kTrial);
  }
  if (state.trial != Slot::kNone) {
    note_fallback(state);
    state.trial = Slot::kNone;
    state.trial_starts = 0;
  }
  // The boot ROM found the confirmed image bad: what it started instead is what an update must not overwrite.
  state.confirmed = started_.slot;
  (void)records_.write(state);  // on false the next boot finds the same and tries again
  if (refusal_.error != mv_wire_UpdateError_UPDATE_OK) enter(Step::kRefused);
}

// We run although another slot was to be tried.
void MicrovisorUpdater::note_fallback(const BootState& state) {
  const auto header = image::read_header(flash_, image::place_of(state.trial));
  Sentence sentence = header ? named(header->version) : Sentence("the new microvisor");
  if (state.trial_starts >= image::kTrialStarts) {
    sentence.add(" restarted ").add(std::uint32_t{image::kTrialStarts}).add(" times before it reached the cloud");
  } else {
    sentence.add(" was not started by the boot ROM, which found it damaged");
  }
  refusal_ = {mv_wire_UpdateError_UPDATE_ROLLED_BACK, sentence};
  (void)store_order();
}

void MicrovisorUpdater::load_order() {
  OrderBytes bytes{};
  if (records_.records().read(kOrder, bytes) < kSentenceAt) return;
  std::copy_n(bytes.begin() + kHashAt, order_.hash.size(), order_.hash.begin());
  order_.number =
      storage::load_u32(word<kNumberAt>(bytes)) | std::uint64_t{storage::load_u32(word<kNumberAt + 4>(bytes))} << 32U;
  order_.size = storage::load_u32(word<kSizeAt>(bytes));
  order_.trial_sec = storage::load_u32(word<kTrialAt>(bytes));
  judged_ = order_.number;
  const std::size_t length = std::min<std::size_t>(bytes[kLengthAt], Sentence::kSize);
  refusal_.error = static_cast<mv_wire_UpdateError>(bytes[kErrorAt]);
  refusal_.sentence = std::string_view(reinterpret_cast<const char*>(&bytes[kSentenceAt]), length);
  const auto progress = records_.records().find(kProgress);
  if (progress && progress->number <= order_.size) fetched_ = noted_ = progress->number / kPage * kPage;
}

bool MicrovisorUpdater::store_order() {
  OrderBytes bytes{};
  const std::string_view sentence = refusal_.sentence.view();
  std::ranges::copy(order_.hash, bytes.begin() + kHashAt);
  storage::store_u32(word<kNumberAt>(bytes), static_cast<std::uint32_t>(order_.number));
  storage::store_u32(word<kNumberAt + 4>(bytes), static_cast<std::uint32_t>(order_.number >> 32U));
  storage::store_u32(word<kSizeAt>(bytes), order_.size);
  storage::store_u32(word<kTrialAt>(bytes), order_.trial_sec);
  bytes[kErrorAt] = static_cast<std::uint8_t>(refusal_.error);
  bytes[kLengthAt] = static_cast<std::uint8_t>(sentence.size());
  std::ranges::copy(sentence, bytes.begin() + kSentenceAt);
  return records_.records().put(kOrder, 0, std::span(bytes).first(kSentenceAt + sentence.size()));
}

// ---- what is wanted ----

void MicrovisorUpdater::desire(const mv_wire_Desired& desired) {
  const mv_wire_MicrovisorImage& image = desired.microvisor;
  Order wanted;
  // A hash of another length is none of ours: nothing could be fetched by it.
  if (desired.has_microvisor && image.hash.size == wanted.hash.size() && image.size != 0) {
    std::memcpy(wanted.hash.data(), image.hash.bytes, wanted.hash.size());
    wanted.size = image.size;
    wanted.trial_sec = image.trial_sec;
    wanted.number = image.order;
    wanted.force = image.force;
  }
  wanted_known_ = true;
  wanted_ = wanted;
}

// Compares what is wanted with what is under way. True if that changed anything.
bool MicrovisorUpdater::reconcile() {
  if (!wanted_known_) return false;
  if (judged_ != wanted_.number) ++report_version_;
  judged_ = wanted_.number;
  const bool same = order_.size == wanted_.size && order_.hash == wanted_.hash;
  const bool under_way = step_ == Step::kFetching || step_ == Step::kStaged;
  if (under_way && same) {
    order_.trial_sec = wanted_.trial_sec;
    order_.number = wanted_.number;
    order_.force = wanted_.force;
    return false;
  }
  if (wanted_.size == 0 || runs_already()) {
    if (step_ == Step::kRuns) return false;
    drop();
    return true;
  }
  if (step_ == Step::kRefused && same && order_.number == wanted_.number) return false;
  begin();
  return true;
}

bool MicrovisorUpdater::runs_already() {
  if (!running_hash_) {
    Hash hash{};
    (void)image::hash_file(flash_, image::place_of(started_.slot), crypto_, hash);  // on false no hash is equal
    running_hash_ = hash;
  }
  return *running_hash_ == wanted_.hash;
}

void MicrovisorUpdater::drop() {
  close_fetch();
  if (step_ == Step::kStaged) host_->update_withdrawn();
  enter(Step::kRuns);
}

void MicrovisorUpdater::begin() {
  drop();
  const bool same = order_.size == wanted_.size && order_.hash == wanted_.hash;
  order_ = wanted_;
  refusal_ = {};
  if (order_.size > place().size) {
    refuse(mv_wire_UpdateError_UPDATE_TOO_LARGE, Sentence("the microvisor image has ")
                                                     .add(order_.size)
                                                     .add(" bytes, its place in this device's flash has ")
                                                     .add(place().size));
    return;
  }
  // The pages of an older order are none of this one.
  if (!same && !records_.records().put(kProgress, 0)) {
    refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the order for a microvisor could not be written to flash"});
    return;
  }
  if (!same) fetched_ = noted_ = 0;
  if (!store_order()) {
    refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the order for a microvisor could not be written to flash"});
    return;
  }
  enter(Step::kFetching);
  // It may be there already: the device was restarted, or the cloud orders once more what was given up.
  Hash hash;
  if (same && image::hash_flash(flash_, place().offset, order_.size, crypto_, hash) && hash == order_.hash) {
    fetched_ = order_.size;
    judge();
  }
}

bool MicrovisorUpdater::poll() {
  if (step_ != Step::kTrial && step_ != Step::kRestarting && reconcile()) return true;
  switch (step_) {
    case Step::kFetching:
      return poll_fetching();
    case Step::kStaged:
      return poll_staged();
    case Step::kTrial:
      if (clock_.uptime_us() < next_deadline_us()) return false;
      give_up();
      return true;
    default:
      return false;
  }
}

std::uint64_t MicrovisorUpdater::next_deadline_us() const {
  if (step_ == Step::kTrial) return since_us_ + trial_sec() * kSecond;
  return step_ == Step::kStaged && told_ ? patience_ends_us() : kNever;
}

// ---- fetching ----

void MicrovisorUpdater::on_chunk(std::uint32_t, std::span<const std::uint8_t> data, std::uint32_t) {
  if (fetch_ != Fetch::kOpen) return;
  if (!writer_.write(data)) {
    fetch_ = Fetch::kBroken;
    return;
  }
  fetched_ += static_cast<std::uint32_t>(data.size());
  note_pages();
  progress();
}

// A hint that is lost costs a download, nothing else: what counts is the hash of it all.
void MicrovisorUpdater::note_pages() {
  const std::uint32_t pages = fetched_ / kPage * kPage;
  if (pages == noted_ || !records_.records().put(kProgress, pages)) return;
  noted_ = pages;
}

void MicrovisorUpdater::on_fetched() {
  if (fetch_ == Fetch::kOpen) fetch_ = Fetch::kFetched;
}

void MicrovisorUpdater::on_missing() { fetch_ = Fetch::kMissing; }

void MicrovisorUpdater::on_interrupted() { fetch_ = Fetch::kClosed; }

void MicrovisorUpdater::close_fetch() {
  if (fetch_ == Fetch::kOpen || fetch_ == Fetch::kBroken) fetcher_.cancel();
  fetch_ = Fetch::kClosed;
}

bool MicrovisorUpdater::poll_fetching() {
  switch (fetch_) {
    case Fetch::kOpen:
      return false;
    case Fetch::kClosed:
      open_fetch();
      return false;
    case Fetch::kMissing:
      fetch_ = Fetch::kClosed;
      refuse(mv_wire_UpdateError_UPDATE_NOT_FOUND, {"the cloud does not have the microvisor image: upload it again"});
      return false;
    case Fetch::kBroken:
      close_fetch();
      if (++attempts_ < kAttempts) return true;
      refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the microvisor image could not be written to flash"});
      return false;
    case Fetch::kFetched:
      fetch_ = Fetch::kClosed;
      return finish_fetch();
  }
  return false;
}

void MicrovisorUpdater::open_fetch() {
  if (!fetcher_.ready()) return;
  fetched_ = fetched_ / kPage * kPage;
  if (fetched_ == order_.size) fetched_ -= kPage;  // the hash of what is there was wrong, or was never taken
  writer_.begin(place().offset + fetched_);
  if (fetcher_.fetch(order_.hash, fetched_, order_.size - fetched_, *this)) fetch_ = Fetch::kOpen;
}

bool MicrovisorUpdater::finish_fetch() {
  Hash hash{};
  const bool whole = writer_.finish() && image::hash_flash(flash_, place().offset, order_.size, crypto_, hash);
  if (whole && hash == order_.hash) return judge();
  fetched_ = 0;
  if (++attempts_ < kAttempts) return true;
  refuse(mv_wire_UpdateError_UPDATE_BAD_LAYER, {"the microvisor image that came does not match its hash"});
  return false;
}

// All of the file is there: is it one that the boot ROM will start, and that we want it to?
bool MicrovisorUpdater::judge() {
  const auto header = image::check_image(flash_, place(), target_, crypto_);
  if (!header) {
    const Refusal refusal = refusal_of(header.error());
    refuse(refusal.error, refusal.sentence);
    return false;
  }
  const std::uint32_t lowest = std::max(records_.state().minimum_version, started_.version);
  if (header->version < lowest) {
    refuse(mv_wire_UpdateError_UPDATE_COUNTER_TOO_LOW, named(header->version)
                                                           .add(" is older than ")
                                                           .add(image::version_text(lowest).data())
                                                           .add(", which this device has: there is no way back"));
    return false;
  }
  enter(Step::kStaged);
  return true;
}

// ---- staged ----

bool MicrovisorUpdater::apply() {
  if (step_ != Step::kStaged) return false;
  apply_ = true;
  return true;
}

std::uint64_t MicrovisorUpdater::patience_ends_us() const { return since_us_ + host_->politeness_sec() * kSecond; }

bool MicrovisorUpdater::waits_for_application() const {
  if (order_.force || apply_ || !listened_ || !host_->application_runs()) return false;
  return clock_.uptime_us() < patience_ends_us();
}

bool MicrovisorUpdater::poll_staged() {
  if (host_->no_time_to_restart()) {
    told_ = false;  // whoever was told may not run any more when it is over
    return false;
  }
  if (!told_) {
    told_ = true;
    since_us_ = clock_.uptime_us();
    listened_ = host_->application_runs() && notifier_.update_staged();
  }
  if (waits_for_application()) return false;
  start_trial();
  return true;
}

void MicrovisorUpdater::start_trial() {
  const auto header = image::read_header(flash_, place());
  BootState state = records_.state();
  state.trial = image::other(started_.slot);
  state.trial_starts = 0;
  if (!header || !store_order() || !records_.write(state)) {
    refuse(mv_wire_UpdateError_UPDATE_FLASH_FAILED, {"the trial of the microvisor could not be written to flash"});
    return;
  }
  enter(Step::kRestarting);
  restart_.restart(named(header->version).add(" starts on trial").view());
}

// ---- on trial ----

std::uint32_t MicrovisorUpdater::trial_sec() const {
  return order_.trial_sec == 0 ? kDefaultTrialSec : std::clamp(order_.trial_sec, kShortestTrialSec, kLongestTrialSec);
}

void MicrovisorUpdater::cloud_reached() {
  if (step_ != Step::kTrial || attempts_ >= kAttempts) return;
  if (confirm()) {
    if (refusal_.error != mv_wire_UpdateError_UPDATE_OK) {  // power failed when it had just been given up
      refusal_ = {};
      (void)store_order();
    }
    enter(Step::kRuns);
  } else {
    ++attempts_;  // no more after the last: at the end of its time the trial has failed
  }
}

bool MicrovisorUpdater::confirm() {
  BootState state = records_.state();
  state.confirmed = started_.slot;
  state.trial = Slot::kNone;
  state.trial_starts = 0;
  state.minimum_version = std::max(state.minimum_version, started_.version);
  return records_.write(state);
}

void MicrovisorUpdater::give_up() {
  refusal_ = {mv_wire_UpdateError_UPDATE_ROLLED_BACK,
              named(started_.version).add(" did not reach the cloud in ").add(trial_sec()).add(" s")};
  (void)store_order();  // if that fails the one before says only that it is back
  BootState state = records_.state();
  state.trial = Slot::kNone;
  state.trial_starts = 0;
  (void)records_.write(state);  // if that fails, the boot ROM goes on counting starts
  enter(Step::kRestarting);
  restart_.restart(refusal_.sentence.view());
}

// ---- common ----

// On a device that is worn out, the next boot fetches and refuses it again.
void MicrovisorUpdater::refuse(mv_wire_UpdateError error, const Sentence& sentence) {
  close_fetch();
  refusal_ = {error, sentence};
  (void)store_order();
  enter(Step::kRefused);
}

void MicrovisorUpdater::enter(Step step) {
  step_ = step;
  attempts_ = 0;
  told_ = listened_ = apply_ = false;
  ++report_version_;
}

void MicrovisorUpdater::progress() {
  const std::uint64_t now = clock_.uptime_us();
  if (now - progress_us_ < kProgressInterval) return;
  progress_us_ = now;
  ++report_version_;
}

void MicrovisorUpdater::report(mv_wire_MicrovisorReport& out) const {
  out = mv_wire_MicrovisorReport_init_zero;
  out.version = started_.version;
  out.order = judged_;
  switch (step_) {
    case Step::kRuns:
      out.state = mv_wire_MicrovisorState_MICROVISOR_RUNS;
      return;
    case Step::kTrial:
      out.state = mv_wire_MicrovisorState_MICROVISOR_ON_TRIAL;
      return;
    case Step::kRefused:
      out.state = mv_wire_MicrovisorState_MICROVISOR_REFUSED;
      out.error = refusal_.error;
      std::ranges::copy(refusal_.sentence.view(), out.detail);
      return;
    case Step::kFetching:
    case Step::kStaged:
    case Step::kRestarting:
      out.state = step_ == Step::kFetching ? mv_wire_MicrovisorState_MICROVISOR_DOWNLOADING
                                           : mv_wire_MicrovisorState_MICROVISOR_STAGED;
      out.bytes_done = fetched_;
      out.bytes_total = order_.size;
      return;
  }
}

}  // namespace mv::update
