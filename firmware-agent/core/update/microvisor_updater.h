// Brings the device from the microvisor that runs to the one that the cloud wants.
//
// Downloading into the slot that does not run -> checked as the boot ROM checks it -> staged -> on trial after a
// restart
// -> confirmed once it has reached the cloud. If it does not in time, it restarts the device, and the boot ROM goes
// back to the one before; a crash on trial uses up one of three starts (core/image/choice.h). An image that was refused
// or given up is not tried again before the cloud gives a new order. What is on its way survives reboots and lost
// links.
//
// Everything on the Secure thread. `poll` does one bounded step: a page at most, or the check of an image.
#pragma once

#include <cstdint>
#include <optional>

#include "core/image/choice.h"
#include "core/link/peers.h"
#include "core/platform/application.h"
#include "core/platform/ports.h"
#include "core/update/manifest.h"
#include "core/update/page_writer.h"

namespace mv::update {

// What the restart of the whole device must be fitted to.
class MicrovisorHost {
 public:
  // Something is under way that a restart would disturb: an update of the application, a debugger that holds it.
  virtual bool no_time_to_restart() = 0;

  // There is a running application to be polite to, and for how long.
  virtual bool application_runs() = 0;
  virtual std::uint32_t politeness_sec() = 0;

  // The staged update that the application was told of is no more.
  virtual void update_withdrawn() = 0;

 protected:
  ~MicrovisorHost() = default;
};

// Restarts the whole device.
class DeviceRestart {
 public:
  // Does not return on a device. `why`: a sentence for the next boot to tell.
  virtual void restart(std::string_view why) = 0;

 protected:
  ~DeviceRestart() = default;
};

class MicrovisorUpdater final : private link::BlobSink {
 public:
  static constexpr std::uint32_t kDefaultTrialSec = 120;
  static constexpr std::uint32_t kShortestTrialSec = 10;
  static constexpr std::uint32_t kLongestTrialSec = 3600;

  struct Ports {
    Flash& flash;
    Clock& clock;
    link::BlobFetcher& fetcher;
    Notifier& notifier;
    image::Crypto& crypto;
    DeviceRestart& restart;
    image::Target target;
  };

  explicit MicrovisorUpdater(const Ports& ports);

  // Once, before anything else. `started`: what the boot ROM handed over.
  void boot(MicrovisorHost& host, const image::Started& started);

  // What the cloud wants; may come again as it was.
  void desire(const mv_wire_Desired& desired);

  // The cloud said Welcome: what runs on trial is confirmed. Any number of times.
  void cloud_reached();

  // The application agrees to a restart now. False if nothing waits for it.
  bool apply();

  // One step. True if there is more to do at once, without waiting for the link.
  bool poll();

  // When `poll` has something to do although nothing happens; the largest number if never.
  std::uint64_t next_deadline_us() const;

  bool fetching() const { return step_ == Step::kFetching; }
  bool on_trial() const { return step_ == Step::kTrial; }

  void report(mv_wire_MicrovisorReport& out) const;
  std::uint32_t report_version() const { return report_version_; }

 private:
  enum class Step : std::uint8_t { kRuns, kFetching, kStaged, kTrial, kRestarting, kRefused };
  enum class Fetch : std::uint8_t { kClosed, kOpen, kFetched, kMissing, kBroken };

  // One order of the cloud's.
  struct Order {
    Hash hash{};
    std::uint32_t size = 0;  // of the file; 0: none
    std::uint32_t trial_sec = 0;
    std::uint64_t number = 0;
    bool force = false;  // not kept over a reboot
  };

  // link::BlobSink
  void on_chunk(std::uint32_t offset, std::span<const std::uint8_t> data, std::uint32_t total) override;
  // Images come as they are: what a record refers to would have to be the image that runs, from a slot that may be bad.
  void on_record(std::uint32_t, std::uint32_t, std::span<const std::uint8_t>, std::uint32_t) override {}
  void on_fetched() override;
  void on_missing() override;
  void on_interrupted() override;

  void load_order();
  bool store_order();
  void note_fallback(const image::BootState& state);

  bool reconcile();
  bool runs_already();
  void begin();
  void drop();

  bool poll_fetching();
  void open_fetch();
  bool finish_fetch();
  bool judge();
  void close_fetch();
  void note_pages();

  bool poll_staged();
  bool waits_for_application() const;
  std::uint64_t patience_ends_us() const;
  void start_trial();

  bool confirm();
  void give_up();

  flash_map::Area place() const { return image::place_of(image::other(started_.slot)); }
  std::uint32_t trial_sec() const;
  void refuse(mv_wire_UpdateError error, const Sentence& sentence);
  void enter(Step step);
  void progress();

  Flash& flash_;
  Clock& clock_;
  link::BlobFetcher& fetcher_;
  Notifier& notifier_;
  image::Crypto& crypto_;
  DeviceRestart& restart_;
  image::Target target_;
  MicrovisorHost* host_ = nullptr;

  image::BootRecords records_;
  PageWriter writer_;
  image::Started started_;
  Step step_ = Step::kRuns;

  Order wanted_;  // by the cloud; valid once `wanted_known_`
  bool wanted_known_ = false;
  std::uint64_t judged_ = 0;  // number of the last order that the report below takes into account
  Order order_;               // under way, on trial or refused
  Refusal refusal_{};
  std::optional<Hash> running_hash_;  // of the file in our own slot, once it was needed

  Fetch fetch_ = Fetch::kClosed;
  std::uint32_t fetched_ = 0;  // bytes in flash
  std::uint32_t noted_ = 0;    // whole pages of them that flash knows of
  std::uint8_t attempts_ = 0;

  bool told_ = false;  // the application, if there is one that wants to know
  bool listened_ = false;
  bool apply_ = false;
  std::uint64_t since_us_ = 0;  // when it was told, or when the trial began

  std::uint32_t report_version_ = 0;
  std::uint64_t progress_us_ = 0;  // when progress was last counted as a change
};

}  // namespace mv::update
