#include "core/update/microvisor_updater.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/update/image_crypto.h"
#include "core/update/microvisor_fixture.h"

namespace mv::update {
namespace {

using namespace fixture;
using ::testing::HasSubstr;

class MicrovisorUpdaterTest : public ::testing::Test {
 protected:
  MicrovisorUpdaterTest() {
    flash_.load(image::place_of(Slot::kA).offset, make_image(kOld));
    offer(new_);
    boot();
  }

  void offer(const Bytes& file) { fixture::offer(cloud_, file); }
  Boot& boot() { return *(boot_ = std::make_unique<Boot>(flash_, cloud_)); }

  // An update as far as the restart on trial, and that restart.
  Boot& boot_on_trial(std::uint32_t trial_sec = 0) {
    boot_->desire(new_, 1, false, trial_sec);
    boot_->run();
    EXPECT_TRUE(boot_->host.restarted);
    return boot();
  }

  // The error and the sentence with which `file` is refused; empty if it is not.
  std::string refusal_of(const Bytes& file, std::uint64_t order = 1) {
    offer(file);
    boot_->desire(file, order);
    boot_->run();
    const auto report = boot_->report();
    if (report.state != mv_wire_MicrovisorState_MICROVISOR_REFUSED) return {};
    EXPECT_FALSE(boot_->host.restarted);
    return std::to_string(report.error) + " " + report.detail;
  }

