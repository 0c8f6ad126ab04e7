// A device as its microvisor's updates see it: boot ROM, slots, updater and cloud, without anything else.
#pragma once

#include <memory>
#include <string>

#include "core/image/image_fixture.h"
#include "core/update/microvisor_updater.h"
#include "core/update/update_rig.h"

namespace mv::update::fixture {

using image::Slot;
using image::fixture::fake_digest;
using image::fixture::FakeCrypto;
using image::fixture::make_image;
using image::fixture::NotedLog;
using rig::Bytes;
using rig::FakeCloud;

inline constexpr std::uint32_t kOld = 0x00010000;  // 0.1.0
inline constexpr std::uint32_t kNew = 0x00020000;  // 0.2.0

// The cloud has these bytes under that hash, theirs if none is given.
inline void offer(FakeCloud& cloud, const Bytes& bytes, const image::Digest& hash) {
  rig::Bundle blob;
  blob.manifest = bytes;
  blob.hash = hash;
  cloud.add(blob);
}
inline void offer(FakeCloud& cloud, const Bytes& bytes) { offer(cloud, bytes, fake_digest(bytes)); }

class FakeMicrovisorHost final : public MicrovisorHost, public Notifier, public DeviceRestart {
 public:
  bool no_time_to_restart() override { return busy; }
  bool application_runs() override { return runs; }
  std::uint32_t politeness_sec() override { return politeness; }
  void update_withdrawn() override { ++withdrawn; }
  bool update_staged() override {
    ++told;
    return listens;
  }
  void network_changed(bool) override {}
  void restart(std::string_view reason) override {
    restarted = true;
    why = reason;
  }

  bool busy = false, runs = false, listens = false, restarted = false;
  std::uint32_t politeness = 0;
  int told = 0, withdrawn = 0;
  std::string why;
};

// One boot. `started` is false if the boot ROM found nothing to start.
class Boot {
 public:
  Boot(host::FakeFlash& flash, FakeCloud& cloud) : flash_(flash), cloud_(cloud) {
    image::BootRecords records(flash);
    records.mount();
    NotedLog log;
    const auto start = image::choose(flash, records, image::fixture::kTarget, crypto_, log);
    started = start.has_value();
    if (!start) return;
    version = start->header.version;
    on_trial = start->on_trial;
    slot = start->slot;
    updater.boot(host, image::read_handover(image::make_handover(*start)));
  }

  // The cloud wants this image.
  void desire(const Bytes& file, std::uint64_t order = 1, bool force = false, std::uint32_t trial_sec = 0) {
    mv_wire_Desired desired = mv_wire_Desired_init_zero;
    desired.has_microvisor = true;
    mv_wire_MicrovisorImage& wanted = desired.microvisor;
    const image::Digest hash = fake_digest(file);
    wanted.hash.size = static_cast<pb_size_t>(hash.size());
    std::ranges::copy(hash, wanted.hash.bytes);
    wanted.size = static_cast<std::uint32_t>(file.size());
    wanted.order = order;
    wanted.force = force;
    wanted.trial_sec = trial_sec;
    updater.desire(desired);
  }

  // Goes on until nothing happens any more, the device restarts, or the power is gone.
  void run(int limit = 100000) {
    int idle = 0;  // rounds; what came in the last one is looked at in the next
    for (int step = 0; step < limit && idle < 2 && flash_.powered() && !host.restarted; ++step) {
      clock.advance_ms(1);
      const std::uint64_t before = cloud_.bytes_served;
      const bool was_ready = cloud_.ready();
      const bool more = updater.poll();
      cloud_.pump();
      idle = !more && cloud_.bytes_served == before && cloud_.ready() == was_ready ? idle + 1 : 0;
    }
  }

  mv_wire_MicrovisorReport report() {
    mv_wire_MicrovisorReport out;
    updater.report(out);
    return out;
  }

  bool started = false, on_trial = false;
  std::uint32_t version = 0;
  Slot slot = Slot::kNone;
  host::FakeClock clock;
  FakeMicrovisorHost host;

 private:
  host::FakeFlash& flash_;
  FakeCloud& cloud_;
  FakeCrypto crypto_;

 public:
  MicrovisorUpdater updater{{flash_, clock, cloud_, host, crypto_, host, image::fixture::kTarget}};
};

}  // namespace mv::update::fixture
