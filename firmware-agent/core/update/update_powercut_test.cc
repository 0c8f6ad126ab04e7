// Power that fails at every flash operation of an update, in each way it can fail.
#include <gtest/gtest.h>

#include "core/update/update_rig.h"

namespace mv::update {
namespace {

using namespace rig;
using host::FakeFlash;

class PowerCut : public ::testing::Test {
 protected:
  PowerCut() {
    set_up_crypto();
    old_ = make_bundle({pattern(5000, 1), pattern(9000, 2)});
    // The first layer changes, the second stays, the third is new and ends in the middle of a page.
    new_ = make_bundle({pattern(6000, 3), pattern(9000, 2), pattern(3001, 4)});
    cloud_.add(old_);
    cloud_.add(new_);
    Device device(base_, cloud_, signatures_);
    device.desire(old_);
    device.run();
    EXPECT_TRUE(device.runs(old_));
  }

  // One boot that wants the new bundle. What ran at its start must be the old or the new application, whole.
  void boot_and_update(FakeFlash& flash, const std::string& where) {
    Device device(flash, cloud_, signatures_);
    if (device.engine.running() != nullptr) {
      const bool is_new = device.runs(new_);
      ASSERT_TRUE(is_new || device.runs(old_)) << where;
      ASSERT_TRUE(installed(flash, is_new ? new_ : old_)) << where;
    } else {
      // Nothing runs only while an installation is being finished, which no network is needed for.
      ASSERT_TRUE(device.engine.installing()) << where;
    }
    device.desire(new_);
    device.run();
  }

  // After a cut: boots without a network come up with one of the two, and with it the update is finished.
  void check_recovery(FakeFlash& flash, const std::string& where) {
    {
      FakeCloud nowhere;
      nowhere.connected = false;
      Device device(flash, nowhere, signatures_);
      device.run();
      ASSERT_NE(device.engine.running(), nullptr) << where;
      const bool is_new = device.runs(new_);
      ASSERT_TRUE(is_new || device.runs(old_)) << where;
      ASSERT_TRUE(installed(flash, is_new ? new_ : old_)) << where;
      ASSERT_TRUE(device.host.runs) << where;
    }
    Device device(flash, cloud_, signatures_);
    device.desire(new_);
    device.run();
    ASSERT_TRUE(device.runs(new_)) << where;
    ASSERT_TRUE(installed(flash, new_)) << where;
  }

  AcceptAll signatures_;
  FakeCloud cloud_;
  FakeFlash base_{kFlashSize};
  Bundle old_, new_;
};

const char* name_of(FakeFlash::Cut cut) {
  return cut == FakeFlash::Cut::kNotDone ? "not done" : cut == FakeFlash::Cut::kTorn ? "torn" : "done";
}

TEST_F(PowerCut, AtEveryOperationLeavesTheOldOrTheNewApplicationAndTheUpdateCanBeFinished) {
  int cuts = 0;
  for (const auto how : {FakeFlash::Cut::kNotDone, FakeFlash::Cut::kTorn, FakeFlash::Cut::kDone}) {
    for (std::uint32_t at = 0;; ++at) {
      FakeFlash flash = base_;
      flash.cut_at(at, how, at * 3 + 1);
      const std::string where = "operation " + std::to_string(at) + " " + name_of(how);
      boot_and_update(flash, where);
      if (HasFatalFailure()) return;
      if (flash.powered()) break;
      ++cuts;
      flash.restore_power();
      check_recovery(flash, where);
      if (HasFatalFailure()) return;
    }
  }
  RecordProperty("cuts", cuts);
  EXPECT_GT(cuts, 3000);
}

TEST_F(PowerCut, SeveralInARowDoNoMoreHarmThanOne) {
  std::uint32_t random = 7;
  const auto next = [&random](std::uint32_t below) {
    return (random = random * 1664525U + 1013904223U) / 65536U % below;
  };
  for (int round = 0; round < 150; ++round) {
    FakeFlash flash = base_;
    std::string where = "round " + std::to_string(round) + ":";
    for (int cut = 0; cut < 6; ++cut) {
      const std::uint32_t at = next(900);
      flash.cut_at(at, static_cast<FakeFlash::Cut>(next(3)), next(1000));
      where += " " + std::to_string(at);
      boot_and_update(flash, where);
      if (HasFatalFailure()) return;
      flash.restore_power();
    }
    check_recovery(flash, where);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace mv::update
