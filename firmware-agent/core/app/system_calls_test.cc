#include "core/app/system_calls.h"

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "boards/host/fakes.h"

namespace mv::app {
namespace {

constexpr std::uint32_t kRam = 0x20000000;  // where the fake application's memory is
constexpr std::uint32_t kOutside = 0x30000000;

class SystemCallsTest : public ::testing::Test {
 protected:
  SystemCallsTest() { calls_.set_device_id(device_id_); }

  std::uint32_t put(std::initializer_list<std::uint32_t> words) {
    const std::uint32_t at = next_;
    for (const std::uint32_t word : words) {
      std::memcpy(memory_.at(next_, 4), &word, 4);
      next_ += 4;
    }
    return at;
  }

  std::uint32_t word(std::uint32_t address) { return memory_.read<std::uint32_t>(address); }

  // A centre with a ring of `records`; its handle.
  std::uint32_t open_centre(std::uint32_t irq, std::uint32_t ring, std::uint32_t records) {
    const std::uint32_t out = put({0});
    EXPECT_EQ(calls_.setup_notifications(put({irq, ring, 16 * records}), out), MV_STATUS_OKAY);
    return word(out);
  }

  std::uint32_t open_update_events(std::uint32_t centre, std::uint32_t tag,
                                   std::uint32_t source = MV_SYSTEMNOTIFICATIONSOURCE_UPDATE) {
    const std::uint32_t out = put({0});
    EXPECT_EQ(calls_.open_system_notification(put({centre, tag, source}), out), MV_STATUS_OKAY);
    return out;
  }

  static constexpr std::uint32_t kRing = kRam + 0x8000;

  std::string device_id_ = "UV00112233445566778899aabbccddeeff";
  host::FakeClock clock_;
  host::FakeLock lock_;
  host::FakeGuestMemory memory_{kRam, 0x10000};
  host::FakeGuestBoard board_;
  DeviceClock device_clock_{clock_, lock_};
  LogBuffer log_{device_clock_, lock_};
  SystemCalls calls_{memory_, board_, clock_, device_clock_, log_, lock_};
  std::uint32_t next_ = kRam;
};

TEST_F(SystemCallsTest, RefusesEveryPointerOutsideTheApplication) {
  const std::uint32_t edge = kRam + 0x10000 - 2;  // begins inside, ends outside
  for (const std::uint32_t bad : {kOutside, 0U, edge, 0xFFFFFFFCU}) {
    EXPECT_EQ(calls_.get_microseconds(bad), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.get_wall_time(bad), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.get_sys_clk(bad), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.get_device_id(bad, 34), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.setup_notifications(bad, kRam), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.setup_notifications(put({5, kRing, 32}), bad), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.setup_notifications(put({5, bad & ~7U, 0x20000}), kRam), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.close_notifications(bad), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.open_system_notification(bad, kRam), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.close_system_notification(bad), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.server_logging_init(bad & ~511U, 0x20000), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.request_network(bad, kRam), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.release_network(bad), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.get_network_reasons(bad, kRam), MV_STATUS_PARAMETERFAULT);
    EXPECT_EQ(calls_.get_network_reasons(kRam, bad), MV_STATUS_PARAMETERFAULT);
  }
  EXPECT_EQ(calls_.get_wake_reason(kOutside), MV_STATUS_PARAMETERFAULT);
}

TEST_F(SystemCallsTest, GivesTheDeviceIdOnlyIntoABufferOfItsSize) {
  EXPECT_EQ(calls_.get_device_id(kRing, 33), MV_STATUS_INVALIDBUFFERSIZE);
  ASSERT_EQ(calls_.get_device_id(kRing, 34), MV_STATUS_OKAY);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(memory_.at(kRing, 34)), 34), device_id_);
}

