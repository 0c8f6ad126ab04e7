// The WebSocket against a server on the loopback: Beast takes the upgrade, and from there on frames are given byte by
// byte (RFC 6455, section 5.2).
#include "transport/websocket.h"

#include <array>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>

#include "transport/test_tls.h"
#include "wire/frame.h"

namespace mv::transport {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using test::bytes;
using test::TestServer;
using test::TlsStream;
using Upgraded = websocket::stream<TlsStream&>;

constexpr auto kSoon = std::chrono::milliseconds(200);

// Frames of a server: not masked, shorter than 126 bytes.
constexpr unsigned char kFinal = 0x80;
constexpr unsigned char kContinuation = 0x0, kBinary = 0x2, kClose = 0x8, kPing = 0x9, kPong = 0xA;

std::string frame(unsigned char head, const std::string& payload) {
  return std::string{static_cast<char>(head), static_cast<char>(payload.size())} + payload;
}

std::string close_frame(std::uint16_t code, const std::string& reason) {
  return frame(kFinal | kClose, std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + reason);
}

void say(Upgraded& stream, const std::string& text) { asio::write(stream.next_layer(), asio::buffer(text)); }

// One frame of the client, which masks them: its first byte and its payload.
std::pair<unsigned char, std::string> take_frame(Upgraded& stream) {
  std::array<unsigned char, 6> head{};
  asio::read(stream.next_layer(), asio::buffer(head));
  std::string payload(head[1] & 0x7F, '\0');
  asio::read(stream.next_layer(), asio::buffer(payload));
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ head[2 + i % 4]);
  return {head[0], payload};
}

void linger(Upgraded& stream) {
  std::array<char, 4096> ignored{};
  while (true) stream.next_layer().read_some(asio::buffer(ignored));
}

class WebSocketTest : public testing::Test {
 protected:
  HttpOptions options(const TestServer& server) const {
    HttpOptions options;
    options.host = "127.0.0.1";
    options.port = server.port();
    options.ca_certificate = authority_file_.path();
    options.authorization = "Bearer secret";
    return options;
  }

  TestServer::Serve upgraded(std::function<void(Upgraded&)> serve) const {
    return test::over_tls(identity_, [serve = std::move(serve)](TlsStream& tls) {
      Upgraded stream(tls);
      stream.accept();
      serve(stream);
    });
  }

  // Opens, listens, and runs until the pipe has ended or `until` bytes came. The closing handshake is not waited for.
  void run(const HttpOptions& options, std::size_t until = SIZE_MAX) {
    bool over = false;
    open_websocket(context_, options, "/v1/Devices/UV1/DebugStream", [&, until](auto opened) {
      if (!opened) {
        error_ = opened.error();
        over = true;
        return;
      }
      pipe_ = std::move(*opened);
      pipe_->start(
          [&, until](std::span<const std::uint8_t> data) {
            received_.append(data.begin(), data.end());
            over = received_.size() >= until;
          },
          [&](const PipeEnd& end) {
            end_ = end;
            over = true;
          });
      if (!greeting_.empty()) pipe_->send(bytes(greeting_));
    });
    context_.restart();
    while (!over && context_.run_one() > 0) {
    }
    pipe_.reset();
  }

  void run_against(TestServer::Serve serve, std::size_t until = SIZE_MAX) {
    const TestServer server(std::move(serve));
    run(options(server), until);
  }

  test::Authority authority_;
  test::Identity identity_ = authority_.issue("cloud", "IP:127.0.0.1");
  test::TemporaryFile authority_file_{authority_.certificate()};
  asio::io_context context_;
  std::unique_ptr<BytePipe> pipe_;
  std::string greeting_;
  std::string received_;
  std::optional<PipeEnd> end_;
  std::optional<HttpError> error_;
};

TEST_F(WebSocketTest, CarriesBytesBothWays) {
  greeting_ = "hello";
  run_against(upgraded([](Upgraded& stream) {
                const auto [head, payload] = take_frame(stream);
                EXPECT_EQ(head, kFinal | kBinary);
                say(stream, frame(kFinal | kBinary, payload + " yourself"));
                linger(stream);
              }),
              14);
  EXPECT_EQ(received_, "hello yourself");
  EXPECT_FALSE(end_) << "we closed it, so nobody tells us";
}

