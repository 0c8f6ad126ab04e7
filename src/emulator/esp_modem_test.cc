#include "emulator/esp_modem.h"

#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace mv::emulator {
namespace {

using Timer = ModemOutside::Timer;

struct Outside final : ModemOutside {
  std::string uart;
  std::string sent;
  std::string calls;
  bool buffer_full = false;
  std::map<Timer, std::chrono::milliseconds> timers;

  void to_uart(std::string_view bytes) override { uart.append(bytes); }
  void connect(const std::string& host, std::uint16_t port) override {
    calls += "connect " + host + ":" + std::to_string(port) + ";";
  }
  bool transmit(std::span<const std::uint8_t> bytes) override {
    if (!buffer_full) sent.append(bytes.begin(), bytes.end());
    return !buffer_full;
  }
  void disconnect() override { calls += "disconnect;"; }
  void set_timer(Timer timer, std::chrono::milliseconds after) override { timers[timer] = after; }
};

class EspModemTest : public testing::Test {
 protected:
  EspModemTest() {
    modem_.power_on();
    say("ATE0\r\n");
    say("AT+CWMODE=1\r\n");
  }

  // What the module says to `input`.
  std::string say(std::string_view input) {
    outside_.uart.clear();
    modem_.from_uart({reinterpret_cast<const std::uint8_t*>(input.data()), input.size()});
    return outside_.uart;
  }

  std::string heard(auto event) {
    outside_.uart.clear();
    event();
    return outside_.uart;
  }

  // What it says when the time of a timer is over; it must have been set.
  std::string after(Timer timer) {
    EXPECT_EQ(outside_.timers.erase(timer), 1U) << static_cast<int>(timer);
    return heard([&] { modem_.expired(timer); });
  }

  std::string receive(std::string_view bytes) {
    return heard([&] { modem_.from_network({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}); });
  }

  std::string join(std::string_view arguments = "\"home\",\"correct horse\",,,0") {
    EXPECT_EQ(say("AT+CWJAP=" + std::string(arguments) + "\r\n"), "");
    return after(Timer::kJoin);
  }

  void dial() {
    join();
    say("AT+CIPSTART=\"TCP\",\"cloud\",8443\r\n");
    modem_.connected();
  }

  void pass_through() {
    dial();
    EXPECT_EQ(say("AT+CIPMODE=1\r\n"), "\r\nOK\r\n");
    EXPECT_EQ(say("AT+CIPSEND\r\n"), "\r\nOK\r\n\r\n>");
  }

  void pause() {
    EXPECT_EQ(outside_.timers[Timer::kGuard].count(), 20);
    after(Timer::kGuard);
  }