TEST_F(SystemCallsTest, TellsTheTimeOnlyOnceTheCloudDid) {
  EXPECT_EQ(calls_.get_wall_time(kRing), MV_STATUS_TIMENOTSET);
  device_clock_.set_wall_time(1'700'000'000'000'000, clock_.uptime_us());
  clock_.advance_ms(5);
  ASSERT_EQ(calls_.get_wall_time(kRing), MV_STATUS_OKAY);
  EXPECT_EQ(memory_.read<std::uint64_t>(kRing), 1'700'000'000'005'000U);
}

TEST_F(SystemCallsTest, WritesOneByteOfWakeReason) {
  calls_.reset(MV_WAKEREASON_APPLICATIONUPDATE);
  std::memset(memory_.at(kRing, 4), 0xEE, 4);
  ASSERT_EQ(calls_.get_wake_reason(kRing), MV_STATUS_OKAY);
  EXPECT_EQ(word(kRing), 0xEEEEEE00U | MV_WAKEREASON_APPLICATIONUPDATE);
}

TEST_F(SystemCallsTest, PostsRecordsIntoTheRingAndPendsItsInterrupt) {
  const std::uint32_t centre = open_centre(7, kRing, 2);
  clock_.now_us = 0x1122334455ULL;
  for (std::uint32_t tag = 1; tag <= 3; ++tag) {
    EXPECT_EQ(calls_.trigger_notification(centre, MV_EVENTTYPE_CHANNELDATAREADABLE, tag), MV_STATUS_OKAY);
  }
  EXPECT_EQ(board_.pended, (std::vector<std::uint32_t>{7, 7, 7}));
  EXPECT_EQ(memory_.read<std::uint64_t>(kRing), 0x1122334455ULL);
  EXPECT_EQ(word(kRing + 8), static_cast<std::uint32_t>(MV_EVENTTYPE_CHANNELDATAREADABLE));
  EXPECT_EQ(word(kRing + 12), 3U);  // the third wrapped round
  EXPECT_EQ(word(kRing + 16 + 12), 2U);
}

TEST_F(SystemCallsTest, RefusesBadRingsAndInterrupts) {
  const std::uint32_t out = put({0});
  EXPECT_EQ(calls_.setup_notifications(put({7, kRing, 16}), out), MV_STATUS_INVALIDBUFFERSIZE);
  EXPECT_EQ(calls_.setup_notifications(put({7, kRing, 40}), out), MV_STATUS_INVALIDBUFFERSIZE);
  EXPECT_EQ(calls_.setup_notifications(put({7, kRing + 4, 32}), out), MV_STATUS_INVALIDBUFFERALIGNMENT);
  EXPECT_EQ(calls_.setup_notifications(put({1000, kRing, 32}), out), MV_STATUS_INVALIDINTERRUPT);
  open_centre(7, kRing, 4);
  EXPECT_EQ(calls_.setup_notifications(put({7, kRing + 0x100, 32}), out), MV_STATUS_INVALIDINTERRUPT);
  EXPECT_EQ(calls_.setup_notifications(put({8, kRing + 48, 32}), out), MV_STATUS_BUFFERALREADYINUSE);
}

TEST_F(SystemCallsTest, HasRoomFor32CentresAndSaysSo) {
  for (std::uint32_t i = 0; i < 32; ++i) open_centre(i, kRing + 32 * i, 2);
  EXPECT_EQ(calls_.setup_notifications(put({40, kRing + 0x1000, 32}), put({0})), MV_STATUS_TOOMANYNOTIFICATIONBUFFERS);
}

TEST_F(SystemCallsTest, AClosedHandleIsDead) {
  const std::uint32_t centre = open_centre(7, kRing, 2);
  const std::uint32_t cell = put({centre});
  ASSERT_EQ(calls_.close_notifications(cell), MV_STATUS_OKAY);
  EXPECT_EQ(word(cell), 0U);
  EXPECT_EQ(calls_.trigger_notification(centre, 1, 0), MV_STATUS_INVALIDHANDLE);
  const std::uint32_t fresh = open_centre(7, kRing, 2);
  EXPECT_NE(fresh, centre);
  EXPECT_EQ(calls_.trigger_notification(centre, 1, 0), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.close_notifications(put({0})), MV_STATUS_INVALIDHANDLE);
}

TEST_F(SystemCallsTest, AHandleOfAnotherKindIsRefused) {
  const std::uint32_t centre = open_centre(7, kRing, 2);
  EXPECT_EQ(calls_.release_network(put({centre})), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.close_system_notification(put({centre})), MV_STATUS_INVALIDHANDLE);
  EXPECT_EQ(calls_.get_network_status(centre, kRam), MV_STATUS_INVALIDHANDLE);
}

TEST_F(SystemCallsTest, TellsWhoeverAskedThatAnUpdateIsStaged) {
  EXPECT_FALSE(calls_.update_staged()) << "nobody listens yet";
  calls_.update_gone();
  const std::uint32_t centre = open_centre(7, kRing, 2);
  open_update_events(centre, 99);
  EXPECT_TRUE(calls_.update_staged());
  EXPECT_EQ(word(kRing + 8), static_cast<std::uint32_t>(MV_EVENTTYPE_UPDATEDOWNLOADED));
  EXPECT_EQ(word(kRing + 12), 99U);
}

TEST_F(SystemCallsTest, TellsALateSubscriberOfAStagedUpdate) {
  calls_.update_staged();
  open_update_events(open_centre(7, kRing, 2), 5);
  EXPECT_EQ(word(kRing + 12), 5U);
}

TEST_F(SystemCallsTest, AClosedCentreDoesNotListenForUpdates) {
  const std::uint32_t centre = open_centre(7, kRing, 2);
  open_update_events(centre, 1);
  ASSERT_EQ(calls_.close_notifications(put({centre})), MV_STATUS_OKAY);
  EXPECT_FALSE(calls_.update_staged());
}

TEST_F(SystemCallsTest, TellsOfEachTenthOfADownloadAndEachState) {
  open_update_events(open_centre(7, kRing, 2), 3);
  open_update_events(open_centre(8, kRing + 0x100, 16), 4, MV_SYSTEMNOTIFICATIONSOURCE_UPDATEPROGRESS);
  const auto told = [this] {
    int count = 0;
    for (std::uint32_t at = 0; at < 16; ++at) count += word(kRing + 0x100 + 16 * at + 8) == MV_EVENTTYPE_UPDATEPROGRESS;
    return count;
  };
  calls_.set_update_status({MV_UPDATESTATE_DOWNLOADING, 0, 1000});
  calls_.set_update_status({MV_UPDATESTATE_DOWNLOADING, 99, 1000});
  EXPECT_EQ(told(), 1);
  calls_.set_update_status({MV_UPDATESTATE_DOWNLOADING, 100, 1000});
  calls_.set_update_status({MV_UPDATESTATE_STAGED, 100, 1000});
  EXPECT_EQ(told(), 3);
  EXPECT_EQ(word(kRing + 8), 0U) << "who asked for staged updates only is told of those only";
  const std::uint32_t out = put({0, 0, 0});
  EXPECT_EQ(calls_.get_update_status(out), MV_STATUS_OKAY);
  EXPECT_EQ(word(out), static_cast<std::uint32_t>(MV_UPDATESTATE_STAGED));
  EXPECT_EQ(word(out + 4), 100U);
  EXPECT_EQ(word(out + 8), 1000U);
  EXPECT_EQ(calls_.get_update_status(kRam + 0x10000 - 8), MV_STATUS_PARAMETERFAULT);
}

TEST_F(SystemCallsTest, RestartIsLeftToTheSecureThread) {
  EXPECT_EQ(calls_.restart(1), MV_STATUS_PARAMETERFAULT);
  EXPECT_FALSE(calls_.take_restart());
  EXPECT_EQ(calls_.restart(MV_RESTARTMODE_AUTOAPPLYUPDATE), MV_STATUS_OKAY);
  EXPECT_EQ(board_.wakes, 1);
  EXPECT_TRUE(calls_.take_restart());
  EXPECT_FALSE(calls_.take_restart());
}

TEST_F(SystemCallsTest, SomeCallsAreNotForInterrupts) {
  board_.interrupt = true;
  EXPECT_EQ(calls_.get_wake_reason(kRam), MV_STATUS_UNAVAILABLE);
  EXPECT_EQ(calls_.system_led_enable(1), MV_STATUS_UNAVAILABLE);
  EXPECT_EQ(calls_.open_system_notification(kRam, kRam), MV_STATUS_UNAVAILABLE);
}

TEST_F(SystemCallsTest, AFaultHandlerMayRestartTheApplication) {
  board_.interrupt = true;
  EXPECT_EQ(calls_.restart(MV_RESTARTMODE_AUTOAPPLYUPDATE), MV_STATUS_OKAY);
  EXPECT_TRUE(calls_.take_restart());
}

TEST_F(SystemCallsTest, LogsOnlyAfterLoggingWasSetUp) {
  EXPECT_EQ(calls_.server_log(kRam, 1), MV_STATUS_UNAVAILABLE);
  EXPECT_EQ(calls_.server_logging_init(kRing + 1, 512), MV_STATUS_INVALIDBUFFERALIGNMENT);
  EXPECT_EQ(calls_.server_logging_init(kRing, 100), MV_STATUS_INVALIDBUFFERSIZE);
  EXPECT_EQ(calls_.server_logging_init(kRing, 0), MV_STATUS_INVALIDBUFFERSIZE);
  ASSERT_EQ(calls_.server_logging_init(kRing, 512), MV_STATUS_OKAY);
  std::memcpy(memory_.at(kRam, 5), "hello", 5);
  ASSERT_EQ(calls_.server_log(kRam, 5), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.server_log(kRam, 1025), MV_STATUS_LOGMESSAGETOOLONG);
  EXPECT_EQ(calls_.server_log(kOutside, 5), MV_STATUS_PARAMETERFAULT);
  const auto record = log_.next(0);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->sequence, 1U);
  EXPECT_EQ(std::string(record->text.begin(), record->text.end()), "hello");
  EXPECT_FALSE(log_.next(1).has_value()) << "a refused message leaves no record";
  log_.enable(false);
  EXPECT_EQ(calls_.server_log(kRam, 5), MV_STATUS_LOGGINGDISABLEDBYSERVER);
}

TEST_F(SystemCallsTest, SaysWhyTheNetworkIsUp) {
  ASSERT_EQ(calls_.get_network_reasons(kRam, kRam + 4), MV_STATUS_OKAY);
  EXPECT_EQ(word(kRam), static_cast<std::uint32_t>(MV_NETWORKREASON_NEVERUSEDNETWORKAPI | MV_NETWORKREASON_RTCNOTSET));
  device_clock_.set_wall_time(1'700'000'000'000'000, 0);
  next_ = kRam + 64;
  const std::uint32_t out = put({0});
  ASSERT_EQ(calls_.request_network(put({1, 0, 0}), out), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.request_network(put({2, 0, 0}), out), MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION);
  calls_.set_reason(MV_NETWORKREASON_FETCHINGUPDATE, true);
  ASSERT_EQ(calls_.get_network_reasons(kRam, kRam + 4), MV_STATUS_OKAY);
  EXPECT_EQ(word(kRam), static_cast<std::uint32_t>(MV_NETWORKREASON_USINGNETWORK | MV_NETWORKREASON_FETCHINGUPDATE));
  EXPECT_EQ(word(kRam + 4), 1U);
}

TEST_F(SystemCallsTest, AnnouncesAChangeOfTheNetworkOnce) {
  const std::uint32_t centre = open_centre(9, kRing, 4);
  const std::uint32_t out = put({0});
  ASSERT_EQ(calls_.request_network(put({1, centre, 77}), out), MV_STATUS_OKAY);
  const std::uint32_t network = word(out);
  ASSERT_EQ(calls_.get_network_status(network, kRam), MV_STATUS_OKAY);
  EXPECT_EQ(word(kRam), static_cast<std::uint32_t>(MV_NETWORKSTATUS_CONNECTING));
  calls_.link_changed(true);
  calls_.link_changed(true);
  EXPECT_EQ(board_.pended.size(), 1U);
  EXPECT_EQ(word(kRing + 12), 77U);
  ASSERT_EQ(calls_.get_network_status(network, kRam), MV_STATUS_OKAY);
  EXPECT_EQ(word(kRam), static_cast<std::uint32_t>(MV_NETWORKSTATUS_CONNECTED));
  ASSERT_EQ(calls_.release_network(out), MV_STATUS_OKAY);
  EXPECT_EQ(calls_.get_network_status(network, kRam), MV_STATUS_INVALIDHANDLE);
}

TEST_F(SystemCallsTest, ARestartTakesEverythingFromTheApplication) {
  const std::uint32_t centre = open_centre(7, kRing, 2);
  open_update_events(centre, 1);
  calls_.server_logging_init(kRing, 512);
  calls_.restart(MV_RESTARTMODE_AUTOAPPLYUPDATE);
  calls_.reset(MV_WAKEREASON_REMOTEAPPLICATIONRESTART);
  EXPECT_EQ(calls_.trigger_notification(centre, 1, 0), MV_STATUS_INVALIDHANDLE);
  EXPECT_FALSE(calls_.update_staged());
  EXPECT_EQ(calls_.server_log(kRam, 1), MV_STATUS_UNAVAILABLE);
  EXPECT_FALSE(calls_.take_restart());
}

}  // namespace
}  // namespace mv::app