TEST_F(WebSocketTest, SendsTheTokenWithTheUpgrade) {
  std::string head;
  run_against(test::over_tls(identity_, [&](TlsStream& stream) {
    asio::read_until(stream, asio::dynamic_buffer(head), "\r\n\r\n");
    asio::write(stream, asio::buffer(std::string("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")));
  }));
  EXPECT_TRUE(head.starts_with("GET /v1/Devices/UV1/DebugStream HTTP/1.1\r\n")) << head;
  EXPECT_NE(head.find("Authorization: Bearer secret\r\n"), std::string::npos) << head;
  ASSERT_TRUE(error_.has_value());
  EXPECT_EQ(error_->status, 401U);
}

TEST_F(WebSocketTest, PutsFragmentsTogether) {
  run_against(upgraded([](Upgraded& stream) {
    say(stream, frame(kBinary, "one ") + frame(kContinuation, "two ") + frame(kFinal | kPing, "?") +
                    frame(kFinal | kContinuation, "three"));
    EXPECT_EQ(take_frame(stream).first, kFinal | kPong);
    say(stream, close_frame(1000, ""));
    linger(stream);
  }));
  EXPECT_EQ(received_, "one two three");
}

TEST_F(WebSocketTest, AnswersAPingWithItsOwnBytes) {
  std::pair<unsigned char, std::string> answer;
  run_against(upgraded([&](Upgraded& stream) {
    say(stream, frame(kFinal | kPing, "still there?"));
    answer = take_frame(stream);
    say(stream, close_frame(1000, ""));
    linger(stream);
  }));
  EXPECT_EQ(answer.first, kFinal | kPong);
  EXPECT_EQ(answer.second, "still there?");
}

TEST_F(WebSocketTest, RefusesAMessageThatIsTooLong) {
  std::pair<unsigned char, std::string> answer;
  run_against(upgraded([&](Upgraded& stream) {
    // 64-bit length: 2 MiB. Not a byte of it needs to come.
    say(stream, std::string("\x82\x7F\0\0\0\0\0\x20\0\0", 10));
    answer = take_frame(stream);
  }));
  EXPECT_EQ(received_, "");
  EXPECT_EQ(answer.first, kFinal | kClose);
  EXPECT_EQ(answer.second.substr(0, 2), std::string("\x03\xF1")) << "1009: message too big";
  ASSERT_TRUE(end_.has_value());
  EXPECT_EQ(end_->reason, PipeEnd::Reason::kLost);
}

TEST_F(WebSocketTest, RefusesFragmentsThatAreTooLongTogether) {
  run_against(upgraded([](Upgraded& stream) {
    const std::string part = std::string("\x7F\0\0\0\0\0\x0A\0\0", 9) + std::string(0xA0000, 'x');  // 640 KiB
    say(stream, '\x02' + part);
    say(stream, '\0' + part);
    linger(stream);
  }));
  EXPECT_EQ(received_, "");
  ASSERT_TRUE(end_.has_value());
  EXPECT_EQ(end_->reason, PipeEnd::Reason::kLost);
}

TEST_F(WebSocketTest, EndsOnFramesThatBreakTheRules) {
  for (const std::string& wrong : {std::string("\xC2\x01x", 3),     // a reserved bit
                                   std::string("\x83\x01x", 3),     // an opcode that does not exist
                                   std::string("\x80\x01x", 3),     // a continuation of nothing
                                   std::string("\x82\x81xxxx"),     // masked, which only clients do
                                   std::string("\x09\x01x", 3)}) {  // a ping in fragments
    end_.reset();
    run_against(upgraded([&](Upgraded& stream) {
      say(stream, wrong);
      linger(stream);
    }));
    ASSERT_TRUE(end_.has_value());
    EXPECT_EQ(end_->reason, PipeEnd::Reason::kLost);
    EXPECT_EQ(received_, "");
  }
}

TEST_F(WebSocketTest, TellsTheCloudsReasonOfTheEnd) {
  run_against(upgraded([](Upgraded& stream) {
    say(stream, frame(kFinal | kBinary, "bye") + close_frame(4003, "somebody else debugs it"));
    linger(stream);
  }));
  EXPECT_EQ(received_, "bye");
  ASSERT_TRUE(end_.has_value());
  EXPECT_EQ(end_->reason, PipeEnd::Reason::kPeerClosed);
  EXPECT_EQ(end_->code, 3);
  EXPECT_EQ(end_->text, "somebody else debugs it");
}

