#include "core/app/wifi_calls.h"

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "boards/host/fake_flash.h"
#include "boards/host/fakes.h"

namespace mv::app {
namespace {

constexpr std::uint32_t kRam = 0x20000000;
constexpr std::uint32_t kOutside = 0x30000000;

class WifiCallsTest : public ::testing::Test {
 protected:
  WifiCallsTest() { store_.load(); }

  std::uint32_t put(std::initializer_list<std::uint32_t> words) {
    const std::uint32_t at = next_;
    for (const std::uint32_t word : words) {
      std::memcpy(memory_.at(next_, 4), &word, 4);
      next_ += 4;
    }
    return at;
  }

  std::uint32_t text(std::string_view bytes) {
    const std::uint32_t at = next_;
    if (!bytes.empty()) std::memcpy(memory_.at(at, bytes.size()), bytes.data(), bytes.size());
    next_ += (static_cast<std::uint32_t>(bytes.size()) + 3) / 4 * 4;
    return at;
  }

  std::uint32_t config(std::string_view ssid, std::string_view password,
                       std::uint32_t mode = MV_WIFICONFIGMODE_APPLYNOW) {
    const std::uint32_t name = text(ssid), secret = text(password);
    return put(
        {1, mode, name, static_cast<std::uint32_t>(ssid.size()), secret, static_cast<std::uint32_t>(password.size())});
  }

  // The call as an application makes it, with the Secure thread at work in between.
  Progress set(std::uint32_t params) {
    std::array<std::uint32_t, 4> arguments = {params, 0, 0, 0};
    const Progress first = calls_.set(arguments);
    if (first) return first;
    EXPECT_EQ(calls_.set(arguments), kCallAgain) << "not done before it is stored";
    EXPECT_TRUE(calls_.poll());
    return calls_.set(arguments);
  }

  struct Seen {
    MvStatus status;
    std::string ssid;
    bool encrypted;
  };
  Seen get(std::uint32_t room = 32) {
    const std::uint32_t name = text(std::string(32, '?')), length = put({99}), flag = put({0xeeeeee63});
    const MvStatus status = calls_.get(put({1, name, room, length, flag}));
    const auto size = memory_.read<std::uint32_t>(length);
    if (status != MV_STATUS_OKAY) return {status, "", false};
    EXPECT_EQ(memory_.read<std::uint32_t>(flag) >> 8U, 0xeeeeeeU) << "the flag is one byte";
    return {status, std::string(reinterpret_cast<char*>(memory_.at(name, 32)), size), *memory_.at(flag, 1) != 0};
  }

