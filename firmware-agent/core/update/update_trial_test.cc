// A bundle on trial: what confirms it, what undoes it, and what is remembered of that.
#include <gtest/gtest.h>

#include "core/update/update_rig.h"

namespace mv::update {
namespace {

using namespace rig;
using host::FakeFlash;

class UpdateTrialTest : public ::testing::Test {
 protected:
  UpdateTrialTest() {
    set_up_crypto();
    cloud_.add(old_);
    cloud_.add(next_);
    boot();
    device_->desire(old_, 1);
    device_->run();
    EXPECT_TRUE(device_->runs(old_));
  }

  void boot() { device_ = std::make_unique<Device>(flash_, cloud_, signatures_); }

  // The new bundle runs on trial.
  void begin_trial() {
    device_->desire(next_, 2);
    device_->run();
    ASSERT_TRUE(device_->runs(next_));
    ASSERT_EQ(device_->report().wait, mv_wire_UpdateWait_WAIT_CONFIRMATION);
  }

  void pass(std::uint64_t ms) {
    device_->clock.advance_ms(ms);
    device_->run();
  }

  void crash() {
    device_->host.runs = false;
    device_->engine.application_crashed();
    device_->run();
  }

  void expect_undone(const char* why) {
    EXPECT_TRUE(device_->runs(old_));
    EXPECT_TRUE(installed(flash_, old_));
    const auto report = device_->report();
    EXPECT_EQ(report.state, mv_wire_AppState_APP_REFUSED);
    EXPECT_EQ(report.error, mv_wire_UpdateError_UPDATE_ROLLED_BACK);
    EXPECT_STREQ(report.detail, why);
    EXPECT_TRUE(std::equal(next_.hash.begin(), next_.hash.end(), report.target_hash.bytes));
    EXPECT_TRUE(device_->host.runs);
  }

