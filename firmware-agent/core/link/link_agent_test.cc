// The life of a connection: modem, TLS, greeting, loss and return.
#include "core/link/link_agent.h"

#include "core/link/link_fixture.h"
#include "core/link/timing.h"

namespace mv::test {
namespace {

using State = link::LinkAgent::State;

TEST_F(LinkTest, ConnectsSaysHelloAndTakesTheWelcome) {
  connect();
  ASSERT_EQ(cloud.hellos.size(), 1U);
  const auto& hello = cloud.hellos[0];
  EXPECT_EQ(hello.protocol(), 1U);
  EXPECT_EQ(hello.device_id(), "UV0123456789abcdef0123456789abcdef");
  EXPECT_EQ(hello.board(), "host");
  EXPECT_EQ(hello.boot_id(), 42U);
  EXPECT_EQ(hello.wake_reason(), wire::WAKE_KERNEL_CRASH);
  EXPECT_EQ(hello.boot_detail(), "microvisor restarted after a Secure fault at pc 0x10012346");
  EXPECT_EQ(hello.log_lost(), 7U);
  EXPECT_TRUE(hello.has_app());
  EXPECT_EQ(hello.resources().tls_pool_size(), tls::kPoolSize);
  EXPECT_GT(hello.resources().tls_pool_high_water(), 6000U);
  EXPECT_EQ(hello.resources().tls_stack_size(), 6144U);
  EXPECT_EQ(wall_clock.wall, 1'700'000'000'000'000U);
  EXPECT_EQ(agent->epoch(), 1U);
  EXPECT_EQ(observer.changes, std::vector<bool>{true});
}

TEST_F(LinkTest, WorksOneByteAtATime) {
  modem.grain = 1;
  modem.push_size = 7;
  connect();
}

TEST_F(LinkTest, ConnectsAgainAfterTheCarrierWasLost) {
  connect();
  modem.drop_carrier();
  settle();
  EXPECT_FALSE(agent->connected());
  EXPECT_EQ(agent->last_error(), "the connection was closed");
  pass(2 * kSecond);
  EXPECT_TRUE(agent->connected());
  EXPECT_EQ(cloud.connections, 2);
  EXPECT_EQ(observer.changes, (std::vector<bool>{true, false, true}));
}

TEST_F(LinkTest, BacksOffWhileTheCloudCannotBeReached) {
  cloud.dial_error = 566;
  pass(60 * kSecond);
  const auto in_a_minute = agent->counters().attempts;
  EXPECT_GE(in_a_minute, 6U);  // 1, 2, 4, 8, 16, 32 seconds in full
  EXPECT_LE(in_a_minute, 9U);  // or half of each
  pass(3600 * kSecond);
  EXPECT_LE(agent->counters().attempts, in_a_minute + 30);
  EXPECT_EQ(agent->last_error(), "the modem cannot connect to the cloud: is mvcloud running, and its port reachable?");
  cloud.dial_error = 0;
  pass(301 * kSecond);
  EXPECT_TRUE(agent->connected());
}

TEST_F(LinkTest, ForgetsTheBackOffAfterAStableConnectionOnly) {
  cloud.dial_error = 566;
  pass(600 * kSecond);
  cloud.dial_error = 0;
  pass(301 * kSecond);
  ASSERT_TRUE(agent->connected());
  pass(link::timing::kStable);
  modem.drop_carrier();
  pass(2 * kSecond);
  EXPECT_TRUE(agent->connected());
  modem.drop_carrier();  // not stable yet: the second wait is a longer one
  pass(kSecond * 9 / 10);
  EXPECT_FALSE(agent->connected());
  pass(2 * kSecond);
  EXPECT_TRUE(agent->connected());
}

TEST_F(LinkTest, ResumesTlsWhenItComesBack) {
  connect();
  for (int i = 1; i <= 5; ++i) {
    modem.drop_carrier();
    pass(300 * kSecond);
    ASSERT_TRUE(agent->connected());
    EXPECT_EQ(cloud.resumed, i);
  }
  EXPECT_EQ(agent->counters().resumed, 5U);
}

TEST_F(LinkTest, ResumesTlsAfterAReboot) {
  connect();
  modem.restart();
  reboot();
  connect();
  EXPECT_EQ(cloud.resumed, 1);
}

TEST_F(LinkTest, MakesAFullHandshakeIfTheKeptSessionIsDamaged) {
  connect();
  modem.restart();
  for (std::uint32_t i = 0; i < 4096; i += 7) flash.flip_bit(flash_map::kTlsSession.offset + 16 + i, 3);
  reboot();
  connect();
  EXPECT_EQ(cloud.resumed, 0);
}

TEST_F(LinkTest, SurvivesACutAtEveryMomentOfTheConversation) {
  for (int cut = 1; cut < 300; cut += cut < 60 ? 1 : 7) {
    for (int i = 0; i < cut; ++i) agent->poll();
    modem.open ? modem.drop_carrier() : modem.restart();
    pass(301 * kSecond);
    ASSERT_TRUE(agent->connected()) << "cut after step " << cut << ": " << agent->last_error();
    ASSERT_EQ(cloud.broken, "") << "cut after step " << cut;
    modem.drop_carrier();
    settle();
    pass(300 * kSecond);
    modem.drop_carrier();
    settle();
    clock.now_us = agent->next_deadline_us();
  }
}

TEST_F(LinkTest, ClosesWhenTheCloudDoesNotGreet) {
  cloud.welcomes = false;
  pass(61 * kSecond);
  EXPECT_EQ(agent->last_error(), "the cloud did not say Welcome in time");
  cloud.welcomes = true;
  pass(70 * kSecond);
  EXPECT_TRUE(agent->connected());
}

TEST_F(LinkTest, StaysAwayAsLongAsARefusalAsks) {
  cloud.welcomes = false;
  settle();
  wire::CloudControl message;
  message.mutable_refusal()->set_detail("this cloud does not know the device");
  message.mutable_refusal()->set_retry_after_ms(120'000);
  cloud.send(message);
  settle();
  EXPECT_EQ(agent->last_error(), "this cloud does not know the device");
  cloud.welcomes = true;
  pass(119 * kSecond);
  EXPECT_EQ(cloud.connections, 1);
  pass(2 * kSecond);
  EXPECT_TRUE(agent->connected());
}

TEST_F(LinkTest, BringsAChangeOfKeysAndTheAnswer) {
  connect();
  EXPECT_EQ(cloud.hellos.back().keys().threshold(), 0U);
  wire::CloudControl message;
  message.set_key_change(std::string(1100, 'k'));
  cloud.send(message);
  settle();
  ASSERT_EQ(update.key_changes, std::vector<std::string>{message.key_change()});
  ASSERT_EQ(cloud.keys.size(), 1U);
  EXPECT_EQ(cloud.keys[0].threshold(), 1U);
  EXPECT_TRUE(agent->connected());
}

TEST_F(LinkTest, ComesBackWhenTheCloudClosesTheLinkOrTls) {
  connect();
  cloud.close_link(frame::CloseReason::kShuttingDown);
  settle();
  EXPECT_EQ(agent->last_error(), "the cloud is shutting down");
  pass(10 * kSecond);
  ASSERT_TRUE(agent->connected());
  cloud.close_tls();
  settle();
  EXPECT_EQ(agent->last_error(), "the cloud closed the connection");
  pass(10 * kSecond);
  EXPECT_TRUE(agent->connected());
}

TEST_F(LinkTest, RefusesACloudWithAForeignCertificateAndKeepsTrying) {
  const Credentials other_ca = make_credentials("test CA");
  const Credentials other = make_credentials("cloud.test", &other_ca);
  const OpenSslContext forged({.own = &other, .ca = &link_cast().ca});
  TestCloud impostor(modem, forged);
  pass(30 * kSecond);
  EXPECT_TRUE(impostor.hellos.empty());
  EXPECT_EQ(agent->last_error(), "the server's certificate is not signed by the known CA");
  EXPECT_GT(agent->counters().attempts, 3U);
}

TEST_F(LinkTest, PingsAfterTheKeepAliveIntervalAndNoticesASilentCloud) {
  connect();
  pass(57 * kSecond);
  const int before = cloud.pings;
  pass(4 * kSecond);
  EXPECT_EQ(cloud.pings, before + 1);
  cloud.answers_pings = false;
  pass(145 * kSecond);
  EXPECT_EQ(cloud.connections, 2);
}

TEST_F(LinkTest, LearnsALongerKeepAliveAndTellsTheCloudBeforeItIsSilentForSoLong) {
  connect();
  EXPECT_TRUE(cloud.keep_alives.empty());  // nothing but what the cloud asks for
  pass(61 * kSecond);
  ASSERT_EQ(cloud.keep_alives.size(), 1U);
  EXPECT_EQ(cloud.keep_alives[0].learned_ms(), 60'000U);
  EXPECT_EQ(cloud.keep_alives[0].interval_ms(), 120'000U);
  const int before = cloud.pings;
  pass(24 * 3600 * kSecond);
  EXPECT_EQ(cloud.connections, 1);
  EXPECT_EQ(cloud.keep_alives.back().learned_ms(), link::timing::kLongestLearned / 1000);
  EXPECT_LT(cloud.pings - before, 60);
}

TEST_F(LinkTest, TakesAShorterKeepAliveAfterASilenceThatTheNetworkDidNotBear) {
  connect();
  pass(61 * kSecond);
  cloud.answers_pings = false;  // for the PING after 120 s
  pass(145 * kSecond);
  cloud.answers_pings = true;
  ASSERT_EQ(cloud.connections, 2);
  EXPECT_EQ(cloud.keep_alives.back().learned_ms(), 60'000U);
  EXPECT_EQ(cloud.keep_alives.back().interval_ms(), 90'000U);
}

TEST_F(LinkTest, NoticesADeadLinkSoonWhileAnAnswerIsOwed) {
  connect();
  pass(400 * kSecond);
  ASSERT_EQ(cloud.keep_alives.back().interval_ms(), 240'000U);
  cloud.answers_pings = cloud.acknowledges_logs = false;
  logs.add("a line");
  pass(85 * kSecond);
  EXPECT_EQ(cloud.connections, 2);
  EXPECT_EQ(cloud.keep_alives.back().learned_ms(), 120'000U) << "that was no silence to learn from";
}

TEST_F(LinkTest, GivesAConnectionUpThatTakesNothingAnyMore) {
  connect();
  for (int i = 0; i < 50; ++i) logs.add(std::string(100, 'x'));
  modem.send_fails = 1'000'000;
  pass(59 * kSecond);
  EXPECT_TRUE(agent->connected());
  pass(31 * kSecond);
  EXPECT_FALSE(agent->connected());
  EXPECT_EQ(agent->last_error(), "nothing can be sent to the cloud any more");
  modem.send_fails = 0;
  pass(30 * kSecond);
  EXPECT_TRUE(agent->connected());
}

TEST_F(LinkTest, AnswersPings) {
  connect();
  const std::uint64_t before = cloud.uploaded;
  cloud.send_frame(frame::Type::kPing, frame::Stream::kControl, "12345678");
  settle();
  EXPECT_EQ(cloud.uploaded, before + 12);
}

TEST_F(LinkTest, OutlivesGarbageAndLongLinesFromTheModem) {
  modem.inject(std::string(3000, '\xA5') + std::string(3000, 'x') + "\r\n+QIURC: \"recv\",0\r\n");
  connect();
  modem.inject("\r\n+CPIN: READY\r\n" + std::string(500, '+') + "\r\n\x01\x02\r\n");
  update.version = 2;
  settle();
  EXPECT_EQ(cloud.reports.size(), 2U);
  EXPECT_EQ(cloud.connections, 1);
}

TEST_F(LinkTest, LosesNothingWhenTheModemsBufferIsFull) {
  connect();
  modem.send_fails = 3;
  for (int i = 0; i < 20; ++i) logs.add("record " + std::to_string(i));
  pass(5 * kSecond);
  EXPECT_EQ(cloud.logs.size(), 20U);
  EXPECT_EQ(cloud.connections, 1);
}

TEST_F(LinkTest, EndsTheConnectionWhenBytesWereChangedOnTheWay) {
  connect();
  modem.say("+QIURC: \"recv\",0,40");
  modem.inject(std::string(40, '\x17'));
  settle();
  EXPECT_FALSE(agent->connected());
  pass(10 * kSecond);
  EXPECT_TRUE(agent->connected());
}

TEST_F(LinkTest, GoesOnTryingWhenTheModemIsAbsent) {
  modem.mute = true;
  pass(3600 * kSecond);
  EXPECT_GT(agent->counters().attempts, 10U);
  modem.mute = false;
  pass(310 * kSecond);
  EXPECT_TRUE(agent->connected());
}

TEST_F(LinkTest, GivesAnAttemptUpWhenTheModemAnswersSomeCommandsOnly) {
  modem.mute_command = "AT+CEREG?";
  pass(241 * kSecond);
  EXPECT_EQ(agent->last_error(), "the modem did not get as far as a connection in time");
  modem.mute_command = "";
  pass(10 * kSecond);
  EXPECT_TRUE(agent->connected());
}

TEST_F(LinkTest, LeaksNothingOfThePoolOver100Connections) {
  connect();
  modem.drop_carrier();
  settle();
  const std::size_t idle = tls::pool_use().now;
  for (int i = 0; i < 100; ++i) {
    pass(301 * kSecond);
    ASSERT_TRUE(agent->connected());
    modem.drop_carrier();
    settle();
    ASSERT_EQ(tls::pool_use().now, idle);
  }
}

// Somebody at the modem's line calls; what the device says to them is kept.
class CalledLinkTest : public LinkTest {
 protected:
  void call() {
    modem.on_data = [this](std::span<const std::uint8_t> bytes) { heard.append(bytes.begin(), bytes.end()); };
    modem.on_dial = [](const std::string&, int) { return 566; };
    modem.restart();
    modem.call();
    settle();
  }

  const std::function<int(const std::string&, int)> the_clouds_dial = modem.on_dial;
  const std::function<void(std::span<const std::uint8_t>)> the_clouds_data = modem.on_data;
  std::string heard;
};

TEST_F(CalledLinkTest, GivesACallerToTheDebugAgent) {
  call();
  EXPECT_EQ(heard, "mv-debug/1 UV0123456789abcdef0123456789abcdef open 0123456789abcdef 4fa0\n");
  ASSERT_NE(debug.pipe, nullptr);
  modem.push(as_bytes("client hello"));
  settle();
  EXPECT_EQ(debug.read(), "client hello");
  heard.clear();
  debug.pipe->write(as_bytes("server hello"));
  settle();
  EXPECT_EQ(heard, "server hello");
  pass(3600 * kSecond);
  EXPECT_EQ(agent->state(), link::LinkAgent::State::kCalled);
  EXPECT_EQ(debug.closes + debug.losses, 0);
}

TEST_F(CalledLinkTest, GoesBackToTheCloudWhenTheCallerHangsUp) {
  call();
  modem.drop_carrier();
  settle();
  EXPECT_EQ(debug.closes, 1);
  modem.on_dial = the_clouds_dial;
  modem.on_data = the_clouds_data;
  pass(2 * kSecond);
  EXPECT_TRUE(agent->connected()) << agent->last_error();
}

TEST_F(CalledLinkTest, SendsTheLastBytesBeforeItHangsUp) {
  call();
  heard.clear();
  debug.pipe->write(as_bytes("farewell"));
  debug.pipe->close();
  pass(kSecond);
  EXPECT_EQ(heard, "farewell");
  EXPECT_FALSE(modem.open);
  EXPECT_EQ(debug.closes + debug.losses, 0);
}

TEST_F(CalledLinkTest, SaysWhyACallIsRefusedAndHangsUp) {
  debug.accepts = false;
  call();
  EXPECT_EQ(heard, "mv-debug/1 UV0123456789abcdef0123456789abcdef refused this device does not debug\n");
  pass(kSecond);
  EXPECT_FALSE(modem.open);
}

TEST_F(CalledLinkTest, TakesACallWhileItWaitsToTryTheCloudAgain) {
  cloud.dial_error = 566;
  pass(3600 * kSecond);
  call();
  EXPECT_NE(debug.pipe, nullptr);
}

TEST_F(CalledLinkTest, EndsTheCloudsSessionAndItsDebugger) {
  connect();
  cloud.open_debug();
  settle();
  ASSERT_NE(debug.pipe, nullptr);
  call();
  EXPECT_EQ(debug.losses, 1);
  EXPECT_EQ(agent->state(), link::LinkAgent::State::kCalled);
  EXPECT_NE(debug.pipe, nullptr);
}

TEST_F(CalledLinkTest, ANewCallReplacesTheOneBefore) {
  call();
  call();
  EXPECT_EQ(debug.closes, 1);
  EXPECT_NE(debug.pipe, nullptr);
}

TEST_F(CalledLinkTest, NoticesWithinAMinuteThatTheLineIsDead) {
  call();
  modem.mute = true;
  pass(62 * kSecond);
  EXPECT_EQ(debug.closes, 1);
}

}  // namespace
}  // namespace mv::test
