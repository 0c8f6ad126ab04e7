// The update engine: brings the device from the bundle that runs to the one that the cloud wants.
//
// Fetching -> staged -> installing -> (on trial ->) running, each step one record in the journal, so power may fail at
// any moment: `boot` goes on from there, and what runs is the old application or the new one, whole.
//
//   fetching    Segments that are installed already are not asked for. Each of the others comes as a record against
//   what
//               is installed, is rebuilt, compared with its hash in the signed manifest, and staged encrypted. A lost
//               link or a reboot costs the segment in flight.
//   staged      Everything is there and matches its hashes. The application is told and may take its time.
//   installing  Blocks are replaced where they differ; doing it twice is harmless. If the bundle is to run on trial,
//               what is replaced is kept first.
//   on trial    Until the bundle is confirmed. One that is not, or crashes too often, is undone by putting back what
//   was
//               kept, and refused until there is a newer order.
//
// Everything on the Secure thread. `poll` does one bounded step (a block, or the hash of a layer) and never blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "core/link/peers.h"
#include "core/platform/application.h"
#include "core/platform/ports.h"
#include "core/update/content_key.h"
#include "core/update/layer_store.h"
#include "core/update/manifest.h"
#include "core/update/manifest_slots.h"
#include "core/update/segment_receiver.h"
#include "core/update/update_journal.h"

namespace mv::update {

// The supervisor, as the engine sees it.
class ApplicationHost {
 public:
  // There is a running application to be polite to.
  virtual bool application_runs() = 0;

  // Somebody debugs it and has halted it: its time stands still.
  virtual bool application_held() = 0;

  // The application's area is about to change: nothing of it may run until `install_ended`.
  virtual void stop_for_install() = 0;

  // `installed`: an application is whole and may start. Else nothing whole is installed.
  virtual void install_ended(bool installed) = 0;

  // The staged update that the application was told of will not be installed.
  virtual void update_withdrawn() = 0;

 protected:
  ~ApplicationHost() = default;
};

class UpdateEngine final : private link::BlobSink {
 public:
  static constexpr std::uint8_t kAttempts = 3;            // of anything that may fail by bad luck
  static constexpr std::uint8_t kTrialCrashes = 3;        // of the application on trial, and it is undone
  static constexpr std::uint8_t kTrialStarts = 3;         // of the microvisor with the same bundle on trial, likewise
  static constexpr std::uint64_t kSteadyUs = 10'000'000;  // without a crash, and contact with the cloud confirms it

  struct Ports {
    Flash& flash;
    Clock& clock;
    link::BlobFetcher& fetcher;
    Notifier& notifier;
    SignatureCheck& signatures;
    const char* board;  // a manifest that names another one is refused
    DecryptionKeys decryption_keys = {};
  };

  explicit UpdateEngine(const Ports& ports);

  // Once, before anything else: what does the flash say. Verifies what is installed.
  void boot(ApplicationHost& host);

  // What is installed and whole; null if nothing is. Valid until the next `poll`.
  const Manifest* running() const { return running_valid_ ? &running_ : nullptr; }

  // The application's area is being written: nothing may be started.
  bool installing() const { return step_ == Step::kInstalling || step_ == Step::kUndoing; }

  // A bundle is being fetched.
  bool fetching() const { return step_ == Step::kFetchManifest || step_ == Step::kFetchLayers; }

  // Neither changing the application nor waiting for the outcome of that.
  bool settled() const { return !installing() && step_ != Step::kTrial; }

  // A bundle that is fetched or staged is refused if its signers are not enough any more.
  void signers_changed();

  // What the cloud wants; may come again as it was.
  void desire(const mv_wire_Desired& desired);

  // The application agrees: a staged update is installed with the next `poll`. False if there is none.
  bool apply();

  // The application says that it works. Does nothing unless it is on trial.
  void confirm() { confirmed_ = step_ == Step::kTrial; }

  // The application crashed. Counts only on trial.
  void application_crashed();

  // One step. True if there is more to do at once, without waiting for the link.
  bool poll();

  // When `poll` has something to do although nothing happens; the largest number if never.
  std::uint64_t next_deadline_us() const;

  // State, hashes, progress and error of the update; the state of the application is not ours to say, so without an
  // update under way it is APP_RUNNING or APP_NONE.
  void report(mv_wire_AppReport& out) const;
  std::uint32_t report_version() const { return report_version_; }

 private:
  enum class Step : std::uint8_t {
    kNothing,
    kFetchManifest,
    kFetchLayers,
    kStaged,
    kInstalling,
    kTrial,
    kUndoing,
    kRefused
  };
  enum class Fetch : std::uint8_t { kClosed, kOpen, kFetched, kMissing, kFlashRefused, kWrongRecord, kDoesNotOpen };

  // link::BlobSink
  void on_chunk(std::uint32_t offset, std::span<const std::uint8_t> data, std::uint32_t total) override;
  void on_record(std::uint32_t segment, std::uint32_t offset, std::span<const std::uint8_t> data,
                 std::uint32_t total) override;
  void on_fetched() override;
  void on_missing() override;
  void on_interrupted() override;