  FakeFlash flash_{kFlashSize};
  FakeCloud cloud_;
  AcceptAll signatures_;
  // The first layer changes, the second stays, the third is new.
  Bundle old_ = make_bundle({pattern(50000, 1), pattern(9000, 2)});
  Bundle next_ = make_trial_bundle({pattern(57000, 3), pattern(9000, 2), pattern(3001, 4)}, 30);
  std::unique_ptr<Device> device_;
};

TEST_F(UpdateTrialTest, ContactWithTheCloudAfterTenSecondsConfirms) {
  begin_trial();
  EXPECT_EQ(device_->report().wait_left_sec, 30U);
  pass(9'000);
  EXPECT_EQ(device_->report().wait, mv_wire_UpdateWait_WAIT_CONFIRMATION);
  EXPECT_LE(device_->engine.next_deadline_us(), device_->clock.now_us + 1'000'000);
  pass(1'000);
  EXPECT_EQ(device_->report().wait, mv_wire_UpdateWait_WAIT_NOTHING);
  boot();
  EXPECT_TRUE(device_->runs(next_));
  EXPECT_EQ(device_->report().wait, mv_wire_UpdateWait_WAIT_NOTHING);
}

TEST_F(UpdateTrialTest, WithoutContactItIsUndone) {
  begin_trial();
  cloud_.disconnect();
  pass(29'000);
  EXPECT_TRUE(device_->runs(next_));
  pass(1'000);
  expect_undone("it was not confirmed within 30 s");
}

TEST_F(UpdateTrialTest, IfTheApplicationIsToConfirmContactDoesNot) {
  next_.body.mutable_update()->set_confirm_by(wire::CONFIRM_BY_APPLICATION);
  seal(next_);
  cloud_.add(next_);
  begin_trial();
  pass(20'000);
  EXPECT_EQ(device_->report().wait, mv_wire_UpdateWait_WAIT_CONFIRMATION);
  device_->engine.confirm();
  device_->run();
  EXPECT_EQ(device_->report().wait, mv_wire_UpdateWait_WAIT_NOTHING);
  pass(20'000);
  EXPECT_TRUE(device_->runs(next_));
}

TEST_F(UpdateTrialTest, ThreeCrashesUndoIt) {
  begin_trial();
  cloud_.disconnect();
  for (int crashes = 1; crashes < 3; ++crashes) {
    crash();
    EXPECT_TRUE(device_->runs(next_)) << crashes;
    device_->host.runs = true;
  }
  crash();
  expect_undone("it crashed 3 times on trial");
}

TEST_F(UpdateTrialTest, AnApplicationThatCrashesNowAndThenIsNotConfirmedByContact) {
  begin_trial();
  for (int crashes = 0; crashes < 2; ++crashes) {
    pass(9'000);
    crash();
    device_->host.runs = true;
  }
  pass(9'000);
  EXPECT_EQ(device_->report().wait, mv_wire_UpdateWait_WAIT_CONFIRMATION);
}

TEST_F(UpdateTrialTest, TimeStandsStillWhileSomebodyDebugs) {
  begin_trial();
  cloud_.disconnect();
  device_->host.held = true;
  pass(100'000);
  EXPECT_TRUE(device_->runs(next_));
  device_->host.held = false;
  pass(30'000);
  expect_undone("it was not confirmed within 30 s");
}

TEST_F(UpdateTrialTest, RestartsOfTheDeviceUndoIt) {
  begin_trial();
  cloud_.disconnect();
  for (int starts = 2; starts <= UpdateEngine::kTrialStarts; ++starts) {
    boot();
    device_->run();
    EXPECT_TRUE(device_->runs(next_)) << starts;
  }
  boot();
  device_->run();
  expect_undone("the device restarted 3 times before it was confirmed");
}

TEST_F(UpdateTrialTest, WhatWasUndoneIsNotTriedAgainUntilThereIsANewOrder) {
  begin_trial();
  cloud_.disconnect();
  pass(30'000);
  cloud_.connect();
  const auto before = flash_.operations();
  device_->desire(next_, 2);
  device_->run();
  expect_undone("it was not confirmed within 30 s");
  boot();
  device_->desire(next_, 2);
  device_->run();
  expect_undone("it was not confirmed within 30 s");
  EXPECT_EQ(flash_.operations(), before);
  device_->desire(next_, 3);
  device_->run();
  EXPECT_TRUE(device_->runs(next_));
}

TEST_F(UpdateTrialTest, TheBundleBeforeIsWantedBackAtOnce) {
  begin_trial();
  cloud_.bytes_served = 0;
  device_->desire(old_, 3);
  device_->run();
  EXPECT_TRUE(device_->runs(old_));
  EXPECT_EQ(cloud_.bytes_served, 0U);
  EXPECT_EQ(device_->report().state, mv_wire_AppState_APP_RUNNING);
  EXPECT_EQ(device_->report().error, mv_wire_UpdateError_UPDATE_OK);
}

TEST_F(UpdateTrialTest, AnotherBundleWaitsUntilTheTrialIsDecided) {
  begin_trial();
  const Bundle third = make_bundle({pattern(5000, 7)});
  cloud_.add(third);
  device_->desire(third, 3);
  device_->run();
  EXPECT_TRUE(device_->runs(next_));
  pass(10'000);
  EXPECT_TRUE(device_->runs(third));
}

TEST_F(UpdateTrialTest, TheFirstBundleOfADeviceHasNothingToGoBackTo) {
  flash_ = FakeFlash(kFlashSize);
  boot();
  device_->desire(next_, 1);
  device_->run();
  EXPECT_TRUE(device_->runs(next_));
  EXPECT_EQ(device_->report().wait, mv_wire_UpdateWait_WAIT_NOTHING);
}

TEST_F(UpdateTrialTest, TheSecurityCounterRisesWithTheConfirmationOnly) {
  next_.body.mutable_info()->set_security_counter(5);
  seal(next_);
  cloud_.add(next_);
  begin_trial();
  cloud_.disconnect();
  pass(30'000);
  expect_undone("it was not confirmed within 30 s");
  cloud_.connect();
  device_->desire(next_, 3);
  device_->run();
  pass(10'000);
  ASSERT_EQ(device_->report().wait, mv_wire_UpdateWait_WAIT_NOTHING);
  device_->desire(old_, 4);
  device_->run();
  EXPECT_EQ(device_->report().error, mv_wire_UpdateError_UPDATE_COUNTER_TOO_LOW);
  EXPECT_TRUE(device_->runs(next_));
}

TEST_F(UpdateTrialTest, WhatIsStagedSpoilsDuringTheInstallationAndTheOldOneComesBack) {
  cloud_.add(next_);
  device_->desire(next_, 2);
  while (!device_->engine.installing()) device_->run(1);
  device_->run(1);  // one block is replaced
  cloud_.disconnect();
  flash_.flip_bit(flash_map::kStaging.offset + 0x8000 + 100, 2);  // of the second
  boot();
  device_->run();
  EXPECT_TRUE(device_->runs(old_));
  EXPECT_TRUE(installed(flash_, old_));
  cloud_.connect();
  device_->desire(next_, 2);
  device_->run();
  EXPECT_TRUE(device_->runs(next_));
}

}  // namespace
}  // namespace mv::update
