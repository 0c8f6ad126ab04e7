// The calls for fast interrupts, registers of the Secure side, and power.
#include <array>
#include <cstring>

#include <gtest/gtest.h>

#include "boards/host/fakes.h"
#include "core/app/system_calls.h"

namespace mv::app {
namespace {

constexpr std::uint32_t kRam = 0x20000000;
constexpr std::uint32_t kOutside = 0x30000000;
constexpr std::uint32_t kVectors = kRam + 0x4000;

class BoardCallsTest : public ::testing::Test {
 protected:
  BoardCallsTest() {
    board_.vectors = kVectors;
    for (std::uint32_t irq = 0; irq < 92; ++irq) put(kVectors + 4 * (16 + irq), (kRam + 0x100) | 1);
    board_.registers = {{kRegister, 0xff, 0xf0}, {kReadOnly, 0xffffffff, 0}};
  }

  std::uint32_t put(std::uint32_t address, std::uint32_t word) {
    std::memcpy(memory_.at(address, 4), &word, 4);
    return address;
  }

  static constexpr std::uint32_t kRegister = 0x46020ca8, kReadOnly = 0x46020c00;

  host::FakeClock clock_;
  host::FakeLock lock_;
  host::FakeGuestMemory memory_{kRam, 0x10000};
  host::FakeGuestBoard board_;
  DeviceClock device_clock_{clock_, lock_};
  LogBuffer log_{device_clock_, lock_};
  SystemCalls calls_{memory_, board_, clock_, device_clock_, log_, lock_};
};

TEST_F(BoardCallsTest, OnlyAFastInterruptIsSwitchedByTheseCalls) {
  for (const std::uint32_t irq : {7U, 92U, 1000U, 0xffffffffU}) {
    EXPECT_EQ(calls_.clear_fast_interrupt(irq), MV_STATUS_INVALIDINTERRUPT);
    EXPECT_EQ(calls_.enable_fast_interrupt(irq), MV_STATUS_INVALIDINTERRUPT);
    EXPECT_EQ(calls_.disable_fast_interrupt(irq), MV_STATUS_INVALIDINTERRUPT);
  }
  EXPECT_EQ(calls_.set_fast_interrupt(92), MV_STATUS_INVALIDINTERRUPT);
  ASSERT_EQ(calls_.set_fast_interrupt(7), MV_STATUS_OKAY);
  EXPECT_EQ(board_.hastened, std::vector<std::uint32_t>{7});
  EXPECT_TRUE(board_.enabled.empty()) << "to enable it is a call of its own";
  ASSERT_EQ(calls_.enable_fast_interrupt(7), MV_STATUS_OKAY);
  EXPECT_TRUE(board_.enabled.contains(7));
  ASSERT_EQ(calls_.disable_fast_interrupt(7), MV_STATUS_OKAY);
  EXPECT_FALSE(board_.enabled.contains(7));
  ASSERT_EQ(calls_.clear_fast_interrupt(7), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.enable_fast_interrupt(7), MV_STATUS_INVALIDINTERRUPT);
}

TEST_F(BoardCallsTest, AFastInterruptNeedsAHandlerOfTheApplication) {
  for (const std::uint32_t bad : {kOutside | 1, kRam + 0x100, 0U}) {
    put(kVectors + 4 * (16 + 5), bad);
    EXPECT_EQ(calls_.set_fast_interrupt(5), MV_STATUS_INVALIDVECTOR) << std::hex << bad;
  }
  board_.vectors = kOutside;
  EXPECT_EQ(calls_.set_fast_interrupt(6), MV_STATUS_INVALIDVECTOR);
}

TEST_F(BoardCallsTest, AllFastInterruptsGoOffAndOnAgainAsTheyWere) {
  for (const std::uint32_t irq : {1U, 2U, 40U}) calls_.set_fast_interrupt(irq);
  calls_.enable_fast_interrupt(1);
  calls_.enable_fast_interrupt(40);
  board_.enabled.insert(50);  // not a fast one
  EXPECT_EQ(calls_.disable_all_fast_interrupts(), MV_STATUS_OKAY);
  EXPECT_EQ(board_.enabled, std::set<std::uint32_t>{50});
  calls_.enable_fast_interrupt(2);
  calls_.disable_fast_interrupt(1);
  EXPECT_EQ(board_.enabled, std::set<std::uint32_t>{50}) << "still off";
  EXPECT_EQ(calls_.enable_all_fast_interrupts(), MV_STATUS_OKAY);
  EXPECT_EQ(board_.enabled, (std::set<std::uint32_t>{2, 40, 50}));
}

TEST_F(BoardCallsTest, NoInterruptIsFastAndOfNotificationsAtOnce) {
  const std::array<std::uint32_t, 3> setup = {7, kRam + 0x1000, 32};
  std::memcpy(memory_.at(kRam, 12), setup.data(), 12);
  calls_.set_fast_interrupt(7);
  EXPECT_EQ(calls_.setup_notifications(kRam, kRam + 16), MV_STATUS_INVALIDINTERRUPT);
  calls_.clear_fast_interrupt(7);
  ASSERT_EQ(calls_.setup_notifications(kRam, kRam + 16), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.set_fast_interrupt(7), MV_STATUS_INVALIDINTERRUPT);
}

TEST_F(BoardCallsTest, ARestartLeavesNoFastInterrupt) {
  calls_.set_fast_interrupt(7);
  calls_.disable_all_fast_interrupts();
  calls_.reset(MV_WAKEREASON_APPLICATIONCRASH);
  EXPECT_EQ(calls_.enable_fast_interrupt(7), MV_STATUS_INVALIDINTERRUPT);
  calls_.set_fast_interrupt(7);
  calls_.enable_fast_interrupt(7);
  EXPECT_TRUE(board_.enabled.contains(7));
}

TEST_F(BoardCallsTest, PeeksAndPokesOnlyWhatIsOnTheList) {
  board_.values[kRegister] = 0xabcd1234;
  EXPECT_EQ(calls_.peek(kRegister, kOutside), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.peek(kRegister + 4, kRam), MV_STATUS_PERIPHERALACCESSFAULT);
  EXPECT_EQ(calls_.peek(kRegister + 1, kRam), MV_STATUS_PERIPHERALACCESSFAULT);
  EXPECT_EQ(calls_.poke(kRegister + 2, 1, 1), MV_STATUS_PERIPHERALACCESSFAULT);
  EXPECT_EQ(calls_.poke(0, 1, 1), MV_STATUS_PERIPHERALACCESSFAULT);
  ASSERT_EQ(calls_.peek(kRegister, kRam), MV_STATUS_OKAY);
  EXPECT_EQ(memory_.read<std::uint32_t>(kRam), 0x34U) << "other bits are nobody's business";
}

TEST_F(BoardCallsTest, PokeSetsClearsAndTogglesAndLeavesOtherBitsAlone) {
  board_.values[kRegister] = 0xabcd1234;
  // Bits 4 and 5 are cleared, of these 5 is set again; 7 is toggled; so would be 0 to 3 and 8, which are not to write.
  ASSERT_EQ(calls_.poke(kRegister, 0x00000030, 0x000001af), MV_STATUS_OKAY);
  EXPECT_EQ(board_.values[kRegister], 0xabcd12a4U);
  ASSERT_EQ(calls_.poke(kReadOnly, 0xffffffff, 0xffffffff), MV_STATUS_OKAY);
  EXPECT_EQ(board_.values[kReadOnly], 0U);
}

TEST_F(BoardCallsTest, SleepsUntilAnInterruptComes) {
  EXPECT_EQ(calls_.power_save(MV_POWERSAVINGMODE_SLEEP), MV_STATUS_OKAY);
  EXPECT_EQ(board_.waits, 1);
}

TEST_F(BoardCallsTest, SavesNoPowerInAnInterruptOrInAModeThatIsNone) {
  EXPECT_EQ(calls_.power_save(5), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.power_save(0x100), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.deep_sleep(2), MV_STATUS_PARAMETERFAULT);
  board_.interrupt = true;
  EXPECT_EQ(calls_.power_save(5), MV_STATUS_UNAVAILABLE);
  EXPECT_EQ(calls_.power_save(MV_POWERSAVINGMODE_SLEEP), MV_STATUS_UNAVAILABLE);
  EXPECT_EQ(calls_.deep_sleep(MV_DEEPSLEEPMODE_STANDBY), MV_STATUS_UNAVAILABLE);
  EXPECT_EQ(board_.waits, 0);
}

TEST_F(BoardCallsTest, PowersDownOnlyWithoutANetworkAndWhereTheBoardCan) {
  EXPECT_EQ(calls_.power_save(MV_POWERSAVINGMODE_STOP2), MV_STATUS_MICROVISORBUSY) << "the board cannot";
  board_.can_power_down = true;
  calls_.link_changed(true);
  EXPECT_EQ(calls_.power_save(MV_POWERSAVINGMODE_STOP2), MV_STATUS_MICROVISORBUSY);
  EXPECT_EQ(calls_.deep_sleep(MV_DEEPSLEEPMODE_SHUTDOWN), MV_STATUS_MICROVISORBUSY);
  calls_.link_changed(false);
  put(kRam, 1);
  ASSERT_EQ(calls_.request_network(kRam, kRam + 12), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.power_save(MV_POWERSAVINGMODE_STOP2), MV_STATUS_MICROVISORBUSY) << "somebody wants it";
  ASSERT_EQ(calls_.release_network(kRam + 12), MV_STATUS_OKAY);
  EXPECT_TRUE(board_.powered_down.empty());
  EXPECT_EQ(calls_.power_save(MV_POWERSAVINGMODE_STOP0), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.power_save(MV_POWERSAVINGMODE_STOP1), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.power_save(MV_POWERSAVINGMODE_STOP2), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.power_save(MV_POWERSAVINGMODE_STOP3), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.deep_sleep(MV_DEEPSLEEPMODE_STANDBY), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.deep_sleep(MV_DEEPSLEEPMODE_SHUTDOWN), MV_STATUS_OKAY);
  EXPECT_EQ(board_.powered_down, (std::vector{PowerDown::kStop0, PowerDown::kStop1, PowerDown::kStop2,
                                              PowerDown::kStop3, PowerDown::kStandby, PowerDown::kShutdown}));
}

}  // namespace
}  // namespace mv::app
