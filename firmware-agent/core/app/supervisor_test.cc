#include "core/app/supervisor.h"

#include <gtest/gtest.h>

#include "core/image/image_fixture.h"
#include "core/update/signer_keys_fixture.h"
#include "core/update/update_rig.h"

namespace mv::app {
namespace {

using namespace update::rig;

class FakeApplication final : public Application, public debug::ApplicationMemory, public link::EventSink {
 public:
  bool start() override {
    if (!plausible) return false;
    ++starts;
    return is_running = true;
  }
  void stop() override { is_running = false; }
  void reflect_faults(bool wanted) override { reflects = wanted; }
  bool running() const override { return is_running; }
  bool read(std::uint32_t address, std::span<std::uint8_t> out) override {
    if (address < 0x20000000 || address + out.size() > stack_top) return false;
    std::ranges::fill(out, std::uint8_t{0x77});
    return true;
  }
  bool write(std::uint32_t, std::span<const std::uint8_t>) override { return false; }
  bool patch_code(std::uint32_t, std::span<const std::uint8_t>) override { return false; }
  bool is_code(std::uint32_t) const override { return false; }
  void post(std::string_view kind, std::string_view detail) override {
    events.emplace_back(kind);
    last_detail = detail;
  }

  bool plausible = true, is_running = false, reflects = false;
  int starts = 0;
  std::uint32_t stack_top = 0x20001000;
  std::vector<std::string> events;
  std::string last_detail;
};

class NoRestart final : public update::DeviceRestart {
 public:
  void restart(std::string_view why) override { reasons.emplace_back(why); }
  std::vector<std::string> reasons;
};

class SupervisorTest : public ::testing::Test {
 protected:
  SupervisorTest() {
    set_up_crypto();
    bundle_ = make_bundle({pattern(5000, 1)}, 60);
    cloud_.add(bundle_);
    Device device(flash_, cloud_, signatures_);
    device.desire(bundle_);
    device.run();
    boot();
  }

  // Everything of one boot.
  struct Boot {
    Boot(host::FakeFlash& flash, FakeCloud& cloud, update::SignatureCheck& signatures, const mv_wire_Identity& identity)
        : engine({flash, clock, cloud, calls, signatures, "mps2-an505"}),
          microvisor({flash, clock, cloud, calls, crypto, restart, image::fixture::kTarget}),
          crashes(flash),
          keys(flash, identity),
          supervisor(
              {flash, clock, application, application, engine, microvisor, keys, calls, crashes, log, application}) {
      microvisor.boot(supervisor, {});
    }
    host::FakeClock clock;
    host::FakeLock lock;
    host::FakeGuestMemory memory{0x20000000, 0x1000};
    host::FakeGuestBoard board;
    DeviceClock device_clock{clock, lock};
    LogBuffer log{device_clock, lock};
    SystemCalls calls{memory, board, clock, device_clock, log, lock};
    FakeApplication application;
    update::UpdateEngine engine;
    image::fixture::FakeCrypto crypto;
    NoRestart restart;
    update::MicrovisorUpdater microvisor;
    CrashStore crashes;
    update::SignerKeys keys;
    Supervisor supervisor;
  };

  void boot(bool run_unsigned = false) {
    boot_ = std::make_unique<Boot>(flash_, cloud_, signatures_, identity_);
    boot_->crashes.mount();
    boot_->supervisor.boot(MV_WAKEREASON_COLDBOOT, run_unsigned);
  }

  void crash() {
    debug::Context context;
    context.pc() = 0x00100200;
    context.sp() = 0x20000FF0;
    context.system[0] = context.sp();
    debug::FaultRegisters fault;
    fault.cfsr = 1U << 25;
    boot_->supervisor.on_crash(debug::Event::kFault, context, fault);
    poll();
  }

  void poll() {
    for (int i = 0; i < 2000; ++i) {
      boot_->supervisor.poll();
      cloud_.pump();
    }
  }

  void desire(const Bundle& bundle, std::uint64_t generation, std::uint64_t restart = 0) {
    mv_wire_Desired desired = mv_wire_Desired_init_zero;
    desired.generation = generation;
    desired.restart_generation = restart;
    desired.manifest_hash.size = 32;
    std::ranges::copy(bundle.hash, desired.manifest_hash.bytes);
    desired.manifest_size = static_cast<std::uint32_t>(bundle.manifest.size());
    boot_->supervisor.on_desired(desired);
    poll();
  }

  mv_wire_AppReport report() {
    mv_wire_AppReport out;
    boot_->supervisor.report(out);
    return out;
  }

