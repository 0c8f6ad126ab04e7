#include "core/update/update_engine.h"

#include <gtest/gtest.h>

#include "core/update/update_rig.h"

namespace mv::update {
namespace {

using namespace rig;
using host::FakeFlash;

class UpdateEngineTest : public ::testing::Test {
 protected:
  UpdateEngineTest() { set_up_crypto(); }

  void boot() { device_ = std::make_unique<Device>(flash_, cloud_, signatures_); }

  // The cloud has `bundle` and wants it to run; the device goes as far as it can.
  void want(const Bundle& bundle, std::uint64_t generation = 1) {
    cloud_.add(bundle);
    device_->desire(bundle, generation);
    device_->run();
  }

  // Brings the device to run `bundle`.
  void deploy(const Bundle& bundle, std::uint64_t generation = 1) {
    want(bundle, generation);
    ASSERT_TRUE(device_->runs(bundle)) << device_->report().detail;
    ASSERT_TRUE(installed(flash_, bundle));
  }

  // An application runs that wants to be asked within 60 s, and `next` waits for it.
  void stage_behind_a_polite_application(const Bundle& next) {
    boot();
    deploy(make_bundle({pattern(5000, 1)}, 60));
    device_->host.listens = true;
    want(next, 2);
  }

  FakeFlash flash_{kFlashSize};
  FakeCloud cloud_;
  AcceptAll signatures_;
  std::unique_ptr<Device> device_;
};

TEST_F(UpdateEngineTest, InstallsABundleAndRunsItAgainAfterAReboot) {
  boot();
  EXPECT_EQ(device_->report().state, mv_wire_AppState_APP_NONE);
  const Bundle bundle = make_bundle({pattern(20000, 1), pattern(300, 2)});
  deploy(bundle);
  EXPECT_EQ(device_->host.starts, 1);
  boot();
  EXPECT_TRUE(device_->runs(bundle));
  EXPECT_EQ(device_->report().state, mv_wire_AppState_APP_RUNNING);
}

TEST_F(UpdateEngineTest, FetchesOnlyLayersThatChanged) {
  boot();
  const Bytes large = pattern(60000, 1);
  deploy(make_bundle({large, pattern(300, 2)}));
  cloud_.bytes_served = 0;
  deploy(make_bundle({large, pattern(400, 3)}), 2);
  EXPECT_LT(cloud_.bytes_served, 2000U);
}

TEST_F(UpdateEngineTest, DoesNothingForWhatRunsAlready) {
  boot();
  const Bundle bundle = make_bundle({pattern(5000, 1)});
  deploy(bundle);
  const auto before = flash_.operations();
  device_->desire(bundle, 2);
  device_->run();
  EXPECT_EQ(flash_.operations(), before);
  EXPECT_EQ(device_->report().generation, 2U);
}

TEST_F(UpdateEngineTest, SendsDifferencesOfASegment) {
  boot();
  Bytes content = pattern(100000, 1);
  deploy(make_bundle({content}));
  content.insert(content.begin() + 40000, 6, 0x55);
  cloud_.bytes_served = 0;
  deploy(make_bundle({content}), 2);
  EXPECT_LT(cloud_.bytes_served, 600U) << "the manifest is most of it";
}

TEST_F(UpdateEngineTest, ALostLinkCostsTheSegmentInFlight) {
  boot();
  const Bundle bundle = make_bundle({pattern(100000, 1)});
  cloud_.add(bundle);
  device_->desire(bundle);
  device_->run(40);  // about 70 kB
  ASSERT_EQ(device_->report().state, mv_wire_AppState_APP_DOWNLOADING);
  cloud_.disconnect();
  device_->run();
  cloud_.connect();
  device_->run();
  EXPECT_TRUE(device_->runs(bundle));
  EXPECT_LT(cloud_.bytes_served, 100000U + kBlockSize + 2000U);
}

TEST_F(UpdateEngineTest, ARebootCostsTheSegmentInFlight) {
  boot();
  const Bundle bundle = make_bundle({pattern(9000, 1), pattern(100000, 2)});
  cloud_.add(bundle);
  device_->desire(bundle);
  device_->run(50);  // about 70 kB of the second layer
  const std::uint64_t before = cloud_.bytes_served;
  ASSERT_EQ(device_->report().state, mv_wire_AppState_APP_DOWNLOADING);
  ASSERT_GT(before, 60000U);
  cloud_.disconnect();
  cloud_.connect();
  boot();
  device_->run(3);
  EXPECT_GT(device_->report().bytes_done + kBlockSize, before - bundle.manifest.size());
  device_->desire(bundle);
  device_->run();
  EXPECT_TRUE(device_->runs(bundle));
  EXPECT_LT(cloud_.bytes_served, 109000U + kBlockSize + 2000U);
}

TEST_F(UpdateEngineTest, AfterARebootFetchesAgainWhatWasDamagedMeanwhile) {
  boot();
  const Bundle bundle = make_bundle({pattern(100000, 2)});
  cloud_.add(bundle);
  device_->desire(bundle);
  device_->run(40);
  cloud_.disconnect();
  cloud_.connect();
  flash_.flip_bit(flash_map::kStaging.offset + 100, 3);
  boot();
  device_->desire(bundle);
  device_->run();
  EXPECT_TRUE(device_->runs(bundle));
  EXPECT_TRUE(installed(flash_, bundle));
}

// Rebooted at each step of the change: what lies in the staging area of the bundle before is not taken for its own.
TEST_F(UpdateEngineTest, AfterARebootBeginsAnotherBundleAtItsStart) {
  const Bundle first = make_bundle({pattern(100000, 2)});
  const Bundle second = make_bundle({pattern(100000, 3)});
  cloud_.add(first);
  cloud_.add(second);
  for (int steps = 1; steps < 8; ++steps) {
    flash_ = FakeFlash(kFlashSize);
    boot();
    device_->desire(first);
    device_->run(40);
    device_->desire(second, 2);
    device_->run(steps);
    cloud_.disconnect();
    cloud_.connect();
    cloud_.bytes_served = 0;
    boot();
    device_->desire(second, 2);
    device_->run();
    EXPECT_TRUE(device_->runs(second)) << steps;
    EXPECT_LT(cloud_.bytes_served, 103000U) << steps;
  }
}

TEST_F(UpdateEngineTest, WhatIsStagedCannotBeRead) {
  boot();
  deploy(make_bundle({pattern(5000, 1)}, 60));
  device_->host.listens = true;
  const Bundle next = make_bundle({pattern(5000, 2)});
  want(next, 2);
  ASSERT_EQ(device_->report().state, mv_wire_AppState_APP_STAGED);
  Bytes all(flash_.size() - flash_map::kStaging.offset);
  for (std::size_t at = 0; at < all.size(); at += FakeFlash::kPage) {
    flash_.read(static_cast<std::uint32_t>(flash_map::kStaging.offset + at),
                std::span(all).subspan(at, FakeFlash::kPage));
  }
  const Bytes& secret = next.layers[0];
  for (std::size_t at = 0; at + 32 <= secret.size(); at += 32) {
    const auto from = secret.begin() + static_cast<std::ptrdiff_t>(at);
    EXPECT_EQ(std::search(all.begin(), all.end(), from, from + 32), all.end()) << at;
  }
}

TEST_F(UpdateEngineTest, ALayerThatBecomesShorterLeavesNothingBehind) {
  boot();
  const Bytes content = pattern(60000, 1);
  Bundle shorter;
  add_layer(shorter, 0, 0x10000, Bytes(content.begin(), content.begin() + 41000));
  seal(shorter);
  deploy(make_bundle({content}));
  deploy(shorter, 2);
}

TEST_F(UpdateEngineTest, IfTheOldImageIsNotWhatTheCloudThinksItComesWithout) {
  boot();
  const Bytes content = pattern(100000, 1);
  const Bundle old = make_bundle({content});
  deploy(old);
  Bytes believed = content, changed = content;
  for (std::size_t at = 0; at < believed.size(); at += 1000) believed[at] ^= 1;
  changed[50000] ^= 1;
  cloud_.believe(old.hash, believed);
  deploy(make_bundle({changed}), 2);
}

TEST_F(UpdateEngineTest, TakesABundleOfTheOriginalWhoseLayersHaveNoSize) {
  boot();
  Bundle bundle;
  add_layer(bundle, 0, 0x100000, pattern(30000, 1));
  make_original(bundle);
  seal(bundle);
  deploy(bundle);
  boot();
  EXPECT_TRUE(device_->runs(bundle));
}

TEST_F(UpdateEngineTest, WaitsForAPoliteApplicationUntilItAgrees) {
  const Bundle next = make_bundle({pattern(5000, 2)});
  stage_behind_a_polite_application(next);
  EXPECT_EQ(device_->report().state, mv_wire_AppState_APP_STAGED);
  EXPECT_EQ(device_->host.told, 1);
  EXPECT_TRUE(device_->engine.apply());
  device_->run();
  EXPECT_TRUE(device_->runs(next));
}

TEST_F(UpdateEngineTest, DoesNotWaitLongerThanThePolicyOfTheRunningBundleSays) {
  const Bundle next = make_bundle({pattern(5000, 2)});
  stage_behind_a_polite_application(next);
  device_->clock.advance_ms(59'000);
  device_->run();
  EXPECT_EQ(device_->report().state, mv_wire_AppState_APP_STAGED);
  EXPECT_LE(device_->engine.next_deadline_us(), device_->clock.now_us + 1'000'000);
  device_->clock.advance_ms(1'000);
  device_->run();
  EXPECT_TRUE(device_->runs(next));
}

TEST_F(UpdateEngineTest, ForceDoesNotAskTheApplication) {
  const Bundle next = make_bundle({pattern(5000, 2)});
  stage_behind_a_polite_application(next);
  device_->desire(next, 3, true);
  device_->run();
  EXPECT_TRUE(device_->runs(next));
}

TEST_F(UpdateEngineTest, AppliesAtOnceIfThePolicyIsZeroOrNobodyListens) {
  boot();
  deploy(make_bundle({pattern(5000, 1)}, 0));
  device_->host.listens = true;
  deploy(make_bundle({pattern(5000, 2)}, 60), 2);
  device_->host.listens = false;
  deploy(make_bundle({pattern(5000, 3)}), 3);
}

TEST_F(UpdateEngineTest, AStagedBundleGoesIfAnotherOneIsWanted) {
  boot();
  const Bundle first = make_bundle({pattern(5000, 1)}, 60);
  deploy(first);
  device_->host.listens = true;
  const Bundle second = make_bundle({pattern(5000, 2)}), third = make_bundle({pattern(5000, 3)});
  cloud_.add(second);
  cloud_.add(third);
  device_->desire(second, 2);
  device_->run();
  device_->desire(third, 3);
  device_->run();
  EXPECT_EQ(device_->host.withdrawn, 1);
  device_->desire(first, 4);
  device_->run();
  EXPECT_EQ(device_->host.withdrawn, 2);
  EXPECT_EQ(device_->report().state, mv_wire_AppState_APP_RUNNING);
  EXPECT_TRUE(device_->runs(first));
}

TEST_F(UpdateEngineTest, RefusesALayerThatIsNotWhatWasSignedAndKeepsTheOld) {
  boot();
  const Bundle old = make_bundle({pattern(5000, 1)});
  deploy(old);
  const Bundle next = make_bundle({pattern(5000, 2)});
  cloud_.add(next);
  cloud_.replace_layer(next, 0, pattern(5000, 9));
  device_->desire(next, 2);
  device_->run();
  const auto report = device_->report();
  EXPECT_EQ(report.state, mv_wire_AppState_APP_REFUSED);
  EXPECT_EQ(report.error, mv_wire_UpdateError_UPDATE_BAD_LAYER);
  EXPECT_STREQ(report.detail, "segment 1 of layer 1 does not match its hash");
  EXPECT_TRUE(device_->runs(old));
  EXPECT_EQ(device_->host.stops, 1) << "only for the first installation";
}

TEST_F(UpdateEngineTest, RefusesOnceAndTriesAgainOnlyWhenToldAnew) {
  boot();
  const Bundle bundle = make_bundle({pattern(5000, 1)});
  device_->desire(bundle, 1);
  device_->run();
  EXPECT_EQ(device_->report().error, mv_wire_UpdateError_UPDATE_NOT_FOUND);
  want(bundle, 1);
  EXPECT_EQ(device_->report().state, mv_wire_AppState_APP_REFUSED);
  device_->desire(bundle, 2);
  device_->run();
  EXPECT_TRUE(device_->runs(bundle));
}

TEST_F(UpdateEngineTest, RefusesAManifestThatIsTooLargeWithoutFetchingIt) {
  boot();
  Bundle bundle = make_bundle({pattern(100, 1)});
  bundle.manifest.resize(kMaxManifest + 1);
  device_->desire(bundle);
  device_->run();
  EXPECT_STREQ(device_->report().detail, "the manifest has 4801 bytes, this device takes 4800");
  EXPECT_EQ(cloud_.bytes_served, 0U);
}

TEST_F(UpdateEngineTest, NothingAssignedEndsADownloadAndKeepsWhatRuns) {
  boot();
  const Bundle old = make_bundle({pattern(5000, 1)});
  deploy(old);
  const Bundle next = make_bundle({pattern(90000, 2)});
  cloud_.add(next);
  device_->desire(next, 2);
  device_->run(10);
  device_->desire_nothing(3);
  device_->run();
  EXPECT_EQ(device_->report().state, mv_wire_AppState_APP_RUNNING);
  EXPECT_TRUE(device_->runs(old));
  EXPECT_EQ(device_->report().target_hash.size, 0);
}

TEST_F(UpdateEngineTest, AFlashThatFailsOnceIsTriedAgain) {
  boot();
  const Bundle bundle = make_bundle({pattern(20000, 1)});
  cloud_.add(bundle);
  for (const std::uint64_t at : {0U, 5U, 40U, 700U, 1300U, 2000U}) {
    flash_ = FakeFlash(kFlashSize);
    boot();
    flash_.fail_at(at);
    device_->desire(bundle);
    device_->run();
    EXPECT_TRUE(device_->runs(bundle)) << at << " " << device_->report().detail;
  }
}

TEST_F(UpdateEngineTest, DoesNotRunAnImageThatChangedInFlashAndRepairsItFromTheCloud) {
  boot();
  const Bundle bundle = make_bundle({pattern(20000, 1), pattern(5000, 2)});
  deploy(bundle);
  flash_.flip_bit(flash_map::kApplication.offset + 9000, 1);
  boot();
  EXPECT_EQ(device_->engine.running(), nullptr);
  device_->desire(bundle, 2);
  device_->run();
  EXPECT_TRUE(device_->runs(bundle));
  EXPECT_TRUE(installed(flash_, bundle));
}

TEST_F(UpdateEngineTest, FetchesAgainWhatSpoiledInStaging) {
  const Bundle next = make_bundle({pattern(5000, 2)});
  stage_behind_a_polite_application(next);
  flash_.flip_bit(flash_map::kStaging.offset + 100, 0);
  device_->engine.apply();
  device_->run();
  device_->engine.apply();
  device_->run();
  EXPECT_TRUE(device_->runs(next));
  EXPECT_TRUE(installed(flash_, next));
}

TEST_F(UpdateEngineTest, ForceIsForGood) {
  const Bundle next = make_bundle({pattern(50000, 2)});
  boot();
  deploy(make_bundle({pattern(5000, 1)}, 60));
  cloud_.add(next);
  device_->host.listens = true;
  device_->desire(next, 2, true);
  device_->run(20);
  ASSERT_EQ(device_->report().state, mv_wire_AppState_APP_DOWNLOADING);
  cloud_.disconnect();
  cloud_.connect();
  boot();
  device_->host.listens = true;
  device_->desire(next, 2, false);  // whoever sent this had not heard
  device_->run();
  EXPECT_TRUE(device_->runs(next)) << "the application was asked";
}

TEST_F(UpdateEngineTest, RefusesASecurityCounterBelowThatOfWhatWasConfirmed) {
  boot();
  const auto with_counter = [](unsigned seed, unsigned counter) {
    Bundle bundle = make_bundle({pattern(5000, seed)});
    bundle.body.mutable_info()->set_security_counter(counter);
    seal(bundle);
    return bundle;
  };
  const Bundle current = with_counter(1, 7);
  deploy(current);
  want(with_counter(2, 6), 2);
  EXPECT_EQ(device_->report().error, mv_wire_UpdateError_UPDATE_COUNTER_TOO_LOW);
  EXPECT_STREQ(device_->report().detail, "its security counter is 6, this device has confirmed 7");
  EXPECT_TRUE(device_->runs(current));
  boot();
  want(with_counter(2, 6), 3);
  EXPECT_TRUE(device_->runs(current));
  deploy(with_counter(3, 7), 4);
}

TEST_F(UpdateEngineTest, IgnoresAHashOfTheWrongLength) {
  boot();
  mv_wire_Desired desired = mv_wire_Desired_init_zero;
  desired.manifest_hash.size = 31;
  device_->engine.desire(desired);
  device_->run();
  EXPECT_EQ(device_->report().state, mv_wire_AppState_APP_NONE);
}

}  // namespace
}  // namespace mv::update
