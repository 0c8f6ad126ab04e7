#include "cloud/http/http_parser.h"

#include <gtest/gtest.h>

#include <vector>

namespace mv::cloud {
namespace {

struct Recorder final : HttpParserEvents {
  bool on_request(HttpRequest request, bool has_body) override {
    requests.push_back(std::move(request));
    announced = has_body;
    return wanted;
  }
  bool on_body(std::string_view piece) override {
    body += piece;
    return wanted;
  }
  void on_complete() override { ++completed; }

  std::vector<HttpRequest> requests;
  std::string body;
  bool announced = false;
  bool wanted = true;
  int completed = 0;
};

// A parser fed as a connection feeds it: what was not taken comes again with what follows.
struct Reader {
  Recorder recorder;
  HttpParser parser{recorder};
  std::string input;
  int problem = 0;

  void push(std::string_view bytes) {
    input += bytes;
    while (problem == 0 && !input.empty()) {
      const auto used = parser.parse(input);
      if (!used) {
        problem = used.error().status;
        return;
      }
      if (*used == 0) return;
      input.erase(0, *used);
    }
  }
};

int problem_of(std::string_view bytes) {
  Reader reader;
  reader.push(bytes);
  return reader.problem;
}

constexpr std::string_view kPost =
    "POST /v1/Devices/my%20porch?Force=true&Note=a+b HTTP/1.1\r\nHost: x\r\nX-Twice: 1\r\nx-twice: 2\r\n"
    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";

TEST(HttpParser, GivesTheSameRequestHoweverTheBytesAreCut) {
  for (std::size_t piece = 1; piece <= kPost.size(); ++piece) {
    Reader reader;
    for (std::size_t at = 0; at < kPost.size(); at += piece) reader.push(kPost.substr(at, piece));
    ASSERT_EQ(reader.problem, 0) << "in pieces of " << piece;
    ASSERT_EQ(reader.recorder.requests.size(), 1u);
    const HttpRequest& request = reader.recorder.requests[0];
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.path, "/v1/Devices/my porch");
    EXPECT_EQ(request.query, (Fields{{"Force", "true"}, {"Note", "a b"}}));
    EXPECT_EQ(request.header("x-twice"), "2");
    EXPECT_TRUE(request.keep_alive);
    EXPECT_TRUE(reader.recorder.announced);
    EXPECT_EQ(reader.recorder.body, "hello world");
    EXPECT_EQ(reader.recorder.completed, 1);
    EXPECT_FALSE(reader.parser.in_request());
  }
}

TEST(HttpParser, TakesAnEmptyChunkedBodyHoweverItIsCut) {
  constexpr std::string_view kEmpty = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  for (std::size_t piece = 1; piece <= kEmpty.size(); ++piece) {
    Reader reader;
    for (std::size_t at = 0; at < kEmpty.size(); at += piece) reader.push(kEmpty.substr(at, piece));
    EXPECT_EQ(reader.problem, 0) << "in pieces of " << piece;
    EXPECT_EQ(reader.recorder.completed, 1) << "in pieces of " << piece;
  }
}

TEST(HttpParser, KeepsNoLongLineOfAChunk) {
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(problem_of(head + "1;" + std::string(HttpParser::kHeaderLimit, 'x')), 431);
  EXPECT_EQ(problem_of(head + "0\r\nTrailer: " + std::string(HttpParser::kHeaderLimit, 'x')), 431);
}

TEST(HttpParser, TakesRequestsThatFollowEachOtherOneByOne) {
  Recorder recorder;
  HttpParser parser(recorder);
  const std::string first = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto used = parser.parse(first + "GET /b HTTP/1.1\r\n");
  ASSERT_TRUE(used);
  EXPECT_EQ(*used, first.size());
  EXPECT_EQ(recorder.completed, 1);
}

TEST(HttpParser, SaysWhetherTheConnectionIsToStay) {
  Reader reader;
  reader.push("GET / HTTP/1.1\r\nConnection: close\r\n\r\nGET / HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\n\r\n");
  ASSERT_EQ(reader.recorder.requests.size(), 3u);
  EXPECT_FALSE(reader.recorder.requests[0].keep_alive);
  EXPECT_FALSE(reader.recorder.requests[1].keep_alive);
  EXPECT_TRUE(reader.recorder.requests[2].keep_alive);
}

TEST(HttpParser, DropsTheRestOfARequestThatIsNotWanted) {
  Reader reader;
  reader.recorder.wanted = false;
  reader.push(kPost);
  EXPECT_EQ(reader.problem, 0);
  EXPECT_EQ(reader.recorder.body, "");
  EXPECT_EQ(reader.recorder.completed, 0);
  EXPECT_EQ(reader.input, "");
}

TEST(HttpParser, RefusesAHeaderAboveItsLimitBeforeItsEnd) {
  EXPECT_EQ(problem_of("GET / HTTP/1.1\r\nX: " + std::string(17'000, 'x')), 431);
  EXPECT_EQ(problem_of("GET /" + std::string(17'000, 'x')), 431);
}

TEST(HttpParser, RefusesBodiesThatTwoReadersWouldReadDifferently) {
  // RFC 9112, 6.1 and 6.3: what smuggles requests past a proxy.
  EXPECT_EQ(problem_of("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(problem_of("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), 400);
  EXPECT_EQ(problem_of("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), 400);
  EXPECT_EQ(problem_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 400);
}

TEST(HttpParser, RefusesWhatIsNotARequestOfThisVersion) {
  EXPECT_EQ(problem_of("GET / HTTP/2.0\r\n\r\n"), 505);
  EXPECT_EQ(problem_of("GET / HTTP/0.9\r\n\r\n"), 505);
  EXPECT_EQ(problem_of("\x16\x03\x01\x02"), 400);
}

TEST(HttpParser, RefusesTargetsThatAreNoPath) {
  EXPECT_EQ(problem_of("GET http://elsewhere/ HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(problem_of("GET /%ff HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(problem_of("GET /%00 HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(problem_of("GET /?a=1&a=2 HTTP/1.1\r\n\r\n"), 400);
}

}  // namespace
}  // namespace mv::cloud
