// Power that fails again and again during an update of the microvisor. Every single operation is tests/powercut.
#include <gtest/gtest.h>

#include "core/update/microvisor_fixture.h"

namespace mv::update {
namespace {

using namespace fixture;
using host::FakeFlash;

class MicrovisorPowerCut : public ::testing::Test {
 protected:
  MicrovisorPowerCut() {
    base_.load(image::place_of(Slot::kA).offset, make_image(kOld, 9000));
    offer(cloud_, new_);
  }

  // Boots until the new image is confirmed, the power fails, or more boots were needed than an update may take. Every
  // boot must find an image, the old or the new one.
  void update(FakeFlash& flash, int boots, std::uint64_t order) {
    for (int i = 0; i < boots && flash.powered(); ++i) {
      Boot boot(flash, cloud_);
      if (!flash.powered()) return;
      ASSERT_TRUE(boot.started);
      ASSERT_TRUE(boot.version == kOld || boot.version == kNew);
      ASSERT_TRUE(boot.on_trial ? boot.version == kNew : true);
      boot.updater.cloud_reached();
      boot.desire(new_, order);
      boot.run();
      cloud_.cancel();
      if (!boot.host.restarted) return;
    }
  }

  void check_recovery(FakeFlash& flash) {
    flash.restore_power();
    update(flash, 6, 2);
    if (HasFatalFailure()) return;
    Boot boot(flash, cloud_);
    ASSERT_TRUE(boot.started);
    ASSERT_EQ(boot.version, kNew);
    ASSERT_FALSE(boot.on_trial);
    ASSERT_EQ(boot.report().state, mv_wire_MicrovisorState_MICROVISOR_RUNS);
  }

  Bytes new_ = make_image(kNew, 17'000);
  FakeFlash base_{image::fixture::kFlashSize};
  FakeCloud cloud_;
};

TEST_F(MicrovisorPowerCut, SeveralInARowDoNoMoreHarmThanOne) {
  std::uint32_t random = 7;
  const auto next = [&random](std::uint32_t below) {
    return (random = random * 1664525U + 1013904223U) / 65536U % below;
  };
  for (int round = 0; round < 100; ++round) {
    FakeFlash flash = base_;
    std::string where = "round " + std::to_string(round) + ":";
    for (int cut = 0; cut < 6; ++cut) {
      const std::uint32_t at = next(cut % 2 == 0 ? 1200 : 20);
      flash.cut_at(at, static_cast<FakeFlash::Cut>(next(3)), next(1000));
      where += " " + std::to_string(at);
      SCOPED_TRACE(where);
      update(flash, 3, 1);
      if (HasFatalFailure()) return;
      flash.restore_power();
    }
    SCOPED_TRACE(where);
    check_recovery(flash);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace mv::update
