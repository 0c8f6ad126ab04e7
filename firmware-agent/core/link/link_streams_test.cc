// What is said on an open connection, stream by stream, and what happens to a cloud that breaks the rules.
#include "core/link/link_fixture.h"

namespace mv::test {
namespace {

using frame::CloseReason;
using frame::Stream;
using frame::Type;

TEST_F(LinkTest, HandsTheDesiredStateOnAndReports) {
  cloud.desired.set_manifest_hash(std::string(32, 'h'));
  cloud.desired.set_manifest_size(500);
  cloud.desired.set_app_id("KA0123456789abcdef0123456789abcdef");
  connect();
  ASSERT_EQ(update.desired.size(), 1U);
  EXPECT_EQ(update.desired[0].manifest_hash.size, 32U);
  EXPECT_EQ(update.desired[0].manifest_size, 500U);
  EXPECT_STREQ(update.desired[0].app_id, "KA0123456789abcdef0123456789abcdef");
  ASSERT_EQ(cloud.reports.size(), 1U);
  EXPECT_EQ(cloud.reports[0].generation(), 1U);
}

TEST_F(LinkTest, ReportsEachChangeOnce) {
  connect();
  update.state = mv_wire_AppState_APP_RUNNING;
  update.version = 9;
  pass(10 * kSecond);
  ASSERT_EQ(cloud.reports.size(), 2U);
  EXPECT_EQ(cloud.reports[1].state(), wire::APP_RUNNING);
}

TEST_F(LinkTest, KeepsLogsInOrderAndHasThemAcknowledged) {
  for (int i = 0; i < 300; ++i) logs.add("line " + std::to_string(i));
  connect();
  ASSERT_EQ(cloud.logs.size(), 300U);
  for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(cloud.logs[i].text(), "line " + std::to_string(i));
  EXPECT_TRUE(logs.records.empty());
}

TEST_F(LinkTest, SendsLogsThatWereNotAcknowledgedAgainAfterACut) {
  cloud.acknowledges_logs = false;
  for (int i = 1; i <= 5; ++i) logs.add("line " + std::to_string(i));
  connect();
  EXPECT_EQ(cloud.logs.size(), 5U);
  wire::CloudControl message;
  message.mutable_log_ack()->set_sequence(2);
  cloud.send(message);
  settle();
  modem.drop_carrier();
  cloud.acknowledges_logs = true;
  cloud.logs.clear();
  pass(3 * kSecond);
  ASSERT_EQ(cloud.logs.size(), 3U);
  EXPECT_EQ(cloud.logs[0].sequence(), 3U);
  EXPECT_EQ(logs.acknowledged, (std::vector<std::uint64_t>{2, 5}));
  pass(120 * kSecond);
  EXPECT_EQ(cloud.logs.size(), 3U);
}

TEST_F(LinkTest, SendsLogsAgainWhenTheCloudForgotToAcknowledge) {
  cloud.acknowledges_logs = false;
  logs.add("once more");
  connect();
  cloud.acknowledges_logs = true;
  pass(31 * kSecond);
  EXPECT_EQ(cloud.logs.size(), 2U);
  EXPECT_TRUE(logs.records.empty());
}

TEST_F(LinkTest, IgnoresAcknowledgementsOfRecordsThatWereNeverSent) {
  connect();
  wire::CloudControl message;
  message.mutable_log_ack()->set_sequence(1'000'000);
  cloud.send(message);
  settle();
  EXPECT_TRUE(logs.acknowledged.empty());
  logs.add("still sent");
  settle();
  EXPECT_EQ(cloud.logs.size(), 1U);
}

TEST_F(LinkTest, CutsARecordThatIsTooLong) {
  logs.add(std::string(5000, 'x'));
  logs.add("next");
  connect();
  ASSERT_EQ(cloud.logs.size(), 2U);
  EXPECT_EQ(cloud.logs[0].text(), std::string(link::LogSource::kMaxText, 'x'));
}

TEST_F(LinkTest, SendsNoMoreThanTheCloudGranted) {
  cloud.grants_credit = false;
  cloud.acknowledges_logs = false;
  for (int i = 0; i < 1000; ++i) logs.add(std::string(50, 'x'));
  connect();
  EXPECT_LT(cloud.logs.size(), frame::kInitialCredit / 50);
  EXPECT_GT(cloud.logs.size(), frame::kInitialCredit / 90);
  EXPECT_EQ(cloud.broken, "");
}

TEST_F(LinkTest, TurnsLoggingOffWhenTheCloudWantsNone) {
  cloud.desired.set_logging_enabled(false);
  connect();
  EXPECT_FALSE(logs.enabled);
}

TEST_F(LinkTest, RepeatsACrashReportUntilItIsAcknowledged) {
  cloud.acknowledges_crashes = false;
  crashes.numbers = {4, 5};
  connect();
  ASSERT_EQ(cloud.crashes.size(), 1U);
  modem.drop_carrier();
  pass(3 * kSecond);
  ASSERT_EQ(cloud.crashes.size(), 2U);
  EXPECT_EQ(cloud.crashes[1].number(), 4U);
  cloud.acknowledges_crashes = true;
  pass(31 * kSecond);
  ASSERT_EQ(cloud.crashes.size(), 4U);
  EXPECT_EQ(cloud.crashes[3].number(), 5U);
  EXPECT_TRUE(crashes.numbers.empty());
}

TEST_F(LinkTest, KeepsTheLastEventsWhileOffline) {
  for (int i = 0; i < 10; ++i) agent->events().post("number", std::to_string(i));
  connect();
  ASSERT_EQ(cloud.events.size(), link::EventQueue::kCapacity);
  EXPECT_EQ(cloud.events.back().detail(), "9");
}

class BlobTest : public LinkTest {
 protected:
  bool fetch(std::uint32_t offset, std::uint32_t length) {
    const bool begun = agent->blobs().fetch(hash, offset, length, sink);
    if (begun) sink.start = offset;
    return begun;
  }
  wire::BlobChunk chunk(std::uint32_t offset, std::size_t size, std::uint32_t total) {
    wire::BlobChunk made;
    made.set_request(cloud.requests.back().request());
    made.set_offset(offset);
    made.set_data(std::string(size, 'b'));
    made.set_total(total);
    return made;
  }

