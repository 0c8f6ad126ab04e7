// The HTTPS client against a server on the loopback that says what each test wants: well-behaved, slow, cut, lying.
#include "transport/http_client.h"

#include <array>
#include <atomic>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "transport/test_tls.h"

namespace mv::transport {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using test::TestServer;
using test::TlsStream;

constexpr milliseconds kSoon = milliseconds(200);
constexpr const char* kEmptyAnswer = "HTTP/1.1 204 No Content\r\n\r\n";

// The head of a request, and its body if it names a length.
std::string take_request(TlsStream& stream) {
  std::string text;
  const std::size_t head = asio::read_until(stream, asio::dynamic_buffer(text), "\r\n\r\n");
  const std::size_t field = text.find("Content-Length: ");
  if (field < head) {
    const std::size_t length = std::stoul(text.substr(field + 16));
    if (text.size() < head + length) {
      asio::read(stream, asio::dynamic_buffer(text), asio::transfer_exactly(head + length - text.size()));
    }
  }
  return text;
}

void say(TlsStream& stream, const std::string& text) { asio::write(stream, asio::buffer(text)); }

// Until the client hangs up.
void linger(TlsStream& stream) {
  std::array<char, 4096> ignored{};
  while (true) stream.read_some(asio::buffer(ignored));
}

class HttpClientTest : public testing::Test {
 protected:
  HttpOptions options(const TestServer& server) const {
    HttpOptions options;
    options.host = "127.0.0.1";
    options.port = server.port();
    options.ca_certificate = authority_file_.path();
    return options;
  }

  // A server that reads a request, says this, and hangs up in good order.
  TestServer::Serve saying(std::string answer) const {
    return test::over_tls(identity_, [answer = std::move(answer)](TlsStream& stream) {
      take_request(stream);
      say(stream, answer);
      boost::system::error_code ignored;
      stream.shutdown(ignored);
    });
  }

  tl::expected<HttpResponse, HttpError> ask(const HttpOptions& options, const HttpRequest& request = {}) const {
    auto client = HttpClient::make(options);
    if (!client) return tl::make_unexpected(client.error());
    return client->request(request);
  }

  tl::expected<HttpResponse, HttpError> ask_server(TestServer::Serve serve) const {
    const TestServer server(std::move(serve));
    return ask(options(server), {"GET", "/v1/Apps", {}, {}});
  }

  HttpErrorKind error_of(TestServer::Serve serve) const {
    const auto answer = ask_server(std::move(serve));
    EXPECT_FALSE(answer.has_value()) << answer->status << ' ' << answer->body;
    return answer ? HttpErrorKind::kBadOptions : answer.error().kind;
  }

  test::Authority authority_;
  test::Identity identity_ = authority_.issue("cloud", "IP:127.0.0.1");
  test::TemporaryFile authority_file_{authority_.certificate()};
};

TEST_F(HttpClientTest, HandsOverStatusHeadersAndBodyOfAnyAnswer) {
  const auto answer = ask_server(saying("HTTP/1.1 404 Not Found\r\nX-Why: none\r\nContent-Length: 4\r\n\r\ngone"));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 404U);
  EXPECT_FALSE(answer->ok());
  EXPECT_EQ(answer->body, "gone");
  EXPECT_EQ(answer->headers.front(), (std::pair<std::string, std::string>("X-Why", "none")));
}

TEST_F(HttpClientTest, SendsWhoAsksAndTheBody) {
  std::string seen;
  const TestServer server(test::over_tls(identity_, [&](TlsStream& stream) {
    seen = take_request(stream);
    say(stream, kEmptyAnswer);
  }));
  HttpOptions with_token = options(server);
  with_token.authorization = "Bearer secret";
  const auto answer = ask(with_token, {"POST", "/v1/Apps?x=1", {{"X-Extra", "1"}}, "a=b"});
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_TRUE(seen.starts_with("POST /v1/Apps?x=1 HTTP/1.1\r\n")) << seen;
  EXPECT_NE(seen.find("Authorization: Bearer secret\r\n"), std::string::npos) << seen;
  EXPECT_NE(seen.find("Host: 127.0.0.1:" + std::to_string(server.port())), std::string::npos) << seen;
  EXPECT_NE(seen.find("X-Extra: 1\r\n"), std::string::npos) << seen;
  EXPECT_TRUE(seen.ends_with("\r\n\r\na=b")) << seen;
}

TEST_F(HttpClientTest, PutsAChunkedBodyTogether) {
  const auto answer =
      ask_server(saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, "abcde");
}

TEST_F(HttpClientTest, RefusesAHeaderThatIsTooLong) {
  EXPECT_EQ(error_of(saying("HTTP/1.1 200 OK\r\nX: " + std::string(64 * 1024, 'x') + "\r\n\r\n")),
            HttpErrorKind::kProtocol);
}