  // The application wants to be told of updates.
  void listen_for_updates() {
    auto& memory = boot_->memory;
    const auto put = [&](std::uint32_t at, std::initializer_list<std::uint32_t> words) {
      for (const std::uint32_t word : words) std::memcpy(memory.at((at += 4) - 4, 4), &word, 4);
    };
    put(0x20000100, {5, 0x20000200, 32});
    ASSERT_EQ(boot_->calls.setup_notifications(0x20000100, 0x20000110), MV_STATUS_OKAY);
    put(0x20000120, {memory.read<std::uint32_t>(0x20000110), 9, MV_SYSTEMNOTIFICATIONSOURCE_UPDATE});
    ASSERT_EQ(boot_->calls.open_system_notification(0x20000120, 0x20000130), MV_STATUS_OKAY);
  }

  // The bundle that runs, and another microvisor.
  void desire_microvisor(const Bytes& file) {
    const image::Digest hash = image::fixture::fake_digest(file);
    Bundle blob;
    blob.manifest = file;
    blob.hash = hash;
    cloud_.add(blob);
    mv_wire_Desired desired = mv_wire_Desired_init_zero;
    desired.generation = 1;
    desired.manifest_hash.size = 32;
    std::ranges::copy(bundle_.hash, desired.manifest_hash.bytes);
    desired.manifest_size = static_cast<std::uint32_t>(bundle_.manifest.size());
    desired.has_microvisor = true;
    desired.microvisor.hash.size = 32;
    std::ranges::copy(hash, desired.microvisor.hash.bytes);
    desired.microvisor.size = static_cast<std::uint32_t>(file.size());
    desired.microvisor.order = 1;
    boot_->supervisor.on_desired(desired);
    poll();
  }

  // What the device says to a change of its keys that adds nothing, with this number.
  mv_wire_KeyChangeError change_keys(std::uint64_t sequence) {
    wire::KeyChange change;
    change.set_sequence(sequence);
    change.set_device_id(update::fixture::kDeviceId);
    const Bytes message = update::fixture::signed_by(change.SerializeAsString(), {&signer_});
    boot_->supervisor.on_key_change(message);
    mv_wire_KeysReport out = mv_wire_KeysReport_init_zero;
    boot_->supervisor.report_keys(out);
    EXPECT_EQ(update::fixture::text({out.answered.bytes, out.answered.size}), update::fixture::text(sha256(message)));
    return out.error;
  }

  std::uint8_t wake_reason() {
    EXPECT_EQ(boot_->calls.get_wake_reason(0x20000000), MV_STATUS_OKAY);
    return boot_->memory.read<std::uint8_t>(0x20000000);
  }