  Bytes new_ = make_image(kNew);
  host::FakeFlash flash_{image::fixture::kFlashSize};
  FakeCloud cloud_;
  std::unique_ptr<Boot> boot_;
};

TEST_F(MicrovisorUpdaterTest, DoesNothingIfNothingIsWanted) {
  boot_->updater.desire(mv_wire_Desired_init_zero);
  boot_->run();
  EXPECT_EQ(boot_->report().state, mv_wire_MicrovisorState_MICROVISOR_RUNS);
  EXPECT_EQ(boot_->report().version, kOld);
  EXPECT_EQ(cloud_.bytes_served, 0U);
}

TEST_F(MicrovisorUpdaterTest, DoesNothingIfItRunsWhatIsWanted) {
  boot_->desire(make_image(kOld), 7);
  boot_->run();
  EXPECT_EQ(boot_->report().state, mv_wire_MicrovisorState_MICROVISOR_RUNS);
  EXPECT_EQ(boot_->report().order, 7U);
  EXPECT_EQ(cloud_.bytes_served, 0U);
}

TEST_F(MicrovisorUpdaterTest, ReportsAnOrderOnlyOnceItWasLookedInto) {
  boot_->desire(new_, 7);
  EXPECT_EQ(boot_->report().order, 0U) << "else it would look as if the order was carried out";
  boot_->updater.poll();
  EXPECT_EQ(boot_->report().order, 7U);
  EXPECT_EQ(boot_->report().state, mv_wire_MicrovisorState_MICROVISOR_DOWNLOADING);
}

TEST_F(MicrovisorUpdaterTest, UpdatesAndConfirmsOnceTheCloudIsReached) {
  boot_->desire(new_);
  boot_->run();
  EXPECT_EQ(boot_->host.why, "microvisor 0.2.0 starts on trial");
  boot();
  EXPECT_EQ(boot_->slot, Slot::kB);
  EXPECT_TRUE(boot_->on_trial);
  EXPECT_EQ(boot_->report().state, mv_wire_MicrovisorState_MICROVISOR_ON_TRIAL);
  EXPECT_EQ(boot_->report().version, kNew);
  boot_->updater.cloud_reached();
  EXPECT_EQ(boot_->report().state, mv_wire_MicrovisorState_MICROVISOR_RUNS);
  boot();
  EXPECT_EQ(boot_->slot, Slot::kB);
  EXPECT_FALSE(boot_->on_trial);
  boot_->desire(new_);
  boot_->run();
  EXPECT_EQ(boot_->report().state, mv_wire_MicrovisorState_MICROVISOR_RUNS);
  EXPECT_EQ(boot_->report().error, mv_wire_UpdateError_UPDATE_OK);
  EXPECT_EQ(cloud_.bytes_served, new_.size());
}

TEST_F(MicrovisorUpdaterTest, TheNextUpdateGoesToTheOtherSlot) {
  boot_on_trial().updater.cloud_reached();
  const Bytes third = make_image(0x00030000);
  offer(third);
  boot();
  boot_->desire(third, 2);
  boot_->run();
  ASSERT_TRUE(boot_->host.restarted);
  EXPECT_EQ(boot().slot, Slot::kA);
  EXPECT_EQ(boot_->version, 0x00030000U);
}

TEST_F(MicrovisorUpdaterTest, GoesBackIfTheCloudIsNotReachedInTime) {
  boot_on_trial(30);
  EXPECT_EQ(boot_->updater.next_deadline_us(), boot_->clock.now_us + 30'000'000);
  boot_->clock.advance_ms(29'990);
  boot_->run(5);
  EXPECT_FALSE(boot_->host.restarted);
  boot_->clock.advance_ms(10);
  boot_->run();
  EXPECT_TRUE(boot_->host.restarted);
  EXPECT_EQ(boot_->host.why, "microvisor 0.2.0 did not reach the cloud in 30 s");
  boot();
  EXPECT_EQ(boot_->version, kOld);
  EXPECT_EQ(boot_->report().state, mv_wire_MicrovisorState_MICROVISOR_REFUSED);
  EXPECT_EQ(boot_->report().error, mv_wire_UpdateError_UPDATE_ROLLED_BACK);
  EXPECT_STREQ(boot_->report().detail, "microvisor 0.2.0 did not reach the cloud in 30 s");
}

TEST_F(MicrovisorUpdaterTest, TrialsLastTwoMinutesIfTheOrderDoesNotSay) {
  boot_on_trial();
  EXPECT_EQ(boot_->updater.next_deadline_us(), boot_->clock.now_us + 120'000'000);
}

TEST_F(MicrovisorUpdaterTest, GoesBackAfterThreeStartsThatCameToNothing) {
  boot_on_trial();
  for (int start = 2; start <= 3; ++start) EXPECT_TRUE(boot().on_trial);
  boot();
  EXPECT_EQ(boot_->version, kOld);
  EXPECT_STREQ(boot_->report().detail, "microvisor 0.2.0 restarted 3 times before it reached the cloud");
}

TEST_F(MicrovisorUpdaterTest, WhatWasGivenUpIsNotTriedAgainBeforeThereIsANewOrder) {
  boot_on_trial();
  for (int i = 0; i < 3; ++i) boot();
  boot_->desire(new_, 1);
  boot_->run();
  EXPECT_EQ(boot_->report().state, mv_wire_MicrovisorState_MICROVISOR_REFUSED);
  boot();
  EXPECT_EQ(boot_->report().state, mv_wire_MicrovisorState_MICROVISOR_REFUSED);
  boot_->desire(new_, 1);
  boot_->run();
  EXPECT_FALSE(boot_->host.restarted);
  boot_->desire(new_, 2);
  boot_->run();
  EXPECT_TRUE(boot_->host.restarted);
  EXPECT_EQ(cloud_.bytes_served, new_.size()) << "the image was in flash already";
  EXPECT_TRUE(boot().on_trial);
}

TEST_F(MicrovisorUpdaterTest, ReportsAnImageThatTheBootRomPassesOver) {
  boot_->desire(new_);
  boot_->run();
  flash_.flip_bit(image::place_of(Slot::kB).offset + 5000, 0);
  boot();
  EXPECT_EQ(boot_->version, kOld);
  EXPECT_STREQ(boot_->report().detail, "microvisor 0.2.0 was not started by the boot ROM, which found it damaged");
}

TEST_F(MicrovisorUpdaterTest, GoesOnAfterALostLink) {
  boot_->desire(new_);
  boot_->run(7);
  cloud_.disconnect();
  boot_->run();
  EXPECT_EQ(boot_->report().state, mv_wire_MicrovisorState_MICROVISOR_DOWNLOADING);
  cloud_.connect();
  boot_->run();
  EXPECT_TRUE(boot_->host.restarted);
  EXPECT_LT(cloud_.bytes_served, new_.size() + storage::kPage);
}

TEST_F(MicrovisorUpdaterTest, GoesOnAfterAReboot) {
  boot_->desire(new_);
  boot_->run(7);
  ASSERT_GT(boot_->report().bytes_done, storage::kPage);
  cloud_.cancel();
  boot();
  boot_->desire(new_);
  boot_->run();
  EXPECT_TRUE(boot_->host.restarted);
  EXPECT_LT(cloud_.bytes_served, new_.size() + storage::kPage);
}

TEST_F(MicrovisorUpdaterTest, PagesOfAnotherImageAreNotTakenForThisOnes) {
  boot_->desire(new_);
  boot_->run(7);
  cloud_.cancel();
  const Bytes other = make_image(0x00030000);
  offer(other);
  boot();
  boot_->desire(other, 2);
  boot_->run();
  ASSERT_TRUE(boot_->host.restarted);
  EXPECT_EQ(boot().version, 0x00030000U);
}

TEST_F(MicrovisorUpdaterTest, RefusesWhatTheBootRomWouldNotStart) {
  Bytes unsigned_image = new_;
  unsigned_image[70] ^= 1;
  EXPECT_THAT(refusal_of(unsigned_image, 1), HasSubstr("not signed with the key"));
  Bytes damaged = new_;
  damaged[9000] ^= 1;
  EXPECT_THAT(refusal_of(damaged, 2), HasSubstr("damaged"));
  image::Header header = image::fixture::header_for(Bytes(100, 1), kNew);
  header.board = {'s', 't'};
  image::fixture::sign(header);
  EXPECT_THAT(refusal_of(image::fixture::file_of(header, Bytes(100, 1)), 3), HasSubstr("another board"));
  EXPECT_THAT(refusal_of(Bytes(3000, 7), 4), HasSubstr("no microvisor image"));
  EXPECT_EQ(boot().version, kOld);
}

TEST_F(MicrovisorUpdaterTest, RefusesAFileThatIsLargerThanItsSlotWithoutFetchingIt) {
  EXPECT_EQ(refusal_of(Bytes(0x80001, 7)),
            "5 the microvisor image has 524289 bytes, its place in this device's flash has 524288");
  EXPECT_EQ(cloud_.bytes_served, 0U);
}

TEST_F(MicrovisorUpdaterTest, RefusesWhatTheCloudDoesNotHave) {
  boot_->desire(make_image(0x00030000));
  boot_->run();
  EXPECT_EQ(boot_->report().error, mv_wire_UpdateError_UPDATE_NOT_FOUND);
}

TEST_F(MicrovisorUpdaterTest, RefusesWhatDoesNotMatchItsHashAfterThreeTries) {
  Bytes changed = new_;
  changed[300] ^= 1;
  fixture::offer(cloud_, changed, fake_digest(new_));
  boot_->desire(new_);
  boot_->run();
  EXPECT_EQ(boot_->report().error, mv_wire_UpdateError_UPDATE_BAD_LAYER);
  EXPECT_EQ(cloud_.bytes_served, 3 * new_.size());
}

TEST_F(MicrovisorUpdaterTest, RefusesADowngradeBelowWhatRunsAndWhatWasConfirmed) {
  EXPECT_EQ(refusal_of(make_image(0x00000009)),
            "12 microvisor 0.0.9 is older than 0.1.0, which this device has: there is no way back");
  boot_on_trial().updater.cloud_reached();
  boot();
  EXPECT_EQ(refusal_of(make_image(kOld + 5), 2),
            "12 microvisor 0.1.5 is older than 0.2.0, which this device has: there is no way back");
}

TEST_F(MicrovisorUpdaterTest, ARefusalIsRememberedOverAReboot) {
  refusal_of(make_image(0x00000009));
  const std::uint64_t served = cloud_.bytes_served;
  boot();
  EXPECT_EQ(refusal_of(make_image(0x00000009)),
            "12 microvisor 0.0.9 is older than 0.1.0, which this device has: there is no way back");
  EXPECT_EQ(cloud_.bytes_served, served);
}

TEST_F(MicrovisorUpdaterTest, WaitsForTheApplicationAsLongAsItsBundleSays) {
  boot_->host.runs = boot_->host.listens = true;
  boot_->host.politeness = 60;
  boot_->desire(new_);
  boot_->run();
  EXPECT_EQ(boot_->report().state, mv_wire_MicrovisorState_MICROVISOR_STAGED);
  EXPECT_EQ(boot_->host.told, 1);
  EXPECT_FALSE(boot_->host.restarted);
  boot_->clock.advance_ms(60'000);
  boot_->run();
  EXPECT_TRUE(boot_->host.restarted);
}

TEST_F(MicrovisorUpdaterTest, RestartsOnceTheApplicationAgrees) {
  boot_->host.runs = boot_->host.listens = true;
  boot_->host.politeness = 60;
  EXPECT_FALSE(boot_->updater.apply());
  boot_->desire(new_);
  boot_->run();
  EXPECT_TRUE(boot_->updater.apply());
  boot_->run();
  EXPECT_TRUE(boot_->host.restarted);
}

TEST_F(MicrovisorUpdaterTest, AForcedOrderAsksNobody) {
  boot_->host.runs = boot_->host.listens = true;
  boot_->host.politeness = 60;
  boot_->desire(new_, 1, true);
  boot_->run();
  EXPECT_TRUE(boot_->host.restarted);
}

TEST_F(MicrovisorUpdaterTest, DoesNotRestartInTheMiddleOfAnUpdateOfTheApplication) {
  boot_->host.busy = true;
  boot_->desire(new_, 1, true);
  boot_->run();
  EXPECT_EQ(boot_->report().state, mv_wire_MicrovisorState_MICROVISOR_STAGED);
  EXPECT_FALSE(boot_->host.restarted);
  boot_->host.busy = false;
  boot_->run();
  EXPECT_TRUE(boot_->host.restarted);
}

TEST_F(MicrovisorUpdaterTest, AnOrderThatIsTakenBackIsForgotten) {
  boot_->host.runs = boot_->host.listens = true;
  boot_->host.politeness = 60;
  boot_->desire(new_);
  boot_->run();
  boot_->updater.desire(mv_wire_Desired_init_zero);
  boot_->run();
  EXPECT_EQ(boot_->report().state, mv_wire_MicrovisorState_MICROVISOR_RUNS);
  EXPECT_EQ(boot_->host.withdrawn, 1);
  boot_->clock.advance_ms(100'000);
  boot_->run();
  EXPECT_FALSE(boot_->host.restarted);
}

TEST_F(MicrovisorUpdaterTest, AfterAnEmergencyTheGoodSlotIsKept) {
  boot_on_trial().updater.cloud_reached();
  flash_.flip_bit(image::place_of(Slot::kA).offset + 5000, 0);
  flash_.load(image::place_of(Slot::kA).offset, make_image(kNew + 1));
  flash_.flip_bit(image::place_of(Slot::kB).offset + 5000, 0);
  boot();
  EXPECT_EQ(boot_->slot, Slot::kA);
  const Bytes third = make_image(0x00030000);
  offer(third);
  boot_->desire(third, 2);
  boot_->run();
  ASSERT_TRUE(boot_->host.restarted);
  EXPECT_EQ(boot().slot, Slot::kB);
  EXPECT_EQ(boot_->version, 0x00030000U);
}

TEST(ImageCryptoTest, AgreesWithTheSignersOfBundlesAndImages) {
  rig::set_up_crypto();
  const rig::Signer signer;
  // The signer signs its prefix and the text; so does the digest here.
  const std::string text = std::string("twlo-mv-manifest-v1\0", 20) + "image";
  const auto signature = signer.sign("image");
  ImageCrypto crypto(std::span(signer.point()).last<64>());
  image::Digest digest;
  crypto.begin();
  crypto.add({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  ASSERT_TRUE(crypto.finish(digest));
  EXPECT_TRUE(crypto.verify(digest, std::span(signature).first<64>()));
  digest[0] ^= 1;
  EXPECT_FALSE(crypto.verify(digest, std::span(signature).first<64>()));
}

}  // namespace
}  // namespace mv::update