  host::FakeLock lock_;
  host::FakeGuestMemory memory_{kRam, 0x10000};
  host::FakeGuestBoard board_;
  host::FakeFlash flash_{flash_map::kWifi.offset + flash_map::kWifi.size};
  link::WifiStore store_{flash_, lock_};
  WifiCalls calls_{memory_, board_, store_, lock_};
  std::uint32_t next_ = kRam;
};

TEST_F(WifiCallsTest, AFreshDeviceHasNoNetwork) {
  const Seen seen = get();
  EXPECT_EQ(seen.status, MV_STATUS_OKAY);
  EXPECT_EQ(seen.ssid, "");
  EXPECT_FALSE(seen.encrypted);
  EXPECT_FALSE(store_.get().has_value());
}

TEST_F(WifiCallsTest, WhatIsSetIsInFlashWhenTheCallReturns) {
  ASSERT_EQ(set(config("barn", "correct horse")), MV_STATUS_OKAY);
  link::WifiStore after_power_cut(flash_, lock_);
  after_power_cut.load();
  const auto credentials = after_power_cut.get();
  ASSERT_TRUE(credentials.has_value());
  EXPECT_EQ(credentials->ssid, "barn");
  EXPECT_EQ(credentials->passphrase, "correct horse");
  EXPECT_EQ(get().ssid, "barn");
  EXPECT_TRUE(get().encrypted);
  EXPECT_EQ(store_.version(), 1U);
}

TEST_F(WifiCallsTest, AnOpenNetworkHasNoPassphraseAndClearingForgetsIt) {
  ASSERT_EQ(set(config("cafe", "")), MV_STATUS_OKAY);
  EXPECT_EQ(get().ssid, "cafe");
  EXPECT_FALSE(get().encrypted);
  ASSERT_EQ(set(put({1, MV_WIFICONFIGMODE_CLEARNOW, kOutside, 99, kOutside, 99})), MV_STATUS_OKAY);
  EXPECT_EQ(get().ssid, "");
  EXPECT_FALSE(store_.get().has_value());
}

TEST_F(WifiCallsTest, LooksAtEverythingInOrder) {
  const std::string long_name(33, 'n'), long_secret(65, 's');
  board_.interrupt = true;
  EXPECT_EQ(set(kOutside), MV_STATUS_UNAVAILABLE);
  board_.interrupt = false;
  EXPECT_EQ(set(kOutside), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(set(put({2, 0, 0, 0, 0, 0})), MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION);
  EXPECT_EQ(set(config("a", "", 2)), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(set(put({1, 0, kOutside, 4, kRam, 4})), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(set(put({1, 0, kRam, 0, kOutside, 4})), MV_STATUS_PARAMETERFAULT) << "before what is missing";
  EXPECT_EQ(set(config("", "x")), MV_STATUS_REQUIREDELEMENTMISSING);
  EXPECT_EQ(set(config(long_name, "")), MV_STATUS_INPUTTOOLONG);
  EXPECT_EQ(set(config("a", long_secret)), MV_STATUS_INPUTTOOLONG);
  EXPECT_FALSE(calls_.poll());
  EXPECT_EQ(calls_.get(kOutside), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.get(put({2, 0, 0, 0, 0})), MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION);
  EXPECT_EQ(calls_.get(put({1, kRam, 32, kOutside, kRam})), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.get(put({1, kRam, 32, kRam, kOutside})), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(calls_.get(put({1, kOutside, 32, kRam, kRam})), MV_STATUS_PARAMETERFAULT);
  set(config("abcd", ""));
  EXPECT_EQ(get(3).status, MV_STATUS_INVALIDBUFFERSIZE);
  EXPECT_EQ(get(4).ssid, "abcd");
}

TEST_F(WifiCallsTest, TwoThreadsMaySetAtOnceAndTheLastWins) {
  std::array<std::uint32_t, 4> one = {config("one", ""), 0, 0, 0}, other = {config("other", ""), 0, 0, 0};
  EXPECT_EQ(calls_.set(one), kCallAgain);
  EXPECT_EQ(calls_.set(other), kCallAgain);
  EXPECT_TRUE(calls_.poll());
  EXPECT_FALSE(calls_.poll());
  EXPECT_EQ(calls_.set(one), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.set(other), MV_STATUS_OKAY);
  EXPECT_EQ(get().ssid, "other");
}

TEST_F(WifiCallsTest, SaysThatTheFlashFailedAndKeepsWhatWasThere) {
  ASSERT_EQ(set(config("old", "secret12")), MV_STATUS_OKAY);
  host::FakeFlash too_small(flash_map::kWifi.offset);
  link::WifiStore broken(too_small, lock_);
  broken.load();
  WifiCalls calls(memory_, board_, broken, lock_);
  std::array<std::uint32_t, 4> arguments = {config("new", ""), 0, 0, 0};
  EXPECT_EQ(calls.set(arguments), kCallAgain);
  EXPECT_TRUE(calls.poll());
  EXPECT_EQ(calls.set(arguments), MV_STATUS_INTERNALERROR);
  EXPECT_FALSE(broken.get().has_value());
}

TEST_F(WifiCallsTest, ATicketThatNobodyGaveIsABadPointer) {
  EXPECT_EQ(set(0xffff0001), MV_STATUS_PARAMETERFAULT);
  EXPECT_EQ(set(0xffff8000), MV_STATUS_PARAMETERFAULT);
}

TEST_F(WifiCallsTest, KeepsTheNetworkOverManyChanges) {
  for (int i = 0; i < 300; ++i) {
    next_ = kRam;
    ASSERT_EQ(set(config("network", std::to_string(10000000 + i))), MV_STATUS_OKAY);
  }
  EXPECT_EQ(store_.get()->passphrase, "10000299");
}

}  // namespace
}  // namespace mv::app
