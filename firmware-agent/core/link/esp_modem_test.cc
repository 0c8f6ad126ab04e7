#include "core/link/esp_modem.h"

#include <string>

#include <gtest/gtest.h>

#include "boards/host/fakes.h"
#include "core/link/test_esp_module.h"

namespace mv::link {
namespace {

using State = Modem::State;
using host::FakeClock;
using test::TestEspModule;
using Dial = TestEspModule::Dial;

constexpr std::uint64_t kMillisecond = 1000;
constexpr std::uint64_t kSecond = 1'000'000;

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

struct Networks final : WifiNetworks {
  WifiCredentials credentials() const override { return {ssid, passphrase}; }
  std::string ssid = "home";
  std::string passphrase = "correct horse";
};

class EspModemTest : public testing::Test {
 protected:
  // Runs until nothing happens any more without time passing.
  void settle() {
    for (int i = 0; i < 100'000 && modem.poll(); ++i) {
    }
  }

  // Lets time pass from deadline to deadline until `until_us` later.
  void pass(std::uint64_t span_us) {
    const std::uint64_t end = clock.now_us + span_us;
    settle();
    while (modem.next_deadline_us() <= end) {
      clock.now_us = std::max(clock.now_us + 1, modem.next_deadline_us());
      settle();
    }
    clock.now_us = end;
    settle();
  }

  void open() {
    modem.connect("cloud.test", 8443);
    pass(2 * kSecond);
    ASSERT_EQ(modem.state(), State::kOpen) << modem.error();
  }

  std::string read() {
    std::string all;
    std::array<std::uint8_t, 100> part;
    for (;;) {
      settle();
      const std::size_t size = modem.read(part);
      if (size == 0) return all;
      all.append(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(size));
    }
  }

  // What there is after all pauses are over.
  std::string read_later() {
    std::string all = read();
    pass(2 * kSecond);
    return all + read();
  }

  std::string fails() {
    modem.connect("cloud.test", 8443);
    pass(2 * kSecond);
    EXPECT_EQ(modem.state(), State::kFailed);
    return std::string(modem.error());
  }