  host::FakeFlash flash_{image::fixture::kFlashSize};
  FakeCloud cloud_;
  AcceptAll signatures_;
  const bool ready_ = (set_up_crypto(), true);  // before the first key
  const Signer signer_;
  const mv_wire_Identity identity_ = update::fixture::identity_with({&signer_});
  Bundle bundle_;
  std::unique_ptr<Boot> boot_;
};

TEST_F(SupervisorTest, StartsWhatIsInstalledAndCountsBoots) {
  EXPECT_EQ(boot_->application.starts, 1);
  EXPECT_EQ(report().state, mv_wire_AppState_APP_RUNNING);
  EXPECT_EQ(boot_->supervisor.boot_count(), 1U);
  boot();
  EXPECT_EQ(boot_->supervisor.boot_count(), 2U);
}

TEST_F(SupervisorTest, StartsNothingThatNoSignedManifestNames) {
  flash_ = host::FakeFlash(0x21C000);
  boot();
  EXPECT_EQ(boot_->application.starts, 0);
  EXPECT_EQ(report().state, mv_wire_AppState_APP_NONE);
  boot(true);
  EXPECT_EQ(boot_->application.starts, 1) << "but for a device that was never provisioned";
}

TEST_F(SupervisorTest, RecordsACrashAndBringsTheApplicationBackLaterEachTime) {
  std::uint64_t back_off = 1'000;
  for (int i = 0; i < 8; ++i) {
    crash();
    EXPECT_FALSE(boot_->application.is_running);
    EXPECT_EQ(report().state, mv_wire_AppState_APP_CRASHED);
    boot_->clock.advance_ms(back_off - 1);
    poll();
    EXPECT_FALSE(boot_->application.is_running) << i;
    boot_->clock.advance_ms(1);
    poll();
    EXPECT_TRUE(boot_->application.is_running) << i;
    EXPECT_EQ(wake_reason(), MV_WAKEREASON_APPLICATIONCRASH);
    back_off = std::min<std::uint64_t>(back_off * 2, 60'000);
  }
  EXPECT_EQ(report().restarts, 8U);
  mv_wire_CrashReport out;
  ASSERT_TRUE(boot_->crashes.oldest(out));
  EXPECT_STREQ(out.reason, "usage fault: division by zero");
  EXPECT_EQ(out.registers[15], 0x00100200U);
  EXPECT_EQ(out.stack.size, 16U) << "as much as there is above the stack pointer";
  EXPECT_EQ(out.manifest_hash.size, 32U);
}

TEST_F(SupervisorTest, ACrashRecordHasTheSystemRegisters) {
  crash();
  mv_wire_CrashReport out;
  ASSERT_TRUE(boot_->crashes.oldest(out));
  ASSERT_EQ(out.system_count, 8U);
  EXPECT_EQ(out.system[0], 0x20000FF0U) << "msp";
}

TEST_F(SupervisorTest, FaultsThatTheApplicationsOwnHandlerGotAreEventsAtABoundedRate) {
  const auto fault = [&] {
    debug::Context context;
    context.pc() = 0x00100200;
    debug::FaultRegisters registers;
    registers.cfsr = 1U << 25;
    boot_->supervisor.on_reflected(debug::Event::kFault, context, registers);
    boot_->supervisor.poll();
  };
  fault();
  EXPECT_TRUE(boot_->application.is_running);
  EXPECT_EQ(boot_->application.events, std::vector<std::string>{"fault"});
  EXPECT_EQ(boot_->application.last_detail, "usage fault: division by zero");
  fault();
  fault();
  EXPECT_EQ(boot_->application.events.size(), 1U);
  boot_->clock.now_us = boot_->supervisor.next_deadline_us();
  boot_->supervisor.poll();
  EXPECT_EQ(boot_->application.events.back(), "faults, the last");
  mv_wire_CrashReport out;
  EXPECT_FALSE(boot_->crashes.oldest(out)) << "no crash";
}

TEST_F(SupervisorTest, AfterAQuietMinuteTheBackOffBeginsAnew) {
  crash();
  boot_->clock.advance_ms(1'000);
  poll();
  crash();
  boot_->clock.advance_ms(2'000);
  poll();
  boot_->clock.advance_ms(60'000);
  crash();
  boot_->clock.advance_ms(1'000);
  poll();
  EXPECT_TRUE(boot_->application.is_running);
}

TEST_F(SupervisorTest, RestartsForTheCloudOnceAndRemembersItOverABoot) {
  desire(bundle_, 1, 4);
  EXPECT_EQ(boot_->application.starts, 1) << "the first number it ever hears is history";
  desire(bundle_, 2, 5);
  desire(bundle_, 2, 5);
  EXPECT_EQ(boot_->application.starts, 2);
  EXPECT_EQ(wake_reason(), MV_WAKEREASON_REMOTEAPPLICATIONRESTART);
  EXPECT_EQ(report().restart_generation, 5U);
  boot();
  desire(bundle_, 2, 5);
  EXPECT_EQ(boot_->application.starts, 1);
}

TEST_F(SupervisorTest, InstallsAStagedUpdateWhenTheApplicationRestarts) {
  const Bundle next = make_bundle({pattern(5000, 2)});
  cloud_.add(next);
  listen_for_updates();
  desire(next, 2);
  EXPECT_EQ(report().state, mv_wire_AppState_APP_STAGED);
  EXPECT_EQ(boot_->board.pended.size(), 1U);
  ASSERT_EQ(boot_->calls.restart(MV_RESTARTMODE_AUTOAPPLYUPDATE), MV_STATUS_OKAY);
  poll();
  EXPECT_EQ(report().state, mv_wire_AppState_APP_RUNNING);
  EXPECT_EQ(boot_->engine.running()->hash, next.hash);
  EXPECT_EQ(wake_reason(), MV_WAKEREASON_APPLICATIONUPDATE);
}

TEST_F(SupervisorTest, RestartsTheApplicationThatAsksForItWithoutAnUpdate) {
  boot_->calls.restart(MV_RESTARTMODE_AUTOAPPLYUPDATE);
  poll();
  EXPECT_EQ(boot_->application.starts, 2);
}

TEST_F(SupervisorTest, RestartsForAnotherMicrovisorWhenTheApplicationRestarts) {
  listen_for_updates();
  desire_microvisor(image::fixture::make_image(0x00020000));
  EXPECT_EQ(report().microvisor.state, mv_wire_MicrovisorState_MICROVISOR_STAGED);
  EXPECT_EQ(boot_->board.pended.size(), 1U);
  EXPECT_TRUE(boot_->restart.reasons.empty());
  ASSERT_EQ(boot_->calls.restart(MV_RESTARTMODE_AUTOAPPLYUPDATE), MV_STATUS_OKAY);
  poll();
  EXPECT_EQ(boot_->restart.reasons, std::vector<std::string>{"microvisor 0.2.0 starts on trial"});
  EXPECT_EQ(boot_->application.starts, 1);
}

TEST_F(SupervisorTest, RestartsForAnotherMicrovisorOnceTheDebuggerLetsGo) {
  boot_->supervisor.set_halted(true);
  desire_microvisor(image::fixture::make_image(0x00020000));
  EXPECT_TRUE(boot_->restart.reasons.empty());
  boot_->supervisor.set_halted(false);
  poll();
  EXPECT_EQ(boot_->restart.reasons.size(), 1U);
}

TEST_F(SupervisorTest, ChangesItsKeysUnlessTheOldOnesMayBeNeededAgain) {
  EXPECT_EQ(change_keys(1), mv_wire_KeyChangeError_KEYS_OK);
  Bundle next = make_bundle({pattern(5000, 2)});
  next.body.mutable_update()->set_confirm_timeout_sec(600);
  seal(next);
  cloud_.add(next);
  desire(next, 2);
  ASSERT_EQ(boot_->calls.restart(MV_RESTARTMODE_AUTOAPPLYUPDATE), MV_STATUS_OKAY);
  poll();
  ASSERT_EQ(report().wait, mv_wire_UpdateWait_WAIT_CONFIRMATION);
  EXPECT_EQ(change_keys(2), mv_wire_KeyChangeError_KEYS_NOT_NOW);
  boot_->engine.confirm();
  poll();
  ASSERT_EQ(report().wait, mv_wire_UpdateWait_WAIT_NOTHING);
  EXPECT_EQ(change_keys(2), mv_wire_KeyChangeError_KEYS_OK);
  EXPECT_EQ(change_keys(2), mv_wire_KeyChangeError_KEYS_OK) << "the same one again";
  EXPECT_EQ(change_keys(1), mv_wire_KeyChangeError_KEYS_OLD_SEQUENCE);
}

TEST_F(SupervisorTest, RefusesWhatIsStagedWhenItsSignerIsNoneAnyMore) {
  listen_for_updates();
  const Bundle next = make_bundle({pattern(5000, 2)});
  cloud_.add(next);
  desire(next, 2);
  ASSERT_EQ(report().state, mv_wire_AppState_APP_STAGED);
  signatures_.is_enough = false;
  EXPECT_EQ(change_keys(1), mv_wire_KeyChangeError_KEYS_OK);
  EXPECT_EQ(report().state, mv_wire_AppState_APP_REFUSED);
  EXPECT_EQ(report().error, mv_wire_UpdateError_UPDATE_UNKNOWN_SIGNER);
  boot_->calls.restart(MV_RESTARTMODE_AUTOAPPLYUPDATE);
  poll();
  EXPECT_EQ(report().state, mv_wire_AppState_APP_REFUSED);
}

TEST_F(SupervisorTest, RestartsForTheDebuggerAndTellsItWhatRuns) {
  debug::RunningBundle bundle;
  ASSERT_TRUE(boot_->supervisor.running_bundle(bundle));
  EXPECT_EQ(bundle.manifest_hash, bundle_.hash);
  EXPECT_FALSE(bundle.has_debug_key);
  EXPECT_TRUE(boot_->supervisor.restart_for_debugger());
  EXPECT_EQ(wake_reason(), MV_WAKEREASON_DEBUGGERRESTART);
  boot_->supervisor.set_halted(true);
  EXPECT_EQ(report().state, mv_wire_AppState_APP_HALTED);
}

TEST_F(SupervisorTest, ReportsAHaltOnlyOnceItLasts) {
  report();
  const std::uint32_t before = boot_->supervisor.report_version();
  boot_->supervisor.set_halted(true);
  boot_->supervisor.set_halted(false);
  boot_->clock.now_us += 2'000'000;
  boot_->supervisor.poll();
  EXPECT_EQ(boot_->supervisor.report_version(), before);
  boot_->supervisor.set_halted(true);
  boot_->supervisor.poll();
  EXPECT_EQ(boot_->supervisor.report_version(), before);
  boot_->clock.now_us = boot_->supervisor.next_deadline_us();
  boot_->supervisor.poll();
  EXPECT_NE(boot_->supervisor.report_version(), before);
  EXPECT_EQ(report().state, mv_wire_AppState_APP_HALTED);
}

}  // namespace
}  // namespace mv::app
