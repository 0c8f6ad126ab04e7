#include "emulator/quectel_modem.h"

#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace mv::emulator {
namespace {

struct Outside final : ModemOutside {
  std::string uart;
  std::string sent;
  std::string calls;
  bool buffer_full = false;

  void to_uart(std::string_view bytes) override { uart.append(bytes); }
  void connect(const std::string& host, std::uint16_t port) override {
    calls += "connect " + host + ":" + std::to_string(port) + ";";
  }
  bool transmit(std::span<const std::uint8_t> bytes) override {
    if (!buffer_full) sent.append(bytes.begin(), bytes.end());
    return !buffer_full;
  }
  void disconnect() override { calls += "disconnect;"; }
  void set_timer(Timer, std::chrono::milliseconds) override {}
};

class QuectelModemTest : public testing::Test {
 protected:
  // What the modem says to `input`.
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

  void receive(std::string_view bytes) {
    modem_.from_network({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  }

  void open() {
    modem_.power_on();
    say("ATE0\r");
    say("AT+QIACT=1\r");
    say("AT+QIOPEN=1,0,\"TCP\",\"cloud\",8443,0,1\r");
    modem_.connected();
  }

  Outside outside_;
  QuectelModem modem_{outside_};
};

TEST_F(QuectelModemTest, EchoesUntilItIsToldNotTo) {
  EXPECT_EQ(heard([&] { modem_.power_on(); }), "\r\nRDY\r\n");
  EXPECT_EQ(say("AT\r"), "AT\r\r\nOK\r\n");
  EXPECT_EQ(say("ATE0\r"), "ATE0\r\r\nOK\r\n");
  EXPECT_EQ(say("AT\r"), "\r\nOK\r\n");
}

TEST_F(QuectelModemTest, OpensAConnectionThroughAnActiveContext) {
  modem_.power_on();
  say("ATE0\r");
  EXPECT_EQ(say("AT+CEREG?\r"), "\r\n+CEREG: 0,1\r\n\r\nOK\r\n");
  EXPECT_EQ(say("AT+QICSGP=1,1,\"\",\"\",\"\",0\r"), "\r\nOK\r\n");
  EXPECT_EQ(say("AT+QIACT=1\r"), "\r\nOK\r\n");
  EXPECT_EQ(say("AT+QIOPEN=1,0,\"TCP\",\"cloud\",8443,0,1\r"), "\r\nOK\r\n");
  EXPECT_EQ(outside_.calls, "connect cloud:8443;");
  EXPECT_EQ(heard([&] { modem_.connected(); }), "\r\n+QIOPEN: 0,0\r\n");
}

TEST_F(QuectelModemTest, SaysWhyAConnectionCannotBeOpened) {
  modem_.power_on();
  say("ATE0\r");
  EXPECT_EQ(say("AT+QIOPEN=1,0,\"TCP\",\"cloud\",8443,0,1\r"), "\r\nOK\r\n\r\n+QIOPEN: 0,561\r\n");
  say("AT+QIACT=1\r");
  say("AT+QIOPEN=1,0,\"TCP\",\"cloud\",8443,0,1\r");
  EXPECT_EQ(say("AT+QIOPEN=1,0,\"TCP\",\"cloud\",8443,0,1\r"), "\r\nOK\r\n\r\n+QIOPEN: 0,563\r\n");
  EXPECT_EQ(heard([&] { modem_.connect_failed(ConnectError::kNoSuchHost); }), "\r\n+QIOPEN: 0,565\r\n");
  say("AT+QIOPEN=1,0,\"TCP\",\"cloud\",8443,0,1\r");
  EXPECT_EQ(heard([&] { modem_.connect_failed(ConnectError::kRefused); }), "\r\n+QIOPEN: 0,566\r\n");
  EXPECT_EQ(say("AT+QIOPEN=1,0,\"TCP\",\"cloud\",84430,0,1\r"), "\r\nERROR\r\n");
  EXPECT_EQ(say("AT+QIOPEN=1,0,\"TCP\",\"cloud\",8443,0,0\r"), "\r\nERROR\r\n");
}

TEST_F(QuectelModemTest, SendsExactlyTheAnnouncedBytesWhateverTheyAre) {
  open();
  EXPECT_EQ(say("AT+QISEND=0,6\r"), "\r\n> ");
  EXPECT_EQ(say("AT\r"), "");
  EXPECT_EQ(say("OK\nAT\r"), "\r\nSEND OK\r\n\r\nOK\r\n");
  EXPECT_EQ(outside_.sent, "AT\rOK\n");
}

TEST_F(QuectelModemTest, AnswersSendFailWhenItsBufferIsFull) {
  open();
  outside_.buffer_full = true;
  say("AT+QISEND=0,2\r");
  EXPECT_EQ(say("xy"), "\r\nSEND FAIL\r\n");
}

TEST_F(QuectelModemTest, RefusesASendThatIsTooLongOrHasNoConnection) {
  open();
  EXPECT_EQ(say("AT+QISEND=0,1461\r"), "\r\nERROR\r\n");
  EXPECT_EQ(say("AT+QISEND=0,0\r"), "\r\nERROR\r\n");
  modem_.closed_by_peer();
  EXPECT_EQ(say("AT+QISEND=0,1\r"), "\r\nERROR\r\n");
}

TEST_F(QuectelModemTest, PushesWhatArrivesWithItsLength) {
  open();
  EXPECT_EQ(heard([&] { receive("a\r\nb"); }), "\r\n+QIURC: \"recv\",0,4\r\na\r\nb");
}

TEST_F(QuectelModemTest, SplitsALongPush) {
  open();
  const std::string uart = heard([&] { receive(std::string(1461, 'x')); });
  EXPECT_NE(uart.find("\"recv\",0,1460\r\n"), std::string::npos);
  EXPECT_TRUE(uart.ends_with("\"recv\",0,1\r\nx"));
}

TEST_F(QuectelModemTest, HoldsReportsBackBetweenPromptAndSendOk) {
  open();
  say("AT+QISEND=0,2\r");
  EXPECT_EQ(heard([&] { receive("in"); }), "");
  EXPECT_EQ(say("xy"), "\r\nSEND OK\r\n\r\n+QIURC: \"recv\",0,2\r\nin");
}

TEST_F(QuectelModemTest, AnswersErrorWhenTheConnectionClosesDuringASend) {
  open();
  say("AT+QISEND=0,2\r");
  modem_.closed_by_peer();
  EXPECT_EQ(say("xy"), "\r\nERROR\r\n\r\n+QIURC: \"closed\",0\r\n");
}

TEST_F(QuectelModemTest, LosesContextAndConnectionWithTheCarrier) {
  open();
  EXPECT_EQ(heard([&] { modem_.set_carrier(false); }), "\r\n+QIURC: \"pdpdeact\",1\r\n");
  EXPECT_TRUE(outside_.calls.ends_with("disconnect;"));
  EXPECT_EQ(say("AT+CEREG?\r"), "\r\n+CEREG: 0,2\r\n\r\nOK\r\n");
  EXPECT_EQ(say("AT+QIACT=1\r"), "\r\nERROR\r\n");
  modem_.set_carrier(true);
  EXPECT_EQ(say("AT+QIACT=1\r"), "\r\nOK\r\n");
}

TEST_F(QuectelModemTest, ClosesOnRequestAndWhenNothingIsOpen) {
  open();
  EXPECT_EQ(say("AT+QICLOSE=0\r"), "\r\nOK\r\n");
  EXPECT_TRUE(outside_.calls.ends_with("disconnect;"));
  EXPECT_EQ(say("AT+QICLOSE=0\r"), "\r\nOK\r\n");
}

TEST_F(QuectelModemTest, ForgetsEverythingWhenPowerComesBack) {
  open();
  modem_.power_on();
  EXPECT_EQ(say("AT\r"), "AT\r\r\nOK\r\n");
  EXPECT_TRUE(say("AT+QISEND=0,1\r").ends_with("\r\nERROR\r\n"));
}

// Byte by byte through a conversation that visits every state: bytes of a send that power cut short, most of all.
TEST_F(QuectelModemTest, BeginsAfreshAtWhateverBytePowerWasCut) {
  const std::string before =
      "ATE0\rAT+QIACT=1\rAT+QIOPEN=1,0,\"TCP\",\"cloud\",8443,0,1\rAT+QISEND=0,20\r0123456789abcdefghij";
  for (std::size_t cut = 0; cut <= before.size(); ++cut) {
    modem_.power_on();
    outside_.calls.clear();
    for (std::size_t at = 0; at < cut; ++at) {
      say(before.substr(at, 1));
      if (std::exchange(outside_.calls, {}) == "connect cloud:8443;") modem_.connected();
    }
    outside_.sent.clear();
    open();
    EXPECT_EQ(say("AT+QISEND=0,5\r"), "\r\n> ") << "cut after " << cut << " bytes";
    EXPECT_EQ(say("hello"), "\r\nSEND OK\r\n") << "cut after " << cut << " bytes";
    EXPECT_EQ(outside_.sent, "hello") << "cut after " << cut << " bytes";
  }
}

TEST_F(QuectelModemTest, AnswersAnEndlessLineOnce) {
  modem_.power_on();
  say("ATE0\r");
  EXPECT_EQ(say(std::string(100'000, 'A') + "\r"), "\r\nERROR\r\n");
  EXPECT_EQ(say("AT\r"), "\r\nOK\r\n");
}

TEST_F(QuectelModemTest, FindsTheCommandBehindNoise) {
  modem_.power_on();
  say("ATE0\r");
  EXPECT_EQ(say("\x80garbageAT\r"), "\r\nOK\r\n");
}

TEST_F(QuectelModemTest, AnnouncesACallerUntilTheDeviceAnswers) {
  modem_.power_on();
  say("ATE0\r");
  const std::string announced = "\r\n+QIURC: \"incoming\",0,1,\"192.0.2.1\",5000\r\n";
  EXPECT_EQ(heard([&] { modem_.call(); }), announced);
  EXPECT_EQ(heard([&] { modem_.call(); }), announced);
  EXPECT_EQ(outside_.calls, "");
  say("AT+QISEND=0,5\r");
  EXPECT_EQ(say("hello"), "\r\nSEND OK\r\n");
  EXPECT_EQ(outside_.sent, "hello");
  EXPECT_EQ(heard([&] { receive("hi"); }), "\r\n+QIURC: \"recv\",0,2\r\nhi");
  EXPECT_EQ(heard([&] { modem_.closed_by_peer(); }), "\r\n+QIURC: \"closed\",0\r\n");
}

TEST_F(QuectelModemTest, ACallTakesThePlaceOfTheDevicesConnection) {
  open();
  outside_.calls.clear();
  modem_.call();
  EXPECT_EQ(outside_.calls, "disconnect;");
  EXPECT_EQ(say("AT+QIOPEN=1,0,\"TCP\",\"cloud\",8443,0,1\r"), "\r\nOK\r\n\r\n+QIOPEN: 0,563\r\n");
  outside_.calls.clear();
  say("AT+QICLOSE=0\r");
  EXPECT_EQ(outside_.calls, "disconnect;");  // the device hangs up
}

}  // namespace
}  // namespace mv::emulator