  FakeClock clock;
  TestEspModule chip{clock};
  Networks networks;
  EspModem modem{chip, clock, networks};
};

TEST_F(EspModemTest, SaysNothingBeforeItIsAskedToConnect) {
  pass(600 * kSecond);
  EXPECT_TRUE(chip.commands.empty());
}

TEST_F(EspModemTest, JoinsDialsAndPassesThrough) {
  std::string dialled;
  chip.on_dial = [&](const std::string& host, int port) {
    dialled = host + ":" + std::to_string(port);
    return Dial::kConnects;
  };
  open();
  EXPECT_EQ(dialled, "cloud.test:8443");
  EXPECT_EQ(chip.commands,
            (std::vector<std::string>{"AT", "ATE0", "AT+CIPMODE=0", "AT+CIPCLOSE", "AT+SYSSTORE=0", "AT+CWMODE=1",
                                      "AT+CIPMUX=0", "AT+SYSMSG=4", "AT+TRANSINTVL=5", "AT+CIPRECONNINTV=36000",
                                      "AT+CWJAP=\"home\",\"correct horse\",,,0",
                                      "AT+CIPSTART=\"TCP\",\"cloud.test\",8443", "AT+CIPMODE=1", "AT+CIPSEND"}));
}

TEST_F(EspModemTest, SaysWhyItCannotJoin) {
  networks.passphrase = "wrong horse";
  EXPECT_EQ(fails(), "the Wi-Fi network refuses the passphrase: provision the device with the right one");
  networks.ssid = "elsewhere";
  EXPECT_EQ(fails(), "the Wi-Fi module does not find the network: check its name, and its coverage");
  networks = {};
  chip.join_error = 1;
  EXPECT_EQ(fails(), "the Wi-Fi module could not join the network in time: check its coverage");
  chip.join_error = 4;
  EXPECT_EQ(fails(), "the Wi-Fi module cannot join the network");
  networks.ssid.clear();
  EXPECT_EQ(fails(), "no Wi-Fi network is set: provision the device with --wifi-ssid");
}

TEST_F(EspModemTest, JoinsWithWhatIsSetMeanwhile) {
  networks.passphrase = "wrong horse";
  fails();
  networks.passphrase = "correct horse";
  chip.commands.clear();
  open();
  EXPECT_EQ(chip.count("AT+CWMODE"), 0) << "its settings are kept";
}

TEST_F(EspModemTest, EscapesWhatACommandCannotHold) {
  networks = {};
  networks.ssid = "a,b\"c\\d";
  networks.passphrase = "\\,\",12345678";
  chip.ssid = "a\\,b\\\"c\\\\d";
  chip.passphrase = "\\\\\\,\\\"\\,12345678";
  open();
}

TEST_F(EspModemTest, JoinsWithTheLongestNameAndPassphrase) {
  networks.ssid = std::string(32, ',');
  networks.passphrase = std::string(63, '"');
  for (int i = 0; i < 32; ++i) chip.ssid = i == 0 ? "\\," : chip.ssid + "\\,";
  for (int i = 0; i < 63; ++i) chip.passphrase = i == 0 ? "\\\"" : chip.passphrase + "\\\"";
  open();
}

TEST_F(EspModemTest, SaysWhyItCannotDial) {
  chip.on_dial = [](const std::string&, int) { return Dial::kNoSuchName; };
  EXPECT_EQ(fails(), "the Wi-Fi module cannot resolve the cloud's host name: check it, and the network's DNS");
  chip.on_dial = [](const std::string&, int) { return Dial::kRefused; };
  EXPECT_EQ(fails(), "the Wi-Fi module cannot connect to the cloud: is mvcloud running, and its port reachable?");
  chip.on_dial = [](const std::string&, int) { return Dial::kConnects; };
  chip.commands.clear();
  open();
  EXPECT_EQ(chip.count("AT+CWJAP"), 0) << "the network was kept";
}

TEST_F(EspModemTest, CarriesAnyBytesBothWays) {
  open();
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  all += "+++\r\nOK\r\n>\r\nready\r\n+IPD,5:CLOSED\r\nWIFI DISCONNECT\r\nERROR\r\nbusy p...\r\n+++";
  EXPECT_EQ(modem.write(as_bytes(all)), all.size());
  settle();
  EXPECT_EQ(chip.sent, all);
  chip.push(all + "\r\nthe end");
  EXPECT_EQ(read(), all + "\r\nthe end");
  EXPECT_EQ(modem.state(), State::kOpen);
}

TEST_F(EspModemTest, WorksOneByteAtATime) {
  chip.grain = 1;
  modem.connect("cloud.test", 8443);
  pass(2 * kSecond);
  EXPECT_EQ(modem.write(as_bytes("hello+++")), 8U);
  settle();
  EXPECT_EQ(chip.sent, "hello+++");
  chip.push("CLOSED\r\ngood morningCLOSE");
  EXPECT_EQ(read_later(), "CLOSED\r\ngood morningCLOSE");
  EXPECT_EQ(modem.state(), State::kOpen);
}

TEST_F(EspModemTest, HandsOverTheBeginningOfANoticeAfterAMoment) {
  open();
  chip.push("dataCLOSE");
  EXPECT_EQ(read(), "data");
  pass(20 * kMillisecond);
  EXPECT_EQ(read(), "CLOSE");
  chip.push("D\r\n");
  EXPECT_EQ(read_later(), "D\r\n");
  EXPECT_EQ(modem.state(), State::kOpen);
}

TEST_F(EspModemTest, TakesNoMoreThanItsBufferHoldsWhileTheModuleIsBehind) {
  open();
  chip.blocked = true;
  const std::string big(4000, 'x');
  EXPECT_EQ(modem.write(as_bytes(big)), Modem::kMaxPush);
  settle();
  EXPECT_EQ(modem.write(as_bytes(big)), 0U);
  EXPECT_EQ(modem.unsent(), Modem::kMaxPush);
  pass(50 * kSecond);
  EXPECT_EQ(modem.state(), State::kOpen);
  chip.blocked = false;
  settle();
  EXPECT_EQ(chip.sent.size(), Modem::kMaxPush);
  EXPECT_EQ(modem.unsent(), 0U);
  EXPECT_EQ(modem.write(as_bytes(big)), Modem::kMaxPush);
}

TEST_F(EspModemTest, GivesAModuleUpThatTakesNothingAnyMore) {
  open();
  chip.blocked = true;
  modem.write(as_bytes("stuck"));
  pass(61 * kSecond);
  EXPECT_EQ(modem.state(), State::kEnded);
  EXPECT_EQ(modem.error(), "the Wi-Fi module takes no more data");
  chip.blocked = false;
  modem.connect("cloud.test", 8443);
  pass(10 * kSecond);
  EXPECT_EQ(modem.state(), State::kOpen) << modem.error();
}

TEST_F(EspModemTest, LeavesTheRestInTheModuleWhileTheReaderIsBehind) {
  open();
  const std::string big(4000, 'x');
  chip.push(big + "CLOSED\r\n");
  pass(5 * kSecond);
  EXPECT_EQ(modem.state(), State::kOpen);
  EXPECT_EQ(read(), big);
  pass(kSecond);
  EXPECT_EQ(modem.state(), State::kEnded);
}

TEST_F(EspModemTest, GathersWhatIsWrittenBeforeItSends) {
  open();
  modem.hold(true);
  modem.write(as_bytes("one "));
  settle();
  EXPECT_EQ(chip.sent, "");
  modem.hold(false);
  modem.write(as_bytes("two"));
  settle();
  EXPECT_EQ(chip.sent, "one two");
}

TEST_F(EspModemTest, EndsWhenTheConnectionIsClosedAfterReadingWhatCameBefore) {
  open();
  chip.push("last words");
  chip.close();
  EXPECT_EQ(read_later(), "last words");
  EXPECT_EQ(modem.state(), State::kEnded);
  EXPECT_TRUE(modem.ended());
  EXPECT_EQ(modem.error(), "the connection was closed");
}

TEST_F(EspModemTest, ConnectsAgainWithoutJoiningAnew) {
  open();
  chip.close();
  pass(3 * kSecond);
  EXPECT_FALSE(chip.transparent) << "it left transparent mode, so that the module dials no more by itself";
  chip.commands.clear();
  open();
  EXPECT_EQ(chip.commands,
            (std::vector<std::string>{"AT+CIPSTART=\"TCP\",\"cloud.test\",8443", "AT+CIPMODE=1", "AT+CIPSEND"}));
  EXPECT_FALSE(chip.hurried);
}

// As when an update is fetched: the bytes stop in the middle, and the module's words follow them.
TEST_F(EspModemTest, NoticesThatTheNetworkIsLostInTheMiddleOfADownload) {
  open();
  std::string piece;
  for (int i = 0; i < 1000; ++i) piece += static_cast<char>(i * 37);
  chip.push(piece);
  chip.lose_wifi();
  EXPECT_EQ(read_later(), piece);
  EXPECT_EQ(modem.state(), State::kEnded);
  EXPECT_EQ(modem.error(), "the Wi-Fi network was lost");

  chip.join_error = 3;
  EXPECT_EQ(fails(), "the Wi-Fi module does not find the network: check its name, and its coverage");
  chip.join_error = 0;
  open();
  chip.push("again");
  EXPECT_EQ(read(), "again");
}

TEST_F(EspModemTest, JoinsAgainWhenTheNetworkIsLostBetweenTwoConnections) {
  open();
  chip.close();
  pass(3 * kSecond);
  chip.lose_wifi();
  settle();
  chip.commands.clear();
  open();
  EXPECT_EQ(chip.count("AT+CWJAP"), 1);
}

TEST_F(EspModemTest, StartsAnewAfterTheModuleHasRestarted) {
  open();
  chip.commands.clear();
  chip.restart();
  EXPECT_EQ(read_later(), "\xFF\x80rst:0x1 (POWERON_RESET)");
  EXPECT_EQ(modem.state(), State::kEnded);
  EXPECT_EQ(modem.error(), "the Wi-Fi module has restarted");
  modem.connect("cloud.test", 8443);
  pass(5 * kSecond);
  EXPECT_EQ(modem.state(), State::kOpen) << modem.error();
  EXPECT_EQ(chip.count("AT+CWJAP"), 1);
}

TEST_F(EspModemTest, ConnectsThoughTheModuleRestartsMeanwhile) {
  chip.mute_command = "AT+CIPMUX=0";
  modem.connect("cloud.test", 8443);
  settle();
  chip.mute_command = "";
  chip.restart();
  settle();
  EXPECT_EQ(modem.state(), State::kOpen) << modem.error();
}

TEST_F(EspModemTest, EndsWhenTheModuleTakesItsDataForCommands) {
  open();
  chip.inject("\r\nERROR\r\n");
  pass(kSecond);
  EXPECT_EQ(modem.state(), State::kEnded);
  EXPECT_EQ(modem.error(), "the Wi-Fi module left transparent mode");
}

TEST_F(EspModemTest, AsksAgainWhenTheModuleIsBusy) {
  chip.busy = 3;
  open();
  EXPECT_EQ(chip.count("AT+CIPSTART"), 1);
}

TEST_F(EspModemTest, UsesAModuleThatDoesNotKnowEverySetting) {
  chip.unknown = "AT+SYSMSG";
  open();
}

TEST_F(EspModemTest, RefusesAModuleThatCannotBeAStation) {
  chip.unknown = "AT+CWMODE";
  EXPECT_EQ(fails(), "the Wi-Fi module refuses its settings: is its firmware ESP-AT?");
}

TEST_F(EspModemTest, GivesEachStepItsTime) {
  for (const char* step : {"AT+CIPMODE=0", "AT+CIPCLOSE", "AT+SYSSTORE=0", "AT+CWJAP=\"home\",\"correct horse\",,,0",
                           "AT+CIPSTART=\"TCP\",\"cloud.test\",8443", "AT+CIPMODE=1", "AT+CIPSEND"}) {
    TestEspModule slow(clock);
    slow.mute_command = step;
    EspModem driver(slow, clock, networks);
    driver.connect("cloud.test", 8443);
    const std::uint64_t end = clock.now_us + 200 * kSecond;
    while (clock.now_us < end) {
      if (!driver.poll()) clock.now_us = std::max(clock.now_us + 1, std::min(end, driver.next_deadline_us()));
    }
    EXPECT_GE(slow.count(step), 2) << step << " is tried again after its time-out";
    slow.mute_command = "";
    for (int i = 0; i < 20'000 && driver.state() != State::kOpen; ++i) {
      if (!driver.poll()) clock.now_us = std::max(clock.now_us + 1, driver.next_deadline_us());
    }
    EXPECT_EQ(driver.state(), State::kOpen) << step;
  }
}

TEST_F(EspModemTest, ReportsAnAbsentModuleAndFindsItLater) {
  chip.mute = true;
  modem.connect("cloud.test", 8443);
  pass(10 * kSecond);
  EXPECT_EQ(modem.state(), State::kFailed);
  EXPECT_EQ(modem.error(), "the Wi-Fi module does not answer: check its power and its wires");
  chip.mute = false;
  modem.connect("cloud.test", 8443);
  pass(5 * kSecond);
  EXPECT_EQ(modem.state(), State::kOpen) << modem.error();
}

TEST_F(EspModemTest, ClosesTheConnectionWhenAskedTo) {
  open();
  modem.disconnect();
  pass(3 * kSecond);
  EXPECT_FALSE(chip.open);
  EXPECT_FALSE(chip.transparent);
  EXPECT_FALSE(chip.hurried);
  EXPECT_EQ(modem.state(), State::kIdle);
  EXPECT_EQ(modem.next_deadline_us(), Modem::kNever);
}

TEST_F(EspModemTest, DropsWhatComesWhileItCloses) {
  open();
  modem.disconnect();
  settle();
  chip.push("of the old connection\r\nOK\r\n\x80");
  pass(1200 * kMillisecond);
  chip.passes = false;
  chip.push("CLOSED\r\nready\r\n");
  modem.connect("cloud.test", 8443);
  pass(2 * kSecond);
  ASSERT_EQ(modem.state(), State::kOpen) << modem.error();
  EXPECT_EQ(read(), "");
}

TEST_F(EspModemTest, RefusesAnAnnouncementThatCannotBe) {
  for (const char* text : {"+IPD,65536:", "+IPD,99999999999:", "+IPD,:"}) {
    modem.connect("cloud.test", 8443);
    chip.inject(text);
    pass(5 * kSecond);
    EXPECT_EQ(modem.state(), State::kOpen) << text;
  }
}

TEST_F(EspModemTest, WaitsForAnnouncedDataOnlySoLong) {
  modem.connect("cloud.test", 8443);
  chip.inject("+IPD,100:");
  pass(15 * kSecond);
  open();
}

// The device was reset, the module was not: it passes on what it hears, to a cloud that has long hung up.
TEST_F(EspModemTest, FindsAModuleThatIsStillInTransparentMode) {
  open();
  EspModem after(chip, clock, networks);
  after.connect("cloud.test", 8443);
  for (int i = 0; i < 20'000 && after.state() == State::kConnecting; ++i) {
    if (!after.poll()) clock.now_us = std::max(clock.now_us + 1, after.next_deadline_us());
  }
  ASSERT_EQ(after.state(), State::kOpen) << after.error();
  chip.sent.clear();
  after.write(as_bytes("alive"));
  for (int i = 0; i < 500; ++i) after.poll();
  EXPECT_EQ(chip.sent, "alive");
}

TEST_F(EspModemTest, SurvivesACutAfterAnyByteOfTheConversation) {
  for (std::size_t cut = 0; cut < 600; ++cut) {
    TestEspModule noisy(clock);
    EspModem driver(noisy, clock, networks);
    driver.connect("cloud.test", 8443);
    // One byte at a time; after `cut` steps the module restarts in the middle of whatever it was doing.
    noisy.grain = 1;
    for (std::size_t i = 0; i < cut; ++i) {
      driver.poll();
      driver.write(as_bytes("in the middle of a send"));
    }
    noisy.restart();
    std::array<std::uint8_t, 100> ignored;
    for (int i = 0; i < 20'000; ++i) {
      if (driver.poll() || driver.read(ignored) > 0) continue;
      if (driver.state() == State::kOpen && noisy.open) break;
      if (driver.state() == State::kFailed || driver.state() == State::kEnded) driver.connect("cloud.test", 8443);
      if (driver.next_deadline_us() != Modem::kNever)
        clock.now_us = std::max(clock.now_us + 1, driver.next_deadline_us());
    }
    ASSERT_EQ(driver.state(), State::kOpen) << "cut after step " << cut;
    noisy.sent.clear();
    driver.write(as_bytes("alive"));
    for (int i = 0; i < 2500; ++i) driver.poll();
    ASSERT_TRUE(noisy.sent.ends_with("alive")) << "cut after step " << cut << ": " << noisy.sent;
    ASSERT_FALSE(noisy.hurried) << "cut after step " << cut;
  }
}

}  // namespace
}  // namespace mv::link