  std::array<std::uint8_t, 32> hash{1, 2, 3};
  TestSink sink;
};

TEST_F(BlobTest, FetchesAPartOfABlob) {
  EXPECT_FALSE(fetch(0, 10));
  connect();
  ASSERT_TRUE(fetch(100, 20'000));
  EXPECT_FALSE(fetch(0, 1));
  settle();
  ASSERT_EQ(cloud.requests.size(), 1U);
  EXPECT_EQ(cloud.requests[0].offset(), 100U);
  EXPECT_EQ(cloud.requests[0].length(), 20'000U);
  EXPECT_EQ(cloud.requests[0].hash(), std::string(hash.begin(), hash.end()));
  for (std::uint32_t at = 100; at < 20'100;) {
    const std::size_t size = std::min<std::size_t>(1900, 20'100 - at);
    const auto message = chunk(at, size, 50'000);
    ASSERT_GE(cloud.multiplex().sendable(Stream::kBlob), message.ByteSizeLong());
    cloud.send_chunk(message);
    at += static_cast<std::uint32_t>(size);
    settle();
  }
  EXPECT_EQ(sink.data.size(), 20'000U);
  EXPECT_EQ(sink.total, 50'000U);
  EXPECT_EQ(sink.fetched, 1);
  EXPECT_TRUE(agent->blobs().ready());
}

TEST_F(BlobTest, SaysWhenTheCloudHasNoSuchBlob) {
  connect();
  ASSERT_TRUE(fetch(0, 10));
  settle();
  auto message = chunk(0, 0, 0);
  message.set_missing(true);
  cloud.send_chunk(message);
  settle();
  EXPECT_EQ(sink.missing, 1);
}

TEST_F(BlobTest, InterruptsWhenTheLinkIsLost) {
  connect();
  ASSERT_TRUE(fetch(0, 10));
  settle();
  modem.drop_carrier();
  settle();
  EXPECT_EQ(sink.interrupted, 1);
  EXPECT_FALSE(agent->blobs().ready());
}

TEST_F(BlobTest, InterruptsOnAnAnswerThatMakesNoSense) {
  connect();
  const struct {
    std::uint32_t offset;
    std::size_t size;
    std::uint32_t total;
  } wrong[] = {{1, 5, 100}, {0, 11, 100}, {0, 0, 100}, {0, 5, 4}};
  int times = 0;
  for (const auto& one : wrong) {
    ASSERT_TRUE(fetch(0, 10));
    settle();
    cloud.send_chunk(chunk(one.offset, one.size, one.total));
    settle();
    EXPECT_EQ(sink.interrupted, ++times);
    EXPECT_EQ(sink.data, "");
  }
}

TEST_F(BlobTest, FetchesTheRecordsOfSegmentsInTheirOrder) {
  connect();
  link::SegmentQuery query = {hash, 3, {9}, true, 0b10100};
  ASSERT_TRUE(agent->blobs().fetch_segments(query, sink));
  settle();
  ASSERT_EQ(cloud.requests.size(), 1U);
  const wire::SegmentRequest& asked = cloud.requests[0].segments();
  EXPECT_EQ(asked.manifest(), std::string(hash.begin(), hash.end()));
  EXPECT_EQ(asked.layer(), 3U);
  EXPECT_EQ(asked.from().size(), 32U);
  EXPECT_EQ(asked.wanted(), 0b10100U);
  EXPECT_EQ(cloud.requests[0].hash(), "");
  for (const auto& [segment, offset, size, total] :
       {std::array<std::uint32_t, 4>{2, 0, 1000, 1500}, {2, 1000, 500, 1500}, {4, 0, 7, 7}}) {
    auto message = chunk(offset, size, total);
    message.set_segment(segment);
    EXPECT_EQ(sink.fetched, 0);
    cloud.send_chunk(message);
    settle();
  }
  EXPECT_EQ(sink.records[2].size(), 1500U);
  EXPECT_EQ(sink.records[4].size(), 7U);
  EXPECT_EQ(sink.fetched, 1);
  EXPECT_TRUE(agent->blobs().ready());
}

TEST_F(BlobTest, InterruptsOnARecordThatWasNotAskedFor) {
  connect();
  int times = 0;
  for (const std::uint32_t segment : {0U, 4U, 31U, 32U, 0xFFFFFFFFU}) {
    ASSERT_TRUE(agent->blobs().fetch_segments({hash, 0, {}, false, 0b10010}, sink));
    settle();
    EXPECT_EQ(cloud.requests.back().segments().from(), "");
    auto message = chunk(0, 10, 10);
    message.set_segment(segment);
    cloud.send_chunk(message);
    settle();
    EXPECT_EQ(sink.interrupted, ++times) << segment;
  }
  EXPECT_TRUE(sink.records.empty());
}

TEST_F(BlobTest, DropsWhatComesOfACancelledFetch) {
  connect();
  ASSERT_TRUE(fetch(0, 10));
  settle();
  const auto old = chunk(0, 10, 10);
  agent->blobs().cancel();
  ASSERT_TRUE(fetch(0, 4));
  settle();
  cloud.send_chunk(old);
  settle();
  EXPECT_EQ(sink.data, "");
  cloud.send_chunk(chunk(0, 4, 10));
  settle();
  EXPECT_EQ(sink.data, "bbbb");
}

class DebugTest : public LinkTest {
 protected:
  void open() {
    connect();
    cloud.open_debug();
    settle();
    ASSERT_NE(debug.pipe, nullptr);
    ASSERT_EQ(cloud.multiplex().state(Stream::kDebug), frame::Multiplex::State::kOpen);
  }
};

TEST_F(DebugTest, CarriesBytesBothWays) {
  open();
  cloud.send_data(Stream::kDebug, "attach");
  settle();
  EXPECT_EQ(debug.read(), "attach");
  EXPECT_EQ(debug.pipe->write(as_bytes("attached")), 8U);
  settle();
  EXPECT_EQ(cloud.debug_bytes, "attached");
}

TEST_F(DebugTest, GrantsCreditAsTheAgentReads) {
  open();
  EXPECT_EQ(cloud.multiplex().sendable(Stream::kDebug), link::DebugPipe::kWindow);
  cloud.send_data(Stream::kDebug, std::string(link::DebugPipe::kWindow / 2, 'a'));
  cloud.send_data(Stream::kDebug, std::string(link::DebugPipe::kWindow / 2, 'b'));
  settle();
  EXPECT_EQ(cloud.multiplex().sendable(Stream::kDebug), 0U);
  EXPECT_EQ(debug.read().size(), link::DebugPipe::kWindow);
  settle();
  EXPECT_EQ(cloud.multiplex().sendable(Stream::kDebug), link::DebugPipe::kWindow);
}

TEST_F(DebugTest, HoldsBlobCreditBackAndThenGivesItInDosesUntilDebuggingIsIdle) {
  open();
  const auto blob_credit = cloud.multiplex().sendable(Stream::kBlob);
  cloud.send_data(Stream::kBlob, "");
  wire::BlobChunk big;
  big.set_data(std::string(1900, 'x'));
  for (int i = 0; i < 4; ++i) cloud.send_chunk(big);
  settle();
  const auto left = cloud.multiplex().sendable(Stream::kBlob);
  EXPECT_LT(left, blob_credit / 2);
  pass(100'000);
  EXPECT_EQ(cloud.multiplex().sendable(Stream::kBlob), left + 1024);
  pass(50'000);
  EXPECT_EQ(cloud.multiplex().sendable(Stream::kBlob), left + 1024);
  pass(50'000);
  EXPECT_EQ(cloud.multiplex().sendable(Stream::kBlob), left + 2048);
  cloud.send_data(Stream::kDebug, "a");
  pass(90'000);
  EXPECT_EQ(cloud.multiplex().sendable(Stream::kBlob), left + 2048);
  pass(1'000'000);
  EXPECT_GT(cloud.multiplex().sendable(Stream::kBlob), blob_credit / 2);
}

TEST_F(DebugTest, TellsTheAgentWhenTheCloudClosesAndOpensAgain) {
  open();
  cloud.multiplex().close(Stream::kDebug);
  cloud.send_frame(Type::kClose, Stream::kDebug, std::string_view("\0\0", 2));
  settle();
  EXPECT_EQ(debug.closes, 1);
  EXPECT_EQ(debug.losses, 0);
  EXPECT_EQ(cloud.debug_closes.size(), 1U);
  cloud.open_debug();
  settle();
  EXPECT_NE(debug.pipe, nullptr);
}

TEST_F(DebugTest, LetsTheAgentCloseAfterItsLastBytes) {
  open();
  debug.pipe->write(as_bytes("goodbye"));
  debug.pipe->close();
  settle();
  EXPECT_EQ(cloud.debug_bytes, "goodbye");
  EXPECT_EQ(cloud.debug_closes, std::vector<int>{0});
  EXPECT_EQ(debug.closes, 0);
  cloud.open_debug();
  settle();
  EXPECT_EQ(cloud.multiplex().state(Stream::kDebug), frame::Multiplex::State::kOpen);
}

TEST_F(DebugTest, RefusesWhenTheAgentDoes) {
  debug.accepts = false;
  connect();
  cloud.open_debug();
  settle();
  EXPECT_EQ(cloud.debug_closes, std::vector<int>{static_cast<int>(CloseReason::kRefused)});
  debug.accepts = true;
  cloud.open_debug();
  settle();
  EXPECT_NE(debug.pipe, nullptr);
}

TEST_F(DebugTest, TellsTheAgentWhenTheLinkIsLost) {
  open();
  modem.drop_carrier();
  settle();
  EXPECT_EQ(debug.losses, 1);
  EXPECT_EQ(debug.closes, 0);
}

// A cloud that breaks the rules: told so, and left; the device comes back later.
class BrokenCloudTest : public LinkTest {
 protected:
  void expect_closed(std::string_view text) {
    settle();
    EXPECT_FALSE(agent->connected());
    EXPECT_EQ(cloud.closed, "2 " + std::string(text));
    EXPECT_EQ(agent->last_error(), text);
    pass(10 * kSecond);
    EXPECT_TRUE(agent->connected());
  }
};

TEST_F(BrokenCloudTest, ThatSendsAFrameOfNoKnownType) {
  connect();
  cloud.send_bytes(std::string_view("\x63\0\0\0", 4));
  expect_closed("a frame has a type that this protocol version does not know");
}

TEST_F(BrokenCloudTest, ThatSendsAFrameThatIsTooLong) {
  connect();
  cloud.send_bytes("\x02\x01\xFF\xFF");
  expect_closed("a frame has a length that its type does not allow");
}

TEST_F(BrokenCloudTest, ThatSendsMoreThanItWasGranted) {
  connect();
  cloud.open_debug();
  settle();
  for (int i = 0; i < 2; ++i) cloud.send_data(Stream::kDebug, std::string(1500, 'x'));
  expect_closed("more data came on a stream than was granted");
  EXPECT_EQ(debug.losses, 1);
}

TEST_F(BrokenCloudTest, ThatSendsDataOnAStreamThatIsNotOpen) {
  connect();
  cloud.send_data(Stream::kDebug, "x");
  expect_closed("a frame came on a stream that is not open");
}

TEST_F(BrokenCloudTest, ThatOpensAStreamThatThisDeviceDoesNotHave) {
  connect();
  cloud.send_frame(Type::kOpen, Stream::kChannel0, std::string_view("\0\0\x10\0", 4));
  expect_closed("the cloud opened a stream that this device does not have");
}

TEST_F(BrokenCloudTest, ThatSendsSomethingElseThanMessages) {
  connect();
  cloud.send_data(Stream::kControl, "\xFF\xFF\xFF\xFF");
  expect_closed("a message on the control stream is not a CloudControl");
}

TEST_F(BrokenCloudTest, ThatSendsSomethingElseThanChunks) {
  connect();
  cloud.send_data(Stream::kBlob, "\x1A\x7F");
  expect_closed("a message on the blob stream is not a BlobChunk");
}

TEST_F(BrokenCloudTest, ThatSendsAMessageBeforeWelcome) {
  cloud.welcomes = false;
  settle();
  wire::CloudControl message;
  message.mutable_desired()->set_generation(1);
  cloud.send(message);
  cloud.welcomes = true;
  expect_closed("a message came before Welcome");
  EXPECT_EQ(update.desired.size(), 1U);
}

TEST_F(BrokenCloudTest, ThatEndsInTheMiddleOfAFrame) {
  connect();
  cloud.send_bytes(std::string_view("\x02\x00\x01\x00half", 8));
  settle();
  EXPECT_TRUE(agent->connected());
  modem.drop_carrier();
  pass(3 * kSecond);
  EXPECT_TRUE(agent->connected());
  EXPECT_EQ(cloud.connections, 2);
}

TEST_F(BrokenCloudTest, ThatSaysSomethingNewIsNotBroken) {
  connect();
  cloud.send_data(Stream::kControl, "\x9A\x06\x02hi");  // field 99
  settle();
  EXPECT_TRUE(agent->connected());
}

}  // namespace
}  // namespace mv::test
