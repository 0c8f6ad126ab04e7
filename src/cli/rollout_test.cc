// Waiting for a device, against a cloud on the loopback: an event stream, and a device that changes as the test says.
#include "cli/rollout.h"

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "transport/test_tls.h"

namespace mv::cli {
namespace {

namespace asio = boost::asio;
using transport::test::TestServer;
using transport::test::TlsStream;

const std::string kHash = "sha256:aa";

// A device in this state, running `running`, with its update where it is.
nlohmann::ordered_json device(const std::string& state, const std::string& running, const std::string& update,
                              bool online = true) {
  return {{"sid", "UV1"},
          {"unique_name", "porch"},
          {"state", state},
          {"connection", {{"state", online ? "online" : "offline"}}},
          {"update", {{"state", update}}},
          {"app", {{"target_hash", kHash}, {"reported_hash", running}}}};
}

using Reports = std::deque<nlohmann::ordered_json>;

// What the device says next, each announced by one event when the one before was looked at.
class FakeCloud {
 public:
  explicit FakeCloud(Reports story) : story_(std::move(story)) {}

  int looks() {
    const std::lock_guard lock(mutex_);
    return looks_;
  }
  int streams() {
    const std::lock_guard lock(mutex_);
    return streams_;
  }
  // The stream breaks once, after the first look.
  void break_once() { breaks_ = true; }
  // The device itself cannot be had; the stream can.
  void answer_looks_with(std::string answer) { refusal_ = std::move(answer); }

  // Lets go of a stream that waits for news.
  void end() {
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }

  void serve(TlsStream& stream) {
    while (true) {
      std::string request;
      asio::read_until(stream, asio::dynamic_buffer(request), "\r\n\r\n");
      if (request.starts_with("GET /v1/Events?Device=UV1&")) return events(stream);
      if (request.starts_with("GET /v1/Devices/UV1 ")) look(stream);
    }
  }

