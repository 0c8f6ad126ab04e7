#include "core/app/external_flash_calls.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "boards/host/fakes.h"

namespace mv::app {
namespace {

constexpr std::uint32_t kRam = 0x20000000;
constexpr std::uint32_t kOutside = 0x30000000;
constexpr std::uint32_t kSector = ExternalFlash::kSector;

// A chip of two sectors that is busy until the test says so.
class FakeExternalFlash final : public ExternalFlash {
 public:
  std::uint32_t chip_id() const override { return 0xEF4016; }
  std::uint32_t size() const override { return 2 * kSector; }
  bool busy() override { return busy_; }
  bool failed() override { return fails; }
  bool read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    std::copy_n(cells.begin() + offset, out.size(), out.begin());
    return !fails;
  }
  bool begin_erase(std::uint32_t sector) override {
    std::fill_n(cells.begin() + sector, kSector, std::uint8_t{0xff});
    return begin();
  }
  bool begin_program(std::uint32_t offset, std::span<const std::uint8_t> bytes) override {
    EXPECT_LE(offset % kPage + bytes.size(), kPage) << "a programming stays within its page";
    for (std::size_t i = 0; i < bytes.size(); ++i) cells[offset + i] &= bytes[i];
    return begin();
  }
  void finish() { busy_ = false; }

  std::vector<std::uint8_t> cells = std::vector<std::uint8_t>(2 * kSector, 0x5a);
  int begun = 0;
  bool fails = false;

 private:
  bool begin() {
    EXPECT_FALSE(busy_) << "one thing at a time";
    busy_ = true;
    ++begun;
    return true;
  }

  bool busy_ = false;
};

class ExternalFlashCallsTest : public ::testing::Test {
 protected:
  ExternalFlashCallsTest() {
    EXPECT_EQ(calls_.open(kRam), MV_STATUS_OKAY);
    handle_ = memory_.read<std::uint32_t>(kRam);
  }

  // As an application: makes the call until it has a status, the chip ending what it does after each round.
  template <typename Method>
  MvStatus carry_out(Method method, std::array<std::uint32_t, 4> arguments) {
    for (int round = 0; round < 1000; ++round) {
      if (const Progress done = (calls_.*method)(arguments)) return *done;
      flash_.finish();
    }
    ADD_FAILURE() << "the call never ends";
    return MV_STATUS_INTERNALERROR;
  }

  static constexpr std::uint32_t kBuffer = kRam + 0x100;

