#include "cloud/http/http_session.h"

#include <gtest/gtest.h>

#include "cloud/link/memory_connection.h"

namespace mv::cloud {
namespace {

using Put = std::function<void(HttpReply)>;

HttpReply text_reply(std::string body) {
  HttpReply reply;
  reply.body = std::move(body);
  return reply;
}

// Answers with the path. /later is answered when the test calls `put`.
class FakeHandler final : public HttpHandler {
 public:
  std::unique_ptr<HttpExchange> begin(HttpRequest request) override {
    paths.push_back(request.path);
    return std::make_unique<Exchange>(*this, request.path);
  }

  std::vector<std::string> paths;
  Put put;

 private:
  class Exchange final : public HttpExchange {
   public:
    Exchange(FakeHandler& handler, std::string path) : handler_(handler), path_(std::move(path)) {}
    std::optional<HttpReply> early_reply() override { return std::nullopt; }
    bool take(std::string_view) override { return true; }
    HttpReply finish() override {
      HttpReply reply = text_reply("answer to " + path_);
      if (path_ == "/later") reply.later = [&handler = handler_](Put put) { handler.put = std::move(put); };
      if (path_ == "/now") reply.later = [](const Put& put) { put(text_reply("at once")); };
      return reply;
    }

   private:
    FakeHandler& handler_;
    std::string path_;
  };
};

std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\n\r\n"; }

class HttpSessionTest : public ::testing::Test {
 protected:
  void send(const std::string& bytes) { session_->on_bytes(as_bytes(bytes)); }

  // The bodies that came since.
  std::vector<std::string> bodies() {
    std::vector<std::string> found;
    std::string& output = connection_.output;
    for (std::size_t at = output.find("\r\n\r\n"); at != std::string::npos; at = output.find("\r\n\r\n")) {
      const std::size_t length = std::stoul(output.substr(output.find("Content-Length: ") + 16));
      found.push_back(output.substr(at + 4, length));
      output.erase(0, at + 4 + length);
    }
    return found;
  }

  using Bodies = std::vector<std::string>;

  MemoryConnection connection_;
  FakeHandler handler_;
  std::unique_ptr<HttpSession> session_ = std::make_unique<HttpSession>(connection_, handler_, 0);
};

TEST_F(HttpSessionTest, RequestsThatComeTogetherAreAnsweredInOrder) {
  send(get("/a") + get("/b"));
  EXPECT_EQ(bodies(), (Bodies{"answer to /a", "answer to /b"}));
}

TEST_F(HttpSessionTest, AReplyThatComesLaterHoldsBackTheRequestsAfterIt) {
  send(get("/a") + get("/later") + get("/b"));
  send(get("/c"));
  EXPECT_EQ(bodies(), (Bodies{"answer to /a"}));
  EXPECT_EQ(handler_.paths.size(), 2u);
  handler_.put(text_reply("at last"));
  EXPECT_EQ(bodies(), (Bodies{"at last", "answer to /b", "answer to /c"}));
}

TEST_F(HttpSessionTest, AReplyThatIsKnownAtOnceGoesOutAtOnce) {
  send(get("/now") + get("/b"));
  EXPECT_EQ(bodies(), (Bodies{"at once", "answer to /b"}));
}

TEST_F(HttpSessionTest, AReplyForWhoIsGoneIsDropped) {
  send(get("/later"));
  session_->on_closed();
  handler_.put(text_reply("too late"));
  send(get("/a"));
  session_.reset();
  handler_.put(text_reply("much too late"));
  EXPECT_EQ(connection_.output, "");
}

TEST_F(HttpSessionTest, WaitingForAReplyHasNoTimeout) {
  send(get("/later"));
  session_->on_tick(Microseconds{1'000'000'000});
  EXPECT_FALSE(connection_.closed);
  handler_.put(text_reply("at last"));
  EXPECT_EQ(bodies(), (Bodies{"at last"}));
  session_->on_tick(Microseconds{1'001'000'000});
  EXPECT_FALSE(connection_.closed) << "the time to the next request counts from the reply";
}

TEST_F(HttpSessionTest, AShutDownLetsAReplyOutAndThenCloses) {
  send(get("/later"));
  session_->on_shutdown();
  EXPECT_FALSE(connection_.closed);
  handler_.put(text_reply("at last"));
  EXPECT_NE(connection_.output.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(bodies(), (Bodies{"at last"}));
  EXPECT_TRUE(connection_.closed);
}

TEST_F(HttpSessionTest, WhoSendsWithoutEndWhileAReplyIsAwaitedIsCutOff) {
  send(get("/later"));
  for (int i = 0; i < 100 && !connection_.closed; ++i) send(std::string(1024, 'x'));
  EXPECT_TRUE(connection_.closed);
}

TEST_F(HttpSessionTest, WhoSendsNoRequestIsLetGo) {
  session_->on_tick(Microseconds{75'000'000});
  EXPECT_FALSE(connection_.closed);
  session_->on_tick(Microseconds{76'000'000});
  EXPECT_TRUE(connection_.closed);
}

TEST_F(HttpSessionTest, ARequestThatDoesNotEndIsRefusedInTime) {
  send("GET / HTTP/1.1\r\n");
  session_->on_tick(Microseconds{31'000'000});
  EXPECT_EQ(connection_.output.substr(0, 12), "HTTP/1.1 408");
  EXPECT_TRUE(connection_.closed);
}

}  // namespace
}  // namespace mv::cloud