  Outside outside_;
  EspModem modem_{outside_, {"home", "correct horse"}};
};

TEST_F(EspModemTest, EchoesUntilItIsToldNotTo) {
  EXPECT_EQ(heard([&] { modem_.power_on(); }), "\r\nready\r\n");
  EXPECT_EQ(say("AT\r\n"), "AT\r\n\r\nOK\r\n");
  say("ATE0\r\n");
  EXPECT_EQ(say("AT\r\n"), "\r\nOK\r\n");
  EXPECT_TRUE(say("AT+GMR\r\n").starts_with("\r\nAT version:"));
}

TEST_F(EspModemTest, JoinsTheNetwork) {
  EXPECT_EQ(join(), "WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n");
  EXPECT_EQ(say("AT+CWSTATE?\r\n"), "\r\n+CWSTATE:2,\"home\"\r\n\r\nOK\r\n");
}

TEST_F(EspModemTest, SaysWhyItCannotJoin) {
  EXPECT_EQ(join("\"home\",\"wrong\""), "+CWJAP:2\r\n\r\nERROR\r\n");
  EXPECT_EQ(join("\"elsewhere\",\"correct horse\""), "+CWJAP:3\r\n\r\nERROR\r\n");
  modem_.set_wifi(WifiState::kDown);
  EXPECT_EQ(join(), "+CWJAP:3\r\n\r\nERROR\r\n");
  modem_.set_wifi(WifiState::kRefuses);
  EXPECT_EQ(join(), "+CWJAP:4\r\n\r\nERROR\r\n");
  modem_.set_wifi(WifiState::kSilent);
  say("AT+CWJAP=\"home\",\"correct horse\"\r\n");
  EXPECT_EQ(outside_.timers[Timer::kJoin].count(), 15'000);
  EXPECT_EQ(after(Timer::kJoin), "+CWJAP:1\r\n\r\nERROR\r\n");
}

TEST_F(EspModemTest, JoinsOnlyAsAStation) {
  modem_.power_on();
  say("ATE0\r\n");
  EXPECT_EQ(say("AT+CWJAP=\"home\",\"correct horse\"\r\n"), "\r\nERROR\r\n");
}

TEST_F(EspModemTest, TakesEscapedNames) {
  EspModem other(outside_, {"a,b\"c\\", "\\,12345678"});
  other.power_on();
  const std::string text = "ATE0\r\nAT+CWMODE=1\r\nAT+CWJAP=\"a\\,b\\\"c\\\\\",\"\\\\\\,12345678\"\r\n";
  other.from_uart({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  EXPECT_EQ(heard([&] { other.expired(Timer::kJoin); }), "WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n");
}

TEST_F(EspModemTest, IsBusyWhileItJoinsAndDials) {
  say("AT+CWJAP=\"home\",\"correct horse\"\r\n");
  EXPECT_EQ(say("AT\r\n"), "\r\nbusy p...\r\n");
  after(Timer::kJoin);
  EXPECT_EQ(say("AT+CIPSTART=\"TCP\",\"cloud\",8443\r\n"), "");
  EXPECT_EQ(say("AT\r\n"), "\r\nbusy p...\r\n");
  EXPECT_EQ(heard([&] { modem_.connected(); }), "CONNECT\r\n\r\nOK\r\n");
  EXPECT_EQ(say("AT+CIPSTART=\"TCP\",\"cloud\",8443\r\n"), "ALREADY CONNECTED\r\n\r\nERROR\r\n");
}

TEST_F(EspModemTest, SaysWhyItCannotDial) {
  EXPECT_EQ(say("AT+CIPSTART=\"TCP\",\"cloud\",8443\r\n"), "\r\nERROR\r\n") << "no network";
  join();
  say("AT+CIPSTART=\"TCP\",\"cloud\",8443\r\n");
  EXPECT_EQ(heard([&] { modem_.connect_failed(ConnectError::kNoSuchHost); }), "DNS Fail\r\n\r\nERROR\r\n");
  say("AT+CIPSTART=\"TCP\",\"cloud\",8443\r\n");
  EXPECT_EQ(heard([&] { modem_.connect_failed(ConnectError::kRefused); }), "\r\nERROR\r\n");
  EXPECT_EQ(say("AT+CIPSTART=\"TCP\",\"cloud\",84430\r\n"), "\r\nERROR\r\n");
}

TEST_F(EspModemTest, PassesEveryByteThrough) {
  pass_through();
  EXPECT_EQ(say("AT+CIPCLOSE\r\n"), "");
  EXPECT_EQ(outside_.sent, "AT+CIPCLOSE\r\n");
  EXPECT_EQ(receive("CLOSED\r\n+++"), "CLOSED\r\n+++");
}

TEST_F(EspModemTest, LeavesTransparentModeUponThreePlussesBetweenTwoPauses) {
  pass_through();
  say("+");
  say("++");
  pause();
  EXPECT_EQ(say("AT\r\n"), "\r\nOK\r\n");
  EXPECT_EQ(outside_.sent, "");
  EXPECT_EQ(receive("raw"), "raw") << "AT+CIPMODE=1 still counts";
  say("AT+CIPMODE=0\r\n");
  EXPECT_EQ(receive("five!"), "\r\n+IPD,5:five!");
  EXPECT_EQ(say("AT+CIPCLOSE\r\n"), "CLOSED\r\n\r\nOK\r\n");
  EXPECT_EQ(say("AT+CIPCLOSE\r\n"), "\r\nERROR\r\n");
}

TEST_F(EspModemTest, TakesPlussesWithoutPausesForData) {
  pass_through();
  say("a+++");
  pause();
  say("+++b");
  pause();
  say("++");
  pause();
  say("++++");
  pause();
  EXPECT_EQ(outside_.sent, "a++++++b++++++");
  EXPECT_EQ(say("AT\r\n"), "") << "still transparent";
}

TEST_F(EspModemTest, TakesNoMoreFromTheUartWhileTheNetworkIsFull) {
  pass_through();
  outside_.buffer_full = true;
  EXPECT_TRUE(modem_.takes_uart());
  say("first");
  EXPECT_FALSE(modem_.takes_uart());
  after(Timer::kSend);
  EXPECT_FALSE(modem_.takes_uart());
  outside_.buffer_full = false;
  after(Timer::kSend);
  EXPECT_TRUE(modem_.takes_uart());
  EXPECT_EQ(outside_.sent, "first");
}

TEST_F(EspModemTest, DialsAnewBehindItsDriversBack) {
  pass_through();
  EXPECT_EQ(heard([&] { modem_.closed_by_peer(); }), "") << "unless AT+SYSMSG says otherwise";
  EXPECT_EQ(outside_.timers[Timer::kReconnect].count(), 100);
  EXPECT_EQ(after(Timer::kReconnect), "");
  EXPECT_EQ(outside_.calls, "connect cloud:8443;connect cloud:8443;");
  EXPECT_EQ(heard([&] { modem_.connected(); }), "");
  EXPECT_EQ(receive("of another connection"), "of another connection");
}

TEST_F(EspModemTest, SaysWhatChangesInTransparentModeIfItIsToldTo) {
  say("AT+SYSMSG=4\r\n");
  say("AT+CIPRECONNINTV=36000\r\n");
  pass_through();
  EXPECT_EQ(heard([&] { modem_.closed_by_peer(); }), "CLOSED\r\n");
  EXPECT_EQ(outside_.timers[Timer::kReconnect].count(), 3'600'000);
}

TEST_F(EspModemTest, LosesNetworkAndConnection) {
  say("AT+SYSMSG=5\r\n");
  pass_through();
  EXPECT_EQ(heard([&] { modem_.set_wifi(WifiState::kDown); }), "CLOSED\r\nWIFI DISCONNECT\r\n");
  EXPECT_TRUE(outside_.calls.ends_with("disconnect;"));
  EXPECT_FALSE(modem_.carrier());
  EXPECT_EQ(heard([&] { modem_.set_wifi(WifiState::kUp); }), "") << "it was told not to join again by itself";
  say("+++");
  EXPECT_EQ(after(Timer::kGuard), "\r\n+QUITT\r\n");
  EXPECT_EQ(join(), "WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n");
}

TEST_F(EspModemTest, JoinsAgainByItselfUnlessItIsToldNotTo) {
  join("\"home\",\"correct horse\"");
  modem_.set_wifi(WifiState::kDown);
  EXPECT_EQ(heard([&] { modem_.set_wifi(WifiState::kUp); }), "WIFI CONNECTED\r\nWIFI GOT IP\r\n");
}

TEST_F(EspModemTest, DoesNotNoticeWhatHappensBehindTheAccessPoint) {
  say("AT+SYSMSG=4\r\n");
  pass_through();
  EXPECT_EQ(heard([&] { modem_.set_carrier(false); }), "");
  EXPECT_EQ(say("into the void"), "");
  EXPECT_EQ(heard([&] { modem_.set_carrier(true); }), "CLOSED\r\n");
}

TEST_F(EspModemTest, SendsInPieces) {
  dial();
  EXPECT_EQ(say("AT+CIPSEND=6\r\n"), "\r\nOK\r\n\r\n>");
  EXPECT_EQ(receive("in"), "");
  EXPECT_EQ(say("AT\r\nOK"), "\r\nRecv 6 bytes\r\n\r\nSEND OK\r\n\r\n+IPD,2:in");
  EXPECT_EQ(outside_.sent, "AT\r\nOK");
  EXPECT_EQ(say("AT+CIPSEND\r\n"), "\r\nERROR\r\n") << "AT+CIPMODE=0";
  EXPECT_EQ(say("AT+CIPSEND=8193\r\n"), "\r\nERROR\r\n");
}

TEST_F(EspModemTest, AnnouncesALongPushInPieces) {
  dial();
  const std::string uart = receive(std::string(2921, 'x'));
  EXPECT_NE(uart.find("+IPD,2920:"), std::string::npos);
  EXPECT_TRUE(uart.ends_with("+IPD,1:x"));
}

TEST_F(EspModemTest, ForgetsEverythingWhenPowerComesBack) {
  pass_through();
  outside_.sent.clear();
  modem_.power_on();
  EXPECT_TRUE(outside_.calls.ends_with("disconnect;"));
  EXPECT_EQ(say("AT\r\n"), "AT\r\n\r\nOK\r\n");
  EXPECT_EQ(outside_.sent, "");
}

TEST_F(EspModemTest, RestartsWhenItIsToldTo) {
  pass_through();
  say("+++");
  pause();
  EXPECT_EQ(say("AT+RST\r\n"), "\r\nOK\r\n\r\nready\r\n");
}

TEST_F(EspModemTest, RefusesWhatIsNoCommand) {
  EXPECT_EQ(say("+++AT\r\n"), "\r\nERROR\r\n");
  EXPECT_EQ(say(std::string(100'000, 'A') + "\r\n"), "\r\nERROR\r\n");
  say("AT+SYSLOG=1\r\n");
  EXPECT_EQ(say("AT+NOSUCH=1\r\n"), "\r\nERR CODE:0x01090000\r\n\r\nERROR\r\n");
}

}  // namespace
}  // namespace mv::emulator
