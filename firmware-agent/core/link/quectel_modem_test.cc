#include "core/link/quectel_modem.h"

#include <string>

#include <gtest/gtest.h>

#include "boards/host/fakes.h"
#include "core/link/test_modem.h"

namespace mv::link {
namespace {

using State = Modem::State;
using host::FakeClock;
using test::TestModem;

constexpr std::uint64_t kSecond = 1'000'000;

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

class QuectelModemTest : public testing::Test {
 protected:
  QuectelModemTest() {
    chip.on_data = [this](std::span<const std::uint8_t> bytes) { sent.append(bytes.begin(), bytes.end()); };
  }

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
    settle();
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

  FakeClock clock;
  TestModem chip;
  QuectelModem modem{chip, clock};
  std::string sent;
};

TEST_F(QuectelModemTest, SaysNothingBeforeItIsAskedToConnect) {
  pass(600 * kSecond);
  EXPECT_TRUE(chip.commands.empty());
}

TEST_F(QuectelModemTest, StartsTheModemAndDials) {
  std::string dialled;
  chip.on_dial = [&](const std::string& host, int port) {
    dialled = host + ":" + std::to_string(port);
    return 0;
  };
  open();
  EXPECT_EQ(dialled, "cloud.test:8443");
  EXPECT_EQ(modem.signal(), 23);
  EXPECT_EQ(chip.commands, (std::vector<std::string>{"AT", "ATE0", "AT+QICLOSE=0", "AT+CSQ", "AT+CEREG?",
                                                     "AT+QICSGP=1,1,\"\",\"\",\"\",0", "AT+QIACT=1",
                                                     "AT+QIOPEN=1,0,\"TCP\",\"cloud.test\",8443,0,1"}));
}

TEST_F(QuectelModemTest, CarriesAnyBytesBothWays) {
  open();
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  all += "\r\nOK\r\n> \r\nRDY\r\n+QIURC: \"closed\",0\r\n";
  EXPECT_EQ(modem.write(as_bytes(all)), all.size());
  settle();
  EXPECT_EQ(sent, all);
  chip.push(as_bytes(all));
  EXPECT_EQ(read(), all);
  EXPECT_EQ(modem.state(), State::kOpen);
}

TEST_F(QuectelModemTest, WorksOneByteAtATime) {
  chip.grain = 1;
  chip.push_size = 3;
  open();
  EXPECT_EQ(modem.write(as_bytes("hello")), 5U);
  settle();
  EXPECT_EQ(sent, "hello");
  chip.push(as_bytes("good morning"));
  EXPECT_EQ(read(), "good morning");
}

TEST_F(QuectelModemTest, GathersWhatIsWrittenBeforeItSends) {
  open();
  modem.write(as_bytes("one "));
  modem.write(as_bytes("two"));
  settle();
  EXPECT_EQ(chip.count("AT+QISEND=0,7"), 1);
}

TEST_F(QuectelModemTest, TakesNoMoreThanOneSendHolds) {
  open();
  const std::string big(4000, 'x');
  EXPECT_EQ(modem.write(as_bytes(big)), Modem::kMaxPush);
  EXPECT_EQ(modem.write(as_bytes(big)), 0U);
  settle();
  EXPECT_EQ(sent.size(), Modem::kMaxPush);
  EXPECT_EQ(modem.unsent(), 0U);
}

TEST_F(QuectelModemTest, ReceivesBetweenACommandAndItsAnswer) {
  open();
  chip.mute_command = "AT+QISEND=0,2";
  modem.write(as_bytes("up"));
  settle();
  chip.push(as_bytes("down"));
  EXPECT_EQ(read(), "down");
  EXPECT_EQ(modem.state(), State::kOpen);
}

TEST_F(QuectelModemTest, RepeatsTheSameBytesAfterSendFail) {
  open();
  chip.send_fails = 2;
  modem.write(as_bytes("again"));
  settle();
  EXPECT_EQ(sent, "");
  pass(kSecond);
  EXPECT_EQ(sent, "again");
  EXPECT_EQ(chip.count("AT+QISEND=0,5"), 3);
}

TEST_F(QuectelModemTest, EndsWhenTheConnectionIsClosedAfterReadingWhatCameBefore) {
  open();
  chip.push(as_bytes("last words"));
  chip.drop_carrier();
  EXPECT_EQ(read(), "last words");
  EXPECT_EQ(modem.state(), State::kEnded);
  EXPECT_TRUE(modem.ended());
  EXPECT_EQ(modem.error(), "the connection was closed");
}

TEST_F(QuectelModemTest, ConnectsAgainWithoutStartingTheModemAnew) {
  open();
  chip.drop_carrier();
  settle();
  chip.commands.clear();
  open();
  EXPECT_EQ(chip.commands, std::vector<std::string>{"AT+QIOPEN=1,0,\"TCP\",\"cloud.test\",8443,0,1"});
}

TEST_F(QuectelModemTest, RegistersAgainAfterTheNetworkTookTheContextAway) {
  open();
  chip.deactivate();
  settle();
  EXPECT_EQ(modem.state(), State::kEnded);
  chip.commands.clear();
  open();
  EXPECT_EQ(chip.count("AT+CEREG?"), 1);
  EXPECT_EQ(chip.count("AT+QIACT=1"), 1);
}

TEST_F(QuectelModemTest, StartsAnewAfterTheModemHasRestarted) {
  open();
  chip.commands.clear();
  chip.restart();
  settle();
  EXPECT_EQ(modem.state(), State::kEnded);
  open();
  EXPECT_EQ(chip.count("ATE0"), 1);
}

TEST_F(QuectelModemTest, ConnectsThoughTheModemRestartsMeanwhile) {
  chip.mute_command = "AT+CEREG?";
  modem.connect("cloud.test", 8443);
  settle();
  chip.mute_command = "";
  chip.restart();
  settle();
  EXPECT_EQ(modem.state(), State::kOpen) << modem.error();
}

TEST_F(QuectelModemTest, WaitsForRegistrationAndThenGivesUp) {
  chip.registration = "0,2";
  modem.connect("cloud.test", 8443);
  pass(59 * kSecond);
  EXPECT_EQ(modem.state(), State::kConnecting);
  EXPECT_GT(chip.count("AT+CEREG?"), 50);
  pass(2 * kSecond);
  EXPECT_EQ(modem.state(), State::kFailed);
  chip.registration = "0,5";
  open();
}

TEST_F(QuectelModemTest, SaysWhyItCouldNotDial) {
  chip.on_dial = [](const std::string&, int) { return 565; };
  modem.connect("cloud.test", 8443);
  settle();
  EXPECT_EQ(modem.state(), State::kFailed);
  EXPECT_EQ(modem.error(), "the modem cannot resolve the cloud's host name: check it, and the network's DNS");
}

TEST_F(QuectelModemTest, GivesUpWhenTheDialIsNeverAnswered) {
  chip.dial_answers = false;
  modem.connect("cloud.test", 8443);
  pass(149 * kSecond);
  EXPECT_EQ(modem.state(), State::kConnecting);
  pass(2 * kSecond);
  EXPECT_EQ(modem.state(), State::kFailed);
  EXPECT_EQ(chip.count("AT+QICLOSE=0"), 2);
}

TEST_F(QuectelModemTest, ReportsAnAbsentModemAndFindsItLater) {
  chip.mute = true;
  modem.connect("cloud.test", 8443);
  pass(4 * kSecond);
  EXPECT_EQ(modem.state(), State::kFailed);
  EXPECT_EQ(modem.error(), "the modem does not answer: check its power and its wires");
  chip.mute = false;
  modem.connect("cloud.test", 8443);
  pass(2 * kSecond);
  EXPECT_EQ(modem.state(), State::kOpen) << modem.error();
}

TEST_F(QuectelModemTest, ResynchronisesWhenASendIsNeverAnswered) {
  open();
  chip.send_lost = true;
  modem.write(as_bytes("lost"));
  pass(14 * kSecond);
  EXPECT_EQ(modem.state(), State::kOpen);
  pass(2 * kSecond);
  EXPECT_EQ(modem.state(), State::kEnded);
  chip.send_lost = false;
  open();
  modem.write(as_bytes("found"));
  settle();
  EXPECT_EQ(sent, "found");
}

TEST_F(QuectelModemTest, TakesSendErrorForALostConnection) {
  open();
  chip.open = false;
  modem.write(as_bytes("x"));
  settle();
  EXPECT_EQ(modem.state(), State::kEnded);
}

TEST_F(QuectelModemTest, ResynchronisesWhenAnnouncedDataNeverComes) {
  open();
  chip.say("+QIURC: \"recv\",0,100");
  EXPECT_EQ(read(), "");
  pass(6 * kSecond);
  EXPECT_EQ(read(), "");
  EXPECT_EQ(modem.state(), State::kEnded);
  pass(kSecond);
  open();
}

TEST_F(QuectelModemTest, RefusesAnAnnouncementThatCannotBe) {
  for (const char* line : {"+QIURC: \"recv\",0,1461", "+QIURC: \"recv\",0,4294967296", "+QIURC: \"recv\",0,12x"}) {
    open();
    chip.say(line);
    settle();
    EXPECT_EQ(modem.state(), State::kEnded) << line;
    pass(kSecond);
  }
}

TEST_F(QuectelModemTest, GoesOnAfterGarbageAndLinesWithoutEnd) {
  open();
  chip.inject(std::string(5000, '\xFE') + "\r\n+QIURC: \"what\",7\r\nSEND OK\r\nOK\r\n" + std::string(999, 'A') +
              "\r\n");
  settle();
  modem.write(as_bytes("fine"));
  settle();
  EXPECT_EQ(sent, "fine");
  EXPECT_EQ(modem.state(), State::kOpen);
}

TEST_F(QuectelModemTest, ClosesTheConnectionWhenAskedTo) {
  open();
  modem.disconnect();
  settle();
  EXPECT_FALSE(chip.open);
  EXPECT_EQ(modem.state(), State::kIdle);
  EXPECT_EQ(modem.next_deadline_us(), Modem::kNever);
}

TEST_F(QuectelModemTest, ThrowsAwayWhatCameBeforeItWasAskedToClose) {
  open();
  chip.push(as_bytes("of the old connection"));
  settle();
  modem.connect("cloud.test", 8443);
  settle();
  ASSERT_EQ(modem.state(), State::kOpen);
  EXPECT_EQ(read(), "");
}

TEST_F(QuectelModemTest, RefusesAHostThatDoesNotFitTheCommand) {
  for (const std::string& host : {std::string(), std::string(65, 'h'), std::string("a\"b"), std::string("a b")}) {
    modem.connect(host, 1);
    EXPECT_EQ(modem.state(), State::kFailed) << host;
  }
  modem.connect(std::string(64, 'h'), 65535);
  settle();
  EXPECT_EQ(modem.state(), State::kOpen);
}

// The device was reset in the middle of a send, the modem was not: it takes what comes for the rest of the bytes.
TEST_F(QuectelModemTest, FindsAModemThatStillWaitsForTheBytesOfASendOfBefore) {
  for (const std::size_t missing : {std::size_t{1}, std::size_t{2}, std::size_t{700}, Modem::kMaxPush}) {
    TestModem kept;
    kept.grain = 1;
    std::string heard;
    kept.on_data = [&](std::span<const std::uint8_t> bytes) { heard.append(bytes.begin(), bytes.end()); };
    QuectelModem before(kept, clock);
    before.connect("cloud.test", 8443);
    for (int i = 0; i < 20'000 && before.state() != State::kOpen; ++i) before.poll();
    before.write(as_bytes(std::string(Modem::kMaxPush, 'x')));
    while (kept.raw_wanted() == 0 || kept.raw_wanted() > missing) ASSERT_TRUE(before.poll());

    kept.grain = 4096;
    QuectelModem after(kept, clock);
    after.connect("cloud.test", 8443);
    for (int i = 0; i < 20'000 && after.state() == State::kConnecting; ++i) {
      if (!after.poll()) clock.now_us = std::max(clock.now_us, after.next_deadline_us());
    }
    ASSERT_EQ(after.state(), State::kOpen) << missing << " bytes missing: " << after.error();
    heard.clear();
    after.write(as_bytes("alive"));
    for (int i = 0; i < 500; ++i) after.poll();
    EXPECT_EQ(heard, "alive") << missing << " bytes missing";
  }
}

TEST_F(QuectelModemTest, SurvivesACutAfterAnyByteOfTheConversation) {
  for (std::size_t cut = 0; cut < 600; ++cut) {
    TestModem noisy;
    FakeClock time;
    QuectelModem driver(noisy, time);
    driver.connect("cloud.test", 8443);
    // One byte at a time; after `cut` steps the modem restarts in the middle of whatever it was doing.
    noisy.grain = 1;
    for (std::size_t i = 0; i < cut; ++i) {
      driver.poll();
      driver.write(as_bytes("in the middle of a send"));
    }
    noisy.restart();
    for (int i = 0; i < 20'000; ++i) {
      if (driver.poll()) continue;
      if (driver.state() == State::kOpen && noisy.open) break;
      if (driver.state() == State::kFailed || driver.state() == State::kEnded) driver.connect("cloud.test", 8443);
      if (driver.next_deadline_us() != Modem::kNever) time.now_us = std::max(time.now_us, driver.next_deadline_us());
    }
    ASSERT_EQ(driver.state(), State::kOpen) << "cut after step " << cut;
    driver.write(as_bytes("alive"));
    std::string heard;
    noisy.on_data = [&](std::span<const std::uint8_t> bytes) { heard.append(bytes.begin(), bytes.end()); };
    for (int i = 0; i < 500; ++i) driver.poll();
    ASSERT_EQ(heard, "alive") << "cut after step " << cut;
  }
}

TEST_F(QuectelModemTest, TakesACallWhenNobodyWantsToConnect) {
  chip.restart();
  chip.call();
  settle();
  ASSERT_TRUE(modem.ringing());
  modem.take_call();
  EXPECT_FALSE(modem.ringing());
  ASSERT_EQ(modem.state(), State::kOpen);
  modem.write(as_bytes("hello"));
  settle();
  chip.push(as_bytes("who is there?"));
  EXPECT_EQ(read(), "who is there?");
  EXPECT_EQ(sent, "hello");
  EXPECT_EQ(chip.count("AT+QICLOSE=0"), 0);
  modem.disconnect();
  pass(kSecond);
  EXPECT_FALSE(chip.open);
}

TEST_F(QuectelModemTest, TakesACallThatCutsADialling) {
  chip.dial_answers = false;
  modem.connect("cloud.test", 8443);
  settle();
  chip.call();
  settle();
  ASSERT_TRUE(modem.ringing());
  modem.take_call();
  chip.say("+QIOPEN: 0,563");
  settle();
  EXPECT_EQ(modem.state(), State::kOpen);
  modem.write(as_bytes("hello"));
  settle();
  EXPECT_EQ(sent, "hello");
}

TEST_F(QuectelModemTest, ForgetsACallerWhoHangsUpOrARestart) {
  chip.restart();
  chip.call();
  settle();
  chip.drop_carrier();
  settle();
  EXPECT_FALSE(modem.ringing());
  chip.call();
  settle();
  chip.restart();
  settle();
  EXPECT_FALSE(modem.ringing());
}

TEST_F(QuectelModemTest, LeavesACallAloneThatItsOwnCloseMayReach) {
  open();
  chip.mute_command = "AT+QICLOSE=0";
  modem.disconnect();
  settle();
  chip.call();
  settle();
  EXPECT_FALSE(modem.ringing());
  chip.mute_command = "";
  chip.say("OK");
  chip.call();
  settle();
  EXPECT_TRUE(modem.ringing());
}

TEST_F(QuectelModemTest, EndsTheConnectionOfBeforeWhenSomebodyElseCalls) {
  open();
  chip.call();
  settle();
  EXPECT_EQ(modem.state(), State::kEnded);
  EXPECT_TRUE(modem.ringing());
}

TEST(QuectelModemRobustness, IsReachedByACallAfterAStartAtEveryMoment) {
  for (std::size_t cut = 1; cut < 400; cut += 3) {
    FakeClock time;
    TestModem noisy;
    QuectelModem driver(noisy, time);
    driver.connect("cloud.test", 8443);
    noisy.grain = 1;
    for (std::size_t i = 0; i < cut; ++i) {
      driver.poll();
      driver.write(as_bytes("in the middle of a send"));
    }
    noisy.restart();
    std::string heard;
    noisy.on_data = [&](std::span<const std::uint8_t> bytes) { heard.append(bytes.begin(), bytes.end()); };
    // The caller tries once a second.
    for (int second = 0; second < 5 && heard.empty(); ++second) {
      noisy.call();
      for (int i = 0; i < 2'000; ++i) {
        driver.poll();
        if (!driver.ringing()) continue;
        driver.take_call();
        driver.write(as_bytes("alive"));
      }
      time.now_us += kSecond;
    }
    ASSERT_EQ(heard, "alive") << "cut after step " << cut;
  }
}

}  // namespace
}  // namespace mv::link
