// The update engine: brings the device from the bundle that runs to the one that the cloud wants, by whole layers.
//
// Downloading -> staged -> installing -> running, each step one record in the journal, so power may fail at any moment:
// `boot` goes on from there, and what runs is the old application or the new one, whole. Layers are fetched in the
// order of the manifest; one that is installed already is not fetched; one in flight goes on at its last page, also
// after a reboot. Nothing is installed before everything is there, was signed by a signer of this device and matches
// its hashes.
//
// Everything on the Secure thread. `poll` does one bounded step (a page at most, or the hash of a layer) and never
// blocks. The seams for what is to come: layers that are encrypted or sent as differences end in `on_chunk`, an undo
// area in `poll_install`, a trial run between kInstalling and kIdle of the journal.
#pragma once

#include <cstdint>
#include <optional>

#include "core/link/peers.h"
#include "core/platform/application.h"
#include "core/platform/ports.h"
#include "core/update/layer_store.h"
#include "core/update/manifest.h"
#include "core/update/manifest_slots.h"
#include "core/update/update_journal.h"

namespace mv::update {

// The supervisor, as the engine sees it.
class ApplicationHost {
 public:
  // There is a running application to be polite to.
  virtual bool application_runs() = 0;

  // The application's area is about to change: nothing of it may run until `install_ended`.
  virtual void stop_for_install() = 0;

  // `installed`: the new application is whole and may start. Else nothing whole is installed.
  virtual void install_ended(bool installed) = 0;

  // The staged update that the application was told of will not be installed.
  virtual void update_withdrawn() = 0;

 protected:
  ~ApplicationHost() = default;
};

class UpdateEngine final : private link::BlobSink {
 public:
  struct Ports {
    Flash& flash;
    Clock& clock;
    link::BlobFetcher& fetcher;
    Notifier& notifier;
    SignatureCheck& signatures;
    const char* board;  // a manifest that names another one is refused
  };

  explicit UpdateEngine(const Ports& ports);

  // Once, before anything else: what does the flash say. Verifies what is installed.
  void boot(ApplicationHost& host);

  // What is installed and whole; null if nothing is. Valid until the next `poll`.
  const Manifest* running() const { return running_valid_ ? &running_ : nullptr; }

  // The application's area is being written: nothing may be started.
  bool installing() const { return step_ == Step::kInstalling; }

  // A bundle is being fetched.
  bool fetching() const { return step_ == Step::kFetchManifest || step_ == Step::kFetchLayers; }

  // What the cloud wants; may come again as it was.
  void desire(const mv_wire_Desired& desired);

  // The application agrees: a staged update is installed with the next `poll`. False if there is none.
  bool apply();

  // One step. True if there is more to do at once, without waiting for the link.
  bool poll();

  // When `poll` has something to do although nothing happens; the largest number if never.
  std::uint64_t next_deadline_us() const;

  // State, hashes, progress and error of the update; the state of the application is not ours to say, so without an
  // update under way it is APP_RUNNING or APP_NONE.
  void report(mv_wire_AppReport& out) const;
  std::uint32_t report_version() const { return report_version_; }

 private:
  enum class Step : std::uint8_t { kNothing, kFetchManifest, kFetchLayers, kStaged, kInstalling, kRefused };
  enum class Fetch : std::uint8_t { kClosed, kOpen, kFetched, kMissing, kBroken };

  // link::BlobSink
  void on_chunk(std::uint32_t offset, std::span<const std::uint8_t> data, std::uint32_t total) override;
  void on_fetched() override;
  void on_missing() override;
  void on_interrupted() override;

  void resume();
  void resume_layer();
  bool load_running();
  bool load_target();
  bool reconcile();
  void begin_target();
  void drop_target();

  bool poll_manifest();
  bool open_manifest();
  void finish_manifest();

  bool poll_layers();
  bool open_layer();
  void finish_layer();
  void note_pages();
  void mark_layer();
  void enter_staged();

  bool poll_staged();
  bool waits_for_application() const;
  std::uint64_t patience_ends_us() const;
  void begin_install();
  bool all_layers_there(UpdateState& state);

  bool poll_install();
  void finish_install();
  void fail_install();

  void refuse(const Refusal& refusal);
  void refuse(mv_wire_UpdateError error, Sentence sentence) { refuse(Refusal{error, sentence}); }
  bool retry(mv_wire_UpdateError error, Sentence sentence);
  void close_fetch();
  void enter(Step step);
  void progress();
  bool write_state(UpdateState state);
  const Layer& layer() const { return target_.layers[layer_]; }
  std::uint8_t free_slot() const { return state_.running == 0 ? 1 : 0; }
  Sentence about_layer() const;

  Clock& clock_;
  link::BlobFetcher& fetcher_;
  Notifier& notifier_;
  ManifestRules rules_;
  ApplicationHost* host_ = nullptr;

  UpdateJournal journal_;
  ManifestSlots slots_;
  LayerStore layers_;
  PageWriter writer_;
  ManifestScratch scratch_{};

  Step step_ = Step::kNothing;
  UpdateState state_;
  Manifest running_;
  bool running_valid_ = false;
  Manifest target_;
  Hash target_hash_{};
  std::uint32_t target_size_ = 0;  // of the manifest's file
  UpdateJournal::Sizes sizes_{};   // content of each layer; 0: not known yet

  bool desired_known_ = false;
  bool desired_any_ = false;  // false: nothing is assigned
  Hash desired_hash_{};
  std::uint32_t desired_size_ = 0;
  std::uint64_t generation_ = 0;
  bool force_ = false;

  Fetch fetch_ = Fetch::kClosed;
  bool probing_ = false;  // the fetch only asks how large the layer is
  std::uint32_t probed_size_ = 0;
  std::size_t layer_ = 0;      // being fetched or installed
  std::uint32_t fetched_ = 0;  // bytes of that layer in flash
  std::uint32_t page_ = 0;     // next page to install, offset within the layer
  bool compared_ = false;      // that layer is known not to be installed already
  std::uint8_t attempts_ = 0;
  std::uint8_t restaged_ = 0;  // how often what was staged had to be fetched again

  bool listened_ = false;  // the application was told
  bool apply_ = false;
  std::uint64_t staged_since_us_ = 0;

  Refusal refusal_{};
  std::uint64_t refused_generation_ = 0;
  std::uint32_t report_version_ = 0;
  std::uint64_t progress_us_ = 0;  // when progress was last counted as a change
};

}  // namespace mv::update