  host::FakeClock clock_;
  host::FakeLock lock_;
  host::FakeGuestMemory memory_{kRam, 0x10000};
  host::FakeGuestBoard board_;
  FakeExternalFlash flash_;
  ExternalFlashCalls calls_{memory_, board_, flash_, clock_, lock_};
  std::uint32_t handle_ = 0;
};

TEST_F(ExternalFlashCallsTest, TellsWhatFlashThereIs) {
  const std::array<std::uint32_t, 4> info = {1, 0, 0, 0};
  std::memcpy(memory_.at(kRam + 16, 16), info.data(), 16);
  ASSERT_EQ(calls_.get_info(handle_, kRam + 16), MV_STATUS_OKAY);
  EXPECT_EQ(memory_.read<std::uint32_t>(kRam + 20), 0xEF4016U);
  EXPECT_EQ(memory_.read<std::uint32_t>(kRam + 24), 2 * kSector);
  EXPECT_EQ(memory_.read<std::uint32_t>(kRam + 28), 1U);
  *memory_.at(kRam + 16, 1) = 2;
  EXPECT_EQ(calls_.get_info(handle_, kRam + 16), MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION);
  EXPECT_EQ(calls_.get_info(handle_ + 1, kRam + 16), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.get_info(handle_, kOutside), MV_STATUS_PARAMETERFAULT);
}

TEST_F(ExternalFlashCallsTest, Has32Handles) {
  for (std::uint32_t i = 1; i < 32; ++i) ASSERT_EQ(calls_.open(kRam + 4 * i), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.open(kRam + 0x80), MV_STATUS_TOOMANYCHANNELS);
  ASSERT_EQ(calls_.close(kRam), MV_STATUS_OKAY);
  EXPECT_EQ(memory_.read<std::uint32_t>(kRam), 0U);
  EXPECT_EQ(calls_.close(kRam), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.open(kRam), MV_STATUS_OKAY);
  EXPECT_NE(memory_.read<std::uint32_t>(kRam), handle_);
  EXPECT_EQ(calls_.open(kOutside), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.close(kOutside), MV_STATUS_PARAMETERFAULT);
}

TEST_F(ExternalFlashCallsTest, WritesWhatItReadsBackAcrossPages) {
  std::uint8_t* text = memory_.at(kBuffer, 1000);
  std::iota(text, text + 1000, std::uint8_t{3});
  ASSERT_EQ(carry_out(&ExternalFlashCalls::erase, {handle_, 0, 2 * kSector, 0}), MV_STATUS_OKAY);
  EXPECT_EQ(flash_.begun, 2);
  ASSERT_EQ(carry_out(&ExternalFlashCalls::write, {handle_, kSector - 300, 1000, kBuffer}), MV_STATUS_OKAY);
  ASSERT_EQ(carry_out(&ExternalFlashCalls::read, {handle_, kSector - 300, 1000, kBuffer + 0x1000}), MV_STATUS_OKAY);
  EXPECT_TRUE(std::equal(text, text + 1000, memory_.at(kBuffer + 0x1000, 1000)));
  EXPECT_EQ(flash_.cells[kSector - 301], 0xff);
  EXPECT_EQ(flash_.cells[kSector + 700], 0xff);
}

TEST_F(ExternalFlashCallsTest, LeavesInItsArgumentsWhatIsLeftToDo) {
  std::array<std::uint32_t, 4> arguments = {handle_, 0, 2 * kSector, 0};
  EXPECT_EQ(calls_.erase(arguments), kCallAgain);
  EXPECT_EQ(arguments[1], 0U) << "begun, not done";
  EXPECT_EQ(calls_.erase(arguments), kCallAgain) << "the chip is busy";
  flash_.finish();
  EXPECT_EQ(calls_.erase(arguments), kCallAgain);
  EXPECT_EQ(arguments[1], kSector);
  EXPECT_EQ(arguments[2], kSector);
  EXPECT_EQ(flash_.begun, 1);
}

TEST_F(ExternalFlashCallsTest, AnswersInTheOrderOfTheOriginal) {
  const std::uint32_t dead = handle_ + 1, far = 3 * kSector;
  board_.interrupt = true;
  EXPECT_EQ(carry_out(&ExternalFlashCalls::read, {dead, far, 1, kOutside}), MV_STATUS_UNAVAILABLE);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::write, {dead, far, 1, kOutside}), MV_STATUS_UNAVAILABLE);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::erase, {dead, far, 1, 0}), MV_STATUS_UNAVAILABLE);
  EXPECT_EQ(calls_.open(kOutside), MV_STATUS_UNAVAILABLE);
  EXPECT_EQ(calls_.close(kOutside), MV_STATUS_UNAVAILABLE);
  EXPECT_EQ(calls_.get_info(dead, kOutside), MV_STATUS_UNAVAILABLE);
  board_.interrupt = false;
  EXPECT_EQ(carry_out(&ExternalFlashCalls::read, {dead, far, 1, kOutside}), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::write, {dead, far, 1, kOutside}), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::read, {dead, far, 1, kBuffer}), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::write, {dead, far, 1, kBuffer}), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::erase, {dead, far, 1, 0}), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::read, {handle_, far, 1, kBuffer}), MV_STATUS_ADDRESSOUTOFRANGE);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::write, {handle_, 2 * kSector, 1, kBuffer}), MV_STATUS_ADDRESSOUTOFRANGE);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::erase, {handle_, 100, 0xffffff00, 0}), MV_STATUS_ADDRESSOUTOFRANGE);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::erase, {handle_, 100, kSector, 0}), MV_STATUS_INVALIDBUFFERALIGNMENT);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::erase, {handle_, 0, 100, 0}), MV_STATUS_INVALIDBUFFERALIGNMENT);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::erase, {handle_, 2 * kSector, 0, 0}), MV_STATUS_OKAY);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::read, {handle_, 0, 0x20000, kRam}), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(flash_.begun, 0);
}

TEST_F(ExternalFlashCallsTest, TwoThreadsMayEraseAtOnce) {
  std::array<std::uint32_t, 4> one = {handle_, 0, kSector, 0}, other = {handle_, kSector, kSector, 0};
  EXPECT_EQ(calls_.erase(one), kCallAgain);
  EXPECT_EQ(calls_.erase(other), kCallAgain);
  EXPECT_EQ(flash_.begun, 1);
  flash_.finish();
  EXPECT_EQ(calls_.erase(other), kCallAgain) << "what the first began is for the first to see";
  EXPECT_EQ(flash_.begun, 1);
  EXPECT_EQ(calls_.erase(one), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.erase(other), kCallAgain);
  flash_.finish();
  EXPECT_EQ(calls_.erase(other), MV_STATUS_OKAY);
}

TEST_F(ExternalFlashCallsTest, AThreadThatNeverComesBackHoldsUpNobodyForLong) {
  std::array<std::uint32_t, 4> gone = {handle_, 0, kSector, 0}, other = {handle_, kSector, kSector, 0};
  EXPECT_EQ(calls_.erase(gone), kCallAgain);
  flash_.finish();
  EXPECT_EQ(calls_.erase(other), kCallAgain);
  EXPECT_EQ(flash_.begun, 1);
  clock_.now_us += ExternalFlashCalls::kUnclaimedUs;
  EXPECT_EQ(calls_.erase(other), kCallAgain);
  EXPECT_EQ(flash_.begun, 2);
}

TEST_F(ExternalFlashCallsTest, SaysThatTheChipFailed) {
  std::array<std::uint32_t, 4> arguments = {handle_, 0, kSector, 0};
  EXPECT_EQ(calls_.erase(arguments), kCallAgain);
  flash_.fails = true;
  flash_.finish();
  EXPECT_EQ(calls_.erase(arguments), MV_STATUS_INTERNALERROR);
  EXPECT_EQ(carry_out(&ExternalFlashCalls::read, {handle_, 0, 1, kBuffer}), MV_STATUS_INTERNALERROR);
}

TEST_F(ExternalFlashCallsTest, ARestartClosesWhatWasOpen) {
  calls_.reset();
  EXPECT_EQ(calls_.close(kRam), MV_STATUS_INVALIDHANDLE);
}

}  // namespace
}  // namespace mv::app