TEST_F(WebSocketTest, TellsAnEndInGoodOrderFromABrokenOne) {
  const auto end_after = [&](const std::string& words) {
    end_.reset();
    run_against(upgraded([&](Upgraded& stream) {
      say(stream, words);
      if (words.back() != '!') linger(stream);
    }));
    return end_.value_or(PipeEnd{PipeEnd::Reason::kLost, 9999, "it did not end"});
  };
  const PipeEnd normal = end_after(close_frame(1000, ""));
  EXPECT_EQ(normal.reason, PipeEnd::Reason::kPeerClosed);
  EXPECT_EQ(normal.code, 0);
  const PipeEnd restart = end_after(close_frame(1012, "restarts"));
  EXPECT_EQ(restart.reason, PipeEnd::Reason::kLost);
  EXPECT_EQ(restart.text, "restarts");
  EXPECT_EQ(end_after("\x82\x09"
                      "cut here!")
                .reason,
            PipeEnd::Reason::kLost);
  EXPECT_EQ(end_after("\x82\x7E\x01\x01"
                      "cut in the middle of a message!")
                .reason,
            PipeEnd::Reason::kLost);
}

TEST_F(WebSocketTest, SendsWhatIsQueuedBeforeItCloses) {
  std::string heard;
  unsigned char last = 0;
  const TestServer server(upgraded([&](Upgraded& stream) {
    while (last != (kFinal | kClose)) {
      const auto [head, payload] = take_frame(stream);
      last = head;
      if (head == (kFinal | kBinary)) heard += payload;
    }
    say(stream, close_frame(1000, ""));
  }));
  open_websocket(context_, options(server), "/", [](auto opened) {
    ASSERT_TRUE(opened.has_value());
    (*opened)->start([](auto) {}, [](const PipeEnd&) {});
    for (const char* part : {"one ", "two ", "three"}) (*opened)->send(bytes(part));
    EXPECT_EQ((*opened)->unsent(), 13U);
  });
  context_.run();
  EXPECT_EQ(heard, "one two three");
  EXPECT_EQ(last, kFinal | kClose);
}

TEST_F(WebSocketTest, HandsOverTheCloudsRefusal) {
  run_against(test::over_tls(identity_, [](TlsStream& stream) {
    std::string head;
    asio::read_until(stream, asio::dynamic_buffer(head), "\r\n\r\n");
    asio::write(stream, asio::buffer(std::string("HTTP/1.1 409 Conflict\r\nContent-Length: 4\r\n\r\nbusy")));
  }));
  ASSERT_TRUE(error_.has_value());
  EXPECT_EQ(error_->kind, HttpErrorKind::kRefused);
  EXPECT_EQ(error_->status, 409U);
  EXPECT_EQ(error_->body, "busy");
}

TEST_F(WebSocketTest, SaysWhenTheUpgradeIsCutShort) {
  run_against(test::over_tls(identity_, [](TlsStream& stream) {
    std::string head;
    asio::read_until(stream, asio::dynamic_buffer(head), "\r\n\r\n");
    asio::write(stream, asio::buffer(std::string("HTTP/1.1 101 Switching")));
  }));
  ASSERT_TRUE(error_.has_value());
  EXPECT_EQ(error_->kind, HttpErrorKind::kLost);
}

TEST_F(WebSocketTest, TrustsOnlyItsAuthorityAndTheServersName) {
  for (const test::Identity& wrong :
       {test::Authority().issue("cloud", "IP:127.0.0.1"), authority_.issue("cloud", "DNS:elsewhere")}) {
    error_.reset();
    run_against(test::over_tls(wrong, [](TlsStream&) {}));
    ASSERT_TRUE(error_.has_value());
    EXPECT_EQ(error_->kind, HttpErrorKind::kUntrusted);
  }
}

TEST_F(WebSocketTest, GivesUpOnAServerThatStopsTalking) {
  const auto hasty_against = [&](TestServer::Serve serve) {
    error_.reset();
    const TestServer server(std::move(serve));
    HttpOptions hasty = options(server);
    hasty.timeout = kSoon;
    run(hasty);
    return error_ ? error_->kind : HttpErrorKind::kBadOptions;
  };
  std::array<char, 4096> ignored{};
  EXPECT_EQ(hasty_against([&](test::Tcp::socket& socket) {
              while (true) socket.read_some(asio::buffer(ignored));
            }),
            HttpErrorKind::kTimedOut);
  EXPECT_EQ(hasty_against(test::over_tls(identity_,
                                         [&](TlsStream& stream) {
                                           while (true) stream.read_some(asio::buffer(ignored));
                                         })),
            HttpErrorKind::kTimedOut);
}

TEST_F(WebSocketTest, NamesACertificateFileThatCannotBeRead) {
  HttpOptions wrong;
  wrong.host = "127.0.0.1";
  wrong.ca_certificate = "/nowhere/ca.pem";
  run(wrong);
  ASSERT_TRUE(error_.has_value());
  EXPECT_EQ(error_->kind, HttpErrorKind::kBadOptions);
}

}  // namespace
}  // namespace mv::transport