  // What is wanted (update_engine.cc).
  void resume();
  bool load_running();
  bool load_target();
  bool load(std::uint8_t slot, Manifest& out, SegmentHashes* segments);
  bool reconcile();
  bool reconcile_trial();
  void begin_target();
  void drop_target();

  // Fetching (update_fetch.cc).
  bool poll_manifest();
  bool open_manifest();
  void finish_manifest();
  bool begin_fetching(std::uint8_t slot);
  bool poll_layers();
  bool open_layer();
  void look_at_layer();
  bool ask_for_segments();
  void finish_probe();
  bool finish_layer();
  bool begin_segment(SegmentReceiver& receiver, const Block& block, std::uint32_t size);
  bool give_up_old_image(Sentence sentence);
  void next_layer();
  void enter_staged();
  LayerBlocks blocks(std::size_t layer) const { return {target_, layer, sizes_}; }
  Sentence about_layer() const;
  Sentence about_segment() const;

  // Installing, trial and undoing (update_install.cc).
  bool poll_staged();
  bool waits_for_application() const;
  std::uint64_t patience_ends_us() const;
  void begin_install();
  bool all_layers_there();
  void stage_again();
  bool poll_install();
  bool install_block();
  void finish_install();
  void fail_install();
  void enter_trial();
  bool poll_trial();
  std::uint64_t trial_limit_us() const { return std::uint64_t{running_.confirm_timeout_sec} * 1'000'000; }
  std::uint64_t steady_us() const { return trial_limit_us() / 2 < kSteadyUs ? trial_limit_us() / 2 : kSteadyUs; }
  void confirm_trial();
  void condemn(Sentence sentence);
  void begin_undo();
  bool poll_undo();
  void finish_undo();

  // Common.
  void refuse(const Refusal& refusal);
  void refuse(mv_wire_UpdateError error, Sentence sentence) { refuse(Refusal{error, sentence}); }
  bool retry(mv_wire_UpdateError error, Sentence sentence);
  void close_fetch();
  void enter(Step step);
  void progress();
  bool write_state(UpdateState state);
  std::uint8_t free_slot() const { return state_.running == 0 ? 1 : 0; }

  Clock& clock_;
  link::BlobFetcher& fetcher_;
  Notifier& notifier_;
  ManifestRules rules_;
  DecryptionKeys decryption_keys_;
  ApplicationHost* host_ = nullptr;

  UpdateJournal journal_;
  ManifestSlots slots_;
  LayerStore layers_;
  InstalledImage old_image_;

  // Never needed at the same time, and large.
  std::variant<std::monostate, ManifestScratch, SegmentReceiver> workshop_;

  Step step_ = Step::kNothing;
  UpdateState state_;
  Manifest running_;
  bool running_valid_ = false;
  Manifest target_;
  SegmentHashes segments_{};  // of the target
  ContentKey content_key_;    // of the target, if it is encrypted
  Hash target_hash_{};
  std::uint32_t target_size_ = 0;  // of the manifest's file
  ContentSizes sizes_{};           // of the target's layers

  bool desired_known_ = false;
  bool desired_any_ = false;  // false: nothing is assigned
  Hash desired_hash_{};
  std::uint32_t desired_size_ = 0;
  Order order_;

  Fetch fetch_ = Fetch::kClosed;
  bool probing_ = false;  // the fetch only asks how large the layer is
  std::uint32_t probed_size_ = 0;
  std::size_t layer_ = 0;       // being fetched, installed or undone
  bool looked_ = false;         // which of its segments are missing is known
  std::uint32_t missing_ = 0;   // bit n: segment n of that layer
  bool without_old_ = false;    // the old image was no help: what comes is not to need it
  std::uint8_t segment_ = 0;    // that comes in, or is wrong
  std::uint8_t block_ = 0;      // of that layer, to be installed or undone
  std::uint32_t received_ = 0;  // bytes of records
  std::uint32_t done_ = 0;      // bytes of content that are there
  std::uint8_t attempts_ = 0;
  std::uint8_t restaged_ = 0;  // how often what was staged had to be fetched again

  bool listened_ = false;  // the application was told
  bool apply_ = false;
  std::uint64_t staged_since_us_ = 0;

  bool confirmed_ = false;  // by the application
  std::uint8_t crashes_ = 0;
  std::uint64_t trial_us_ = 0;       // time on trial, that held by a debugger not counted
  std::uint64_t steady_for_us_ = 0;  // since the last crash
  std::uint64_t trial_seen_us_ = 0;
  Hash before_{};  // the bundle that would be put back

  Refusal refusal_{};
  std::uint64_t refused_generation_ = 0;
  std::uint32_t report_version_ = 0;
  std::uint64_t progress_us_ = 0;  // when progress was last counted as a change
};

}  // namespace mv::update