TEST_F(HttpClientTest, RefusesABodyThatIsTooLongBeforeItComes) {
  const std::string length = std::to_string(HttpClient::kMaxBody + 1);
  EXPECT_EQ(error_of(saying("HTTP/1.1 200 OK\r\nContent-Length: " + length + "\r\n\r\n")), HttpErrorKind::kProtocol);
  EXPECT_EQ(error_of(saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4000001\r\n")),
            HttpErrorKind::kProtocol);
}

TEST_F(HttpClientTest, RefusesWhatIsNotHttp) {
  EXPECT_EQ(error_of(saying("220 smtp ready\r\n\r\n")), HttpErrorKind::kProtocol);
  EXPECT_EQ(error_of(saying("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n")), HttpErrorKind::kProtocol);
}

TEST_F(HttpClientTest, NoticesAConnectionThatEndsInTheMiddleOfABody) {
  EXPECT_EQ(error_of(saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")), HttpErrorKind::kLost);
  EXPECT_EQ(error_of(saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc")), HttpErrorKind::kLost);
}

TEST_F(HttpClientTest, NoticesACutThatTlsDoesNotAnnounce) {
  // Without a length the end of the connection is the end of the body, so a cut must not pass for one.
  const auto cut = [](TlsStream& stream) {
    take_request(stream);
    say(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf of the truth");
  };
  EXPECT_EQ(error_of(test::over_tls(identity_, cut)), HttpErrorKind::kLost);
}

TEST_F(HttpClientTest, TrustsOnlyItsAuthorityAndTheServersName) {
  EXPECT_EQ(error_of(test::over_tls(test::Authority().issue("cloud", "IP:127.0.0.1"), linger)),
            HttpErrorKind::kUntrusted);
  EXPECT_EQ(error_of(test::over_tls(authority_.issue("cloud", "IP:127.0.0.2"), linger)), HttpErrorKind::kUntrusted);
}

TEST_F(HttpClientTest, SaysWhenThePortSpeaksNoTls) {
  EXPECT_EQ(
      error_of([](test::Tcp::socket& socket) { asio::write(socket, asio::buffer("HTTP/1.1 400 Bad\r\n\r\n", 20)); }),
      HttpErrorKind::kUnreachable);
}

TEST_F(HttpClientTest, SaysWhenNothingListens) {
  HttpOptions nobody;
  {
    const TestServer server(saying(kEmptyAnswer));
    nobody = options(server);
  }
  const auto answer = ask(nobody);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, HttpErrorKind::kUnreachable);
  EXPECT_NE(answer.error().message.find("connection refused"), std::string::npos) << answer.error().message;
}

TEST_F(HttpClientTest, NamesACertificateFileThatCannotBeRead) {
  const TestServer server(saying(kEmptyAnswer));
  HttpOptions wrong = options(server);
  wrong.ca_certificate = "/nowhere/ca.pem";
  const auto answer = ask(wrong);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, HttpErrorKind::kBadOptions);
  EXPECT_NE(answer.error().message.find("/nowhere/ca.pem"), std::string::npos);
}

TEST_F(HttpClientTest, GivesUpOnAServerThatStopsTalking) {
  const auto silent_after = [&](const std::string& words) {
    const TestServer server(test::over_tls(identity_, [&](TlsStream& stream) {
      say(stream, words);
      linger(stream);
    }));
    HttpOptions hasty = options(server);
    hasty.timeout = kSoon;
    const auto answer = ask(hasty);
    EXPECT_FALSE(answer.has_value());
    return answer ? HttpErrorKind::kBadOptions : answer.error().kind;
  };
  EXPECT_EQ(silent_after(""), HttpErrorKind::kTimedOut);
  EXPECT_EQ(silent_after("HTTP/1.1 200 OK\r\nContent-Le"), HttpErrorKind::kTimedOut);
  EXPECT_EQ(silent_after("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), HttpErrorKind::kTimedOut);
}

TEST_F(HttpClientTest, GivesUpOnAServerThatNeverShakesHands) {
  const TestServer server([](test::Tcp::socket& socket) {
    std::array<char, 4096> ignored{};
    while (true) socket.read_some(asio::buffer(ignored));
  });
  HttpOptions hasty = options(server);
  hasty.timeout = kSoon;
  const auto answer = ask(hasty);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, HttpErrorKind::kTimedOut);
}

TEST_F(HttpClientTest, EndsWhenItIsInterrupted) {
  std::atomic<bool> interrupted = false;
  const TestServer server(test::over_tls(identity_, [&](TlsStream& stream) {
    take_request(stream);
    interrupted = true;
    linger(stream);
  }));
  HttpOptions patient = options(server);
  patient.interrupted = &interrupted;
  const auto answer = ask(patient);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, HttpErrorKind::kInterrupted);
}

TEST_F(HttpClientTest, KeepsItsConnectionAndOpensAnotherWhenItHasGone) {
  std::atomic<int> connections = 0;
  const TestServer server(test::over_tls(identity_, [&](TlsStream& stream) {
    ++connections;
    for (int request = 0; request < 2; ++request) {
      take_request(stream);
      say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  }));
  auto client = HttpClient::make(options(server));
  ASSERT_TRUE(client.has_value());
  for (int request = 0; request < 4; ++request) {
    const auto answer = client->request({"GET", "/", {}, {}});
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
  }
  EXPECT_EQ(connections, 2);
}

TEST_F(HttpClientTest, NeverRepeatsARequestThatChangesSomething) {
  std::atomic<int> posts = 0;
  const TestServer server(test::over_tls(identity_, [&](TlsStream& stream) {
    take_request(stream);
    say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    if (take_request(stream).starts_with("POST")) ++posts;
  }));
  auto client = HttpClient::make(options(server));
  ASSERT_TRUE(client->request({"GET", "/", {}, {}}).has_value());
  const auto answer = client->request({"POST", "/", {}, {}});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, HttpErrorKind::kLost);
  EXPECT_EQ(posts, 1);
}

TEST_F(HttpClientTest, UploadsAFileAsOneFieldOfAForm) {
  std::string seen;
  const TestServer server(test::over_tls(identity_, [&](TlsStream& stream) {
    seen = take_request(stream);
    say(stream, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
  }));
  const test::TemporaryFile file(std::string(200'000, 'z'));
  auto client = HttpClient::make(options(server));
  std::uint64_t last = 0;
  const auto answer = client->upload({"/v1/Apps", "File", file.path(), "a\"b.zip", {{"UniqueName", "porch"}}},
                                     [&](std::uint64_t done, std::uint64_t total) {
                                       EXPECT_GT(done, last);
                                       EXPECT_EQ(total, 200'000U);
                                       last = done;
                                     });
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 201U);
  EXPECT_EQ(last, 200'000U);
  EXPECT_NE(seen.find("name=\"UniqueName\"\r\n\r\nporch\r\n"), std::string::npos);
  EXPECT_NE(seen.find("filename=\"a_b.zip\""), std::string::npos);
  EXPECT_NE(seen.find("\r\n\r\n" + std::string(200'000, 'z') + "\r\n--"), std::string::npos);
}

TEST_F(HttpClientTest, HearsAServerThatRefusesAnUploadEarly) {
  const TestServer server(test::over_tls(identity_, [](TlsStream& stream) {
    std::string head;
    asio::read_until(stream, asio::dynamic_buffer(head), "\r\n\r\n");
    say(stream, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
    linger(stream);
  }));
  const test::TemporaryFile file(std::string(2'000'000, 'z'));
  auto client = HttpClient::make(options(server));
  const auto answer = client->upload({"/v1/Apps", "File", file.path(), "a.zip", {}}, nullptr);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 413U);
  EXPECT_EQ(answer->body, "big");
}

TEST_F(HttpClientTest, SaysWhenTheFileToUploadCannotBeRead) {
  const TestServer server(saying(kEmptyAnswer));
  auto client = HttpClient::make(options(server));
  const auto answer = client->upload({"/v1/Apps", "File", "/nowhere/a.zip", "a.zip", {}}, nullptr);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, HttpErrorKind::kFile);
}

class HttpStreamTest : public HttpClientTest {
 protected:
  tl::expected<HttpResponse, HttpError> stream(const TestServer& server, const std::function<bool()>& go_on = nullptr) {
    auto client = HttpClient::make(options(server));
    return client->stream({"GET", "/v1/Events", {}, {}}, kSoon, [&](std::string_view piece) {
      received_ += piece;
      return !go_on || go_on();
    });
  }

  std::string received_;
};

TEST_F(HttpStreamTest, HandsOverPiecesUntilTheEnd) {
  const TestServer server(
      saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
  const auto answer = stream(server);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(received_, "abcde");
}

TEST_F(HttpStreamTest, StopsWhenItIsToldTo) {
  const TestServer server(test::over_tls(identity_, [](TlsStream& stream) {
    take_request(stream);
    say(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    linger(stream);
  }));
  const auto answer = stream(server, [] { return false; });
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(received_, "abc");
}

TEST_F(HttpStreamTest, GivesUpWhenNothingComesForTooLong) {
  const TestServer server(test::over_tls(identity_, [](TlsStream& stream) {
    take_request(stream);
    say(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    linger(stream);
  }));
  const auto answer = stream(server);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, HttpErrorKind::kTimedOut);
  EXPECT_EQ(received_, "abc");
}

TEST_F(HttpStreamTest, NoticesACut) {
  const TestServer server(saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"));
  const auto answer = stream(server);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, HttpErrorKind::kLost);
}

TEST_F(HttpStreamTest, ReturnsARefusalWhole) {
  const TestServer server(saying("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));
  const auto answer = stream(server);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 403U);
  EXPECT_EQ(answer->body, "no");
  EXPECT_EQ(received_, "");
}

TEST_F(HttpStreamTest, DoesNotListenToARefusalThatNeverEnds) {
  const TestServer server(test::over_tls(identity_, [](TlsStream& stream) {
    take_request(stream);
    say(stream, "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    while (true) say(stream, chunk);
  }));
  const auto answer = stream(server);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, HttpErrorKind::kProtocol);
}

}  // namespace
}  // namespace mv::transport