 private:
  void look(TlsStream& stream) {
    std::string answer = refusal_;
    {
      const std::lock_guard lock(mutex_);
      ++looks_;
      const std::string body = story_.front().dump();
      if (story_.size() > 1) story_.pop_front(), news_ = true;
      if (answer.empty())
        answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    changed_.notify_all();
    asio::write(stream, asio::buffer(answer));
  }

  void events(TlsStream& stream) {
    asio::write(stream, asio::buffer(std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                                 "15\r\n: following\nretry: 1\n\r\n")));
    std::unique_lock lock(mutex_);
    ++streams_;
    while (true) {
      changed_.wait(lock, [&] { return news_ || over_; });
      news_ = false;
      if (over_ || std::exchange(breaks_, false)) return;
      asio::write(stream, asio::buffer(std::string("a\r\ndata: {}\n\n\r\n")));
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Reports story_;
  std::string refusal_;
  bool news_ = false;
  bool breaks_ = false;
  bool over_ = false;
  int looks_ = 0;
  int streams_ = 0;
};

class RolloutTest : public testing::Test {
 protected:
  Answer<Device> wait(FakeCloud& cloud, std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
    const TestServer server(transport::test::over_tls(identity_, [&](TlsStream& stream) { cloud.serve(stream); }));
    Context context;
    context.cloud = "https://127.0.0.1:" + std::to_string(server.port());
    context.token = "secret";
    context.ca_certificate = authority_file_.path();
    auto client = CloudClient::make(context);
    if (!client) return tl::make_unexpected(client.error());
    Output output({&words_, &words_});
    auto outcome = wait_until_running(*client, output, {"UV1", kHash, "weather 1.4.3", timeout, trial_will_do_});
    cloud.end();
    return outcome;
  }

  transport::test::Authority authority_;
  transport::test::Identity identity_ = authority_.issue("cloud", "IP:127.0.0.1");
  transport::test::TemporaryFile authority_file_{authority_.certificate()};
  std::ostringstream words_;
  bool trial_will_do_ = false;
};

TEST_F(RolloutTest, LooksAtTheDeviceOnceForEachEvent) {
  FakeCloud cloud(Reports{device("running", "sha256:bb", "pending"), device("downloading", "sha256:bb", "downloading"),
                          device("installing", "sha256:bb", "installing"), device("running", kHash, "up-to-date")});
  const auto running = wait(cloud);
  ASSERT_TRUE(running.has_value()) << running.error().message;
  EXPECT_EQ(running->state, "running");
  EXPECT_EQ(cloud.looks(), 4);
  EXPECT_EQ(cloud.streams(), 1);
  EXPECT_NE(words_.str().find("copying into the application's flash"), std::string::npos) << words_.str();
}

TEST_F(RolloutTest, NeedsNoEventWhenTheDeviceRunsItAlready) {
  FakeCloud cloud(Reports{device("running", kHash, "up-to-date")});
  EXPECT_TRUE(wait(cloud).has_value());
  EXPECT_EQ(cloud.looks(), 1);
}

TEST_F(RolloutTest, LooksAgainWhenTheStreamHadToBeOpenedAnew) {
  FakeCloud cloud(Reports{device("installing", "sha256:bb", "installing"), device("running", kHash, "up-to-date")});
  cloud.break_once();
  const auto running = wait(cloud);
  ASSERT_TRUE(running.has_value()) << running.error().message;
  EXPECT_EQ(cloud.streams(), 2);
  EXPECT_NE(words_.str().find("waiting"), std::string::npos) << words_.str();
}

TEST_F(RolloutTest, GivesTheDevicesReasonForARefusal) {
  auto refused = device("refused", "sha256:bb", "refused");
  refused["update"]["reason"] = "the signature is not of a key that is trusted";
  FakeCloud cloud(Reports{refused});
  const auto running = wait(cloud);
  ASSERT_FALSE(running.has_value());
  EXPECT_EQ(running.error().code, ExitCode::kRefusedByDevice);
  EXPECT_NE(running.error().message.find("the signature is not"), std::string::npos);
}

TEST_F(RolloutTest, ATrialIsNoSuccessUntilItIsConfirmed) {
  auto trial = device("running", kHash, "trial");
  trial["update"]["wait_left_sec"] = 28;
  FakeCloud cloud(Reports{trial, device("running", kHash, "up-to-date")});
  const auto running = wait(cloud);
  ASSERT_TRUE(running.has_value()) << running.error().message;
  EXPECT_EQ(cloud.looks(), 2);
  EXPECT_NE(words_.str().find("weather 1.4.3 runs on trial, 28 s left to be confirmed"), std::string::npos)
      << words_.str();
}

TEST_F(RolloutTest, ATrialWillDoForWhoSaysSo) {
  FakeCloud cloud(Reports{device("running", kHash, "trial")});
  trial_will_do_ = true;
  EXPECT_TRUE(wait(cloud).has_value());
}

TEST_F(RolloutTest, ARollbackHasACodeOfItsOwnAndTheDevicesReason) {
  auto undoing = device("undoing", kHash, "undoing");
  undoing["update"]["reason"] = "three crashes on trial";
  auto undone = device("refused", "sha256:bb", "rolled-back");
  undone["update"]["reason"] = "three crashes on trial";
  FakeCloud cloud(Reports{device("running", kHash, "trial"), undoing, undone});
  const auto running = wait(cloud);
  ASSERT_FALSE(running.has_value());
  EXPECT_EQ(running.error().code, ExitCode::kRolledBack);
  EXPECT_EQ(running.error().message, "porch ran weather 1.4.3 on trial and rolled it back: three crashes on trial");
  EXPECT_NE(words_.str().find("weather 1.4.3 is taken back: three crashes on trial"), std::string::npos)
      << words_.str();
}

// What is said of an update, by the JSON of a device.
std::string said(const nlohmann::ordered_json& update, const char* reported = "2027-01-15T08:00:10.000000Z") {
  const nlohmann::ordered_json device = {{"update", update}, {"app", {{"date_reported", reported}}}};
  return describe(device_of(nlohmann::ordered_json::parse(device.dump())).update, "weather 1.4.3");
}

TEST(DescribeUpdate, SaysWhatIsLeftAsFarAsItIsKnown) {
  nlohmann::ordered_json update = {{"state", "downloading"}, {"bytes_done", 120'000}, {"bytes_total", 212'480}};
  EXPECT_EQ(said(update), "weather 1.4.3: 120,000 of 212,480 bytes are there");
  update["bytes_received"] = 1000;
  update["bytes_to_receive"] = 4000;
  EXPECT_EQ(said(update), "weather 1.4.3: 120,000 of 212,480 bytes are there, 3,000 to go over the air");
  update["since"] = "2027-01-15T08:00:00.000000Z";
  EXPECT_EQ(said(update), "weather 1.4.3: 120,000 of 212,480 bytes are there, 3,000 to go over the air, 30 s left");
  update["bytes_received"] = 10;
  EXPECT_EQ(said(update), "weather 1.4.3: 120,000 of 212,480 bytes are there, 3,990 to go over the air, 67 min left");
  EXPECT_EQ(said(update, "2027-01-15T08:00:00.000000Z"),
            "weather 1.4.3: 120,000 of 212,480 bytes are there, 3,990 to go over the air")
      << "no time has passed that a rate could be had of";
}

TEST(DescribeUpdate, SaysWhatItWaitsFor) {
  EXPECT_EQ(said({{"state", "up-to-date"}}), "");
  EXPECT_EQ(said({{"state", "pending"}}), "weather 1.4.3: the device has not begun with it");
  EXPECT_EQ(said({{"state", "waiting"}, {"wait_left_sec", 540}}),
            "weather 1.4.3 is staged, and the application was told: installed in 9 min");
  EXPECT_EQ(said({{"state", "trial"}, {"wait_left_sec", 28}}),
            "weather 1.4.3 runs on trial, 28 s left to be confirmed");
  EXPECT_EQ(said({{"state", "rolled-back"}, {"reason", "it never reached the cloud"}}),
            "weather 1.4.3 ran on trial and was rolled back: it never reached the cloud");
  EXPECT_EQ(said({{"state", "refused"}, {"reason", "\x1b[31mred"}}).find('\x1b'), std::string::npos);
}

TEST_F(RolloutTest, NoticesThatSomebodyElseGaveAnotherOrder) {
  auto other = device("running", "sha256:bb", "pending");
  other["app"]["target_hash"] = "sha256:cc";
  FakeCloud cloud(Reports{other});
  const auto running = wait(cloud);
  ASSERT_FALSE(running.has_value());
  EXPECT_EQ(running.error().code, ExitCode::kFailed);
}

TEST_F(RolloutTest, EndsInTimeWhenNothingHappens) {
  FakeCloud cloud(Reports{device("running", "sha256:bb", "pending", false)});
  const auto begin = std::chrono::steady_clock::now();
  const auto running = wait(cloud, std::chrono::milliseconds(300));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  ASSERT_FALSE(running.has_value());
  EXPECT_EQ(running.error().code, ExitCode::kDeviceOffline);
  EXPECT_NE(running.error().message.find("it is offline"), std::string::npos) << running.error().message;
}

TEST_F(RolloutTest, EndsAtOnceWhenTheCloudRefusesToTell) {
  FakeCloud cloud(Reports{device("running", "sha256:bb", "pending")});
  cloud.answer_looks_with("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  const auto running = wait(cloud);
  ASSERT_FALSE(running.has_value());
  EXPECT_EQ(running.error().code, ExitCode::kNotAuthorised);
}

}  // namespace
}  // namespace mv::cli
