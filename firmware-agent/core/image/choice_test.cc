#include "core/image/choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "boards/host/fake_flash.h"
#include "core/image/image_fixture.h"

namespace mv::image {
namespace {

using namespace fixture;
using host::FakeFlash;

class ChoiceTest : public ::testing::Test {
 protected:
  void load(Slot slot, const Bytes& file) { flash_.load(place_of(slot).offset, file); }
  void damage(Slot slot) { flash_.flip_bit(place_of(slot).offset + 5000, 0); }

  bool record(const BootState& state) {
    BootRecords records(flash_);
    records.mount();
    return records.write(state);
  }

  BootState recorded() {
    BootRecords records(flash_);
    records.mount();
    return records.state();
  }

  // One start of the device: "A 1", "B 2 on trial", or "none".
  std::string start() {
    BootRecords records(flash_);
    records.mount();
    NotedLog log;
    const auto start = choose(flash_, records, kTarget, crypto_, log);
    told_ = log.text;
    if (!start) return "none";
    return std::string(name_of(start->slot)) + " " + std::to_string(start->header.version) +
           (start->on_trial ? " on trial" : "");
  }

  FakeFlash flash_{kFlashSize};
  FakeCrypto crypto_;
  std::string told_;
};

TEST_F(ChoiceTest, StartsSlotAOfAFreshDevice) {
  load(Slot::kA, make_image(1));
  EXPECT_EQ(start(), "A 1");
  EXPECT_EQ(told_, "");
}

TEST_F(ChoiceTest, StartsNothingIfThereIsNothing) {
  EXPECT_EQ(start(), "none");
  EXPECT_THAT(told_, ::testing::HasSubstr("A: there is no microvisor image"));
  EXPECT_THAT(told_, ::testing::HasSubstr("B: there is no microvisor image"));
}

TEST_F(ChoiceTest, DoesNotStartWhatNobodyOrdered) {
  load(Slot::kA, make_image(1));
  load(Slot::kB, make_image(2));
  EXPECT_EQ(start(), "A 1");
}

TEST_F(ChoiceTest, TriesAnImageThreeTimesAndThenGoesBack) {
  load(Slot::kA, make_image(1));
  load(Slot::kB, make_image(2));
  ASSERT_TRUE(record({.confirmed = Slot::kA, .trial = Slot::kB}));
  for (std::uint8_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(start(), "B 2 on trial");
    EXPECT_EQ(recorded().trial_starts, i);
  }
  EXPECT_EQ(start(), "A 1");
  EXPECT_EQ(told_, "B: it was on trial, and no start is left\n");
  EXPECT_EQ(start(), "A 1");
}

TEST_F(ChoiceTest, StartsTheConfirmedSlot) {
  load(Slot::kA, make_image(1));
  load(Slot::kB, make_image(2));
  ASSERT_TRUE(record({.confirmed = Slot::kB}));
  EXPECT_EQ(start(), "B 2");
}

TEST_F(ChoiceTest, PassesOverADamagedImageOnTrialWithoutUsingAStart) {
  load(Slot::kA, make_image(1));
  load(Slot::kB, make_image(2));
  damage(Slot::kB);
  ASSERT_TRUE(record({.confirmed = Slot::kA, .trial = Slot::kB}));
  EXPECT_EQ(start(), "A 1");
  EXPECT_THAT(told_, ::testing::HasSubstr("B: the microvisor image is damaged"));
  EXPECT_EQ(recorded().trial_starts, 0);
}

TEST_F(ChoiceTest, StartsAnyGoodImageIfTheConfirmedOneIsDamaged) {
  load(Slot::kA, make_image(1));
  load(Slot::kB, make_image(2));
  damage(Slot::kA);
  EXPECT_EQ(start(), "B 2");
  EXPECT_THAT(told_, ::testing::HasSubstr("A: the microvisor image is damaged"));
}

TEST_F(ChoiceTest, StartsAnImageThatUsedUpItsTrialRatherThanNone) {
  load(Slot::kA, make_image(1));
  load(Slot::kB, make_image(2));
  damage(Slot::kA);
  ASSERT_TRUE(record({.confirmed = Slot::kA, .trial = Slot::kB, .trial_starts = kTrialStarts}));
  EXPECT_EQ(start(), "B 2");
}

TEST_F(ChoiceTest, NeverStartsWhatIsBelowTheLowestVersion) {
  load(Slot::kA, make_image(1));
  load(Slot::kB, make_image(2));
  ASSERT_TRUE(record({.confirmed = Slot::kB, .trial = Slot::kA, .minimum_version = 2}));
  EXPECT_EQ(start(), "B 2");
  EXPECT_THAT(told_, ::testing::HasSubstr("A: the microvisor image is older"));
  damage(Slot::kB);
  EXPECT_EQ(start(), "none");
}

TEST_F(ChoiceTest, DoesNotTryWhatItCannotCount) {
  load(Slot::kA, make_image(1));
  load(Slot::kB, make_image(2));
  ASSERT_TRUE(record({.confirmed = Slot::kA, .trial = Slot::kB}));
  BootRecords records(flash_);
  records.mount();
  // From here on the flash takes nothing, though the power stays.
  flash_.cut_at(0, FakeFlash::Cut::kNotDone);
  class Unwritable final : public Flash {
   public:
    explicit Unwritable(FakeFlash& flash) : flash_(flash) {}
    std::uint32_t size() const override { return flash_.size(); }
    Result read(std::uint32_t offset, std::span<std::uint8_t> out) override { return flash_.read(offset, out); }
    Result erase_page(std::uint32_t) override { return Result::kFailed; }
    Result program(std::uint32_t, std::span<const std::uint8_t>) override { return Result::kFailed; }

   private:
    FakeFlash& flash_;
  } worn(flash_);
  BootRecords worn_records(worn);
  worn_records.mount();
  NotedLog log;
  const auto start = choose(worn, worn_records, kTarget, crypto_, log);
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->slot, Slot::kA);
  EXPECT_FALSE(start->on_trial);
  EXPECT_THAT(log.text, ::testing::HasSubstr("B: its start on trial could not be recorded"));
}

// A trial of B on a device that runs A, with power that fails at every operation of the records: the order, three
// starts and the confirmation. Whatever happens, an image starts, and the sequence can be begun again.
TEST_F(ChoiceTest, SurvivesEveryPowerCut) {
  load(Slot::kA, make_image(1, 200));
  load(Slot::kB, make_image(2, 200));
  const FakeFlash base = flash_;
  int cuts = 0;
  const auto sequence = [this] {
    if (!record({.confirmed = Slot::kA, .trial = Slot::kB})) return;
    start();
    start();
    record({.confirmed = Slot::kB, .minimum_version = 2});
  };
  for (const auto how :
       {FakeFlash::Cut::kNotDone, FakeFlash::Cut::kTornEarly, FakeFlash::Cut::kTornLate, FakeFlash::Cut::kDone}) {
    for (std::uint32_t seed = 1; seed <= 8; ++seed) {
      for (std::uint32_t at = 0;; ++at) {
        flash_ = base;
        flash_.cut_at(at, how, seed * 1000 + at);
        sequence();
        if (flash_.powered()) break;
        ++cuts;
        flash_.restore_power();
        const BootState state = recorded();
        const std::string what = start();
        SCOPED_TRACE("operation " + std::to_string(at) + " started " + what);
        // Confirmed is one or the other with its lowest version, never a mixture.
        ASSERT_TRUE(state.confirmed == Slot::kA ? state.minimum_version == 0 : state.minimum_version == 2);
        ASSERT_TRUE(state.confirmed == Slot::kB ? what == "B 2" : what == "A 1" || what == "B 2 on trial");
        if (state.confirmed == Slot::kB) continue;
        ASSERT_TRUE(record({.confirmed = Slot::kA, .trial = Slot::kB}));
        ASSERT_EQ(start(), "B 2 on trial");
        ASSERT_TRUE(record({.confirmed = Slot::kB, .minimum_version = 2}));
        ASSERT_EQ(start(), "B 2");
      }
    }
  }
  EXPECT_GT(cuts, 200);
}

TEST_F(ChoiceTest, CutsDuringStartsOnTrialEndInTheConfirmedImage) {
  load(Slot::kA, make_image(1, 200));
  load(Slot::kB, make_image(2, 200));
  ASSERT_TRUE(record({.confirmed = Slot::kA, .trial = Slot::kB}));
  const FakeFlash base = flash_;
  std::uint32_t random = 7;
  const auto next = [&random](std::uint32_t below) {
    return (random = random * 1664525U + 1013904223U) / 65536U % below;
  };
  for (int round = 0; round < 200; ++round) {
    flash_ = base;
    int starts = 0;
    std::string what;
    for (int boots = 0; boots < 60; ++boots) {
      flash_.cut_at(next(3), static_cast<FakeFlash::Cut>(next(3)), next(1000));
      what = start();
      flash_.restore_power();
      if (what == "B 2 on trial") ++starts;
    }
    ASSERT_LE(starts, 3) << "round " << round;
    flash_.cut_at(~0ULL, FakeFlash::Cut::kNotDone);
    for (int boots = 0; boots < 4; ++boots) what = start();
    ASSERT_EQ(what, "A 1") << "round " << round;
  }
}

TEST(HandoverTest, TellsTheImageWhatWasStarted) {
  Start start = {Slot::kB, true, {}};
  start.header.version = 0x00020000;
  Handover handover = make_handover(start);
  const Started started = read_handover(handover);
  EXPECT_EQ(started.slot, Slot::kB);
  EXPECT_TRUE(started.on_trial);
  EXPECT_EQ(started.version, 0x00020000U);
  handover.on_trial = 0;
  EXPECT_EQ(read_handover(handover).slot, Slot::kA);
  EXPECT_EQ(read_handover(handover).version, 0U);
}

}  // namespace
}  // namespace mv::image
