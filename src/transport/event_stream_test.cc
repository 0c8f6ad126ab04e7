// Following events across connections that break, against a server on the loopback.
#include "transport/event_stream.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "transport/test_tls.h"

namespace mv::transport {
namespace {

namespace asio = boost::asio;
using test::TestServer;
using test::TlsStream;

const std::string kBegin = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string kSoonAgain = "retry: 1\n\n";

std::string chunk(const std::string& text) {
  std::array<char, 16> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
  return size.data() + text + "\r\n";
}

std::string event(int id) { return "id: " + std::to_string(id) + "\ndata: event " + std::to_string(id) + "\n\n"; }

class EventStreamTest : public testing::Test {
 protected:
  // Each connection is answered with the next of `answers_`, then cut; the last one stays open.
  tl::expected<void, HttpError> follow() {
    std::atomic<std::size_t> next = 0;
    const TestServer server(test::over_tls(identity_, [&](TlsStream& stream) {
      std::string head;
      asio::read_until(stream, asio::dynamic_buffer(head), "\r\n\r\n");
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(head);
      }
      const std::size_t turn = next++;
      if (turn >= answers_.size()) return;
      asio::write(stream, asio::buffer(answers_[turn]));
      std::array<char, 1> ignored{};
      if (turn + 1 == answers_.size()) stream.read_some(asio::buffer(ignored));
    }));
    HttpOptions options;
    options.host = "127.0.0.1";
    options.port = server.port();
    options.ca_certificate = authority_file_.path();
    auto client = HttpClient::make(options);
    options_.target = "/v1/Events";
    return follow_events(
        *client, options_,
        [&](const ServerEvent& event) {
          events_.push_back(event.data);
          return event.data != "event 9";
        },
        [&](const HttpError& error) { losses_.push_back(error); });
  }

  test::Authority authority_;
  test::Identity identity_ = authority_.issue("cloud", "IP:127.0.0.1");
  test::TemporaryFile authority_file_{authority_.certificate()};
  EventStreamOptions options_;
  std::vector<std::string> answers_;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<std::string> events_;
  std::vector<HttpError> losses_;
};

TEST_F(EventStreamTest, GoesOnBehindTheLastEventWhenTheConnectionBreaks) {
  answers_ = {kBegin + chunk(kSoonAgain + event(1) + event(2)), kBegin + chunk(event(9))};
  EXPECT_TRUE(follow().has_value());
  EXPECT_EQ(events_, (std::vector<std::string>{"event 1", "event 2", "event 9"}));
  ASSERT_EQ(losses_.size(), 1U);
  EXPECT_EQ(losses_[0].kind, HttpErrorKind::kLost);
  ASSERT_EQ(requests_.size(), 2U);
  EXPECT_EQ(requests_[0].find("Last-Event-ID"), std::string::npos);
  EXPECT_NE(requests_[1].find("Last-Event-ID: 2\r\n"), std::string::npos) << requests_[1];
}

TEST_F(EventStreamTest, ForgetsHalfAnEventOfABrokenConnection) {
  answers_ = {kBegin + chunk(kSoonAgain + event(1) + "id: 2\ndata: half of it\n"), kBegin + chunk(event(9))};
  EXPECT_TRUE(follow().has_value());
  EXPECT_EQ(events_, (std::vector<std::string>{"event 1", "event 9"}));
}

TEST_F(EventStreamTest, WaitsForACloudThatFailsForAWhile) {
  answers_ = {kBegin + chunk(kSoonAgain + event(1)), "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
              kBegin + chunk(event(9))};
  EXPECT_TRUE(follow().has_value());
  ASSERT_EQ(losses_.size(), 2U);
  EXPECT_EQ(losses_[1].status, 503U);
}

TEST_F(EventStreamTest, EndsWhenItIsRefused) {
  answers_ = {kBegin + chunk(kSoonAgain + event(1)), "HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nwhy?"};
  const auto done = follow();
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind, HttpErrorKind::kRefused);
  EXPECT_EQ(done.error().status, 401U);
  EXPECT_EQ(done.error().body, "why?");
}

TEST_F(EventStreamTest, DoesNotInsistOnAFirstConnectionUnlessItIsPatient) {
  const std::string busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
  answers_ = {busy};
  EXPECT_FALSE(follow().has_value());
  answers_ = {busy, kBegin + chunk(event(9))};
  options_.patient = true;
  options_.longest_retry = std::chrono::milliseconds(1);
  EXPECT_TRUE(follow().has_value());
  EXPECT_EQ(events_, std::vector<std::string>{"event 9"});
}

TEST_F(EventStreamTest, RefusesAnEventThatIsTooLong) {
  answers_ = {kBegin + chunk("data: " + std::string(EventParser::kMaxEvent, 'x'))};
  const auto done = follow();
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind, HttpErrorKind::kProtocol);
}

TEST_F(EventStreamTest, TellsThatTheStreamIsAliveAtItsBeginningAndAtEachHeartbeat) {
  answers_ = {kBegin + chunk(": following\n\n") + chunk(": alive\n\n")};
  std::string seen;
  options_.on_alive = [&] {
    seen += "alive ";
    return seen != "alive alive ";
  };
  EXPECT_TRUE(follow().has_value());
  EXPECT_TRUE(events_.empty());
  EXPECT_TRUE(losses_.empty());
}

TEST_F(EventStreamTest, EndsWhenItMayNotGoOn) {
  answers_ = {kBegin + chunk(": following\n\n")};
  int asked = 0;
  options_.go_on = [&] { return ++asked < 3; };
  EXPECT_TRUE(follow().has_value());
  EXPECT_TRUE(losses_.empty()) << "that is no loss";
}

TEST_F(EventStreamTest, TakesSilenceForALoss) {
  answers_ = {kBegin + chunk(kSoonAgain + event(1)), kBegin + chunk(event(9))};
  options_.idle = std::chrono::milliseconds(200);
  answers_.insert(answers_.begin() + 1, kBegin);
  EXPECT_TRUE(follow().has_value());
  EXPECT_EQ(events_.back(), "event 9");
}

}  // namespace
}  // namespace mv::transport
