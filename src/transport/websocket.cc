#include "transport/websocket.h"

#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "transport/loopback.h"
#include "transport/tls_client.h"

namespace mv::transport {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kMaxMessage = 1 << 20;  // bytes of one message from the cloud

// The socket itself; kept alive by its own operations, so that a closing handshake ends after its pipe was destroyed.
class Socket : public std::enable_shared_from_this<Socket> {
 public:
  Socket(asio::io_context& context, HttpOptions options, std::shared_ptr<asio::ssl::context> tls, std::string target,
         OnWebSocket on_opened)
      : options_(std::move(options)),
        tls_(std::move(tls)),
        target_(std::move(target)),
        on_opened_(std::move(on_opened)),
        resolver_(context),
        stream_(context, *tls_) {}

  void resolve();
  void start(BytePipe::OnData on_data, BytePipe::OnClosed on_closed);
  void send(std::span<const std::uint8_t> bytes);
  void close();
  std::size_t unsent() const { return queue_.size() + writing_.size(); }

 private:
  void connect(const tcp::resolver::results_type& addresses);
  void secure();
  void upgrade();
  void upgraded(const error_code& error);
  void failed(HttpError error);

  void read();
  void write();
  void end(const error_code& error);
  void say_goodbye();
  PipeEnd describe_end(const error_code& error) const;

  HttpOptions options_;
  std::shared_ptr<asio::ssl::context> tls_;
  std::string target_;
  OnWebSocket on_opened_;
  tcp::resolver resolver_;
  websocket::stream<beast::ssl_stream<beast::tcp_stream>> stream_;
  websocket::response_type answer_;
  beast::flat_buffer buffer_;
  BytePipe::OnData on_data_;
  BytePipe::OnClosed on_closed_;
  std::vector<std::uint8_t> queue_;
  std::vector<std::uint8_t> writing_;
  bool closing_ = false;  // by us
  bool ended_ = false;
};

class WebSocketPipe final : public BytePipe {
 public:
  explicit WebSocketPipe(std::shared_ptr<Socket> socket) : socket_(std::move(socket)) {}
  ~WebSocketPipe() override { socket_->close(); }
  WebSocketPipe(const WebSocketPipe&) = delete;
  WebSocketPipe& operator=(const WebSocketPipe&) = delete;

  void start(OnData on_data, OnClosed on_closed) override { socket_->start(std::move(on_data), std::move(on_closed)); }
  void send(std::span<const std::uint8_t> bytes) override { socket_->send(bytes); }
  std::size_t unsent() const override { return socket_->unsent(); }
  void close() override { socket_->close(); }

 private:
  std::shared_ptr<Socket> socket_;
};

// A step that makes no progress: "The socket was closed due to a timeout" would not say whose.
HttpError timed_out(const HttpOptions& options) {
  return {HttpErrorKind::kTimedOut, "https://" + authority(options) + " does not answer", 0, {}};
}

void Socket::resolve() {
  resolver_.async_resolve(name_to_resolve(options_.host), std::to_string(options_.port),
                          [self = shared_from_this()](error_code error, const auto& addresses) {
                            if (error) return self->failed(explain_connect(self->options_, error));
                            self->connect(addresses);
                          });
}

void Socket::connect(const tcp::resolver::results_type& addresses) {
  auto& lowest = beast::get_lowest_layer(stream_);
  lowest.expires_after(options_.timeout);
  lowest.async_connect(addresses, [self = shared_from_this()](error_code error, const auto&) {
    if (error) return self->failed(explain_connect(self->options_, error));
    self->secure();
  });
}

void Socket::secure() {
  auto& lowest = beast::get_lowest_layer(stream_);
  error_code ignored;
  lowest.socket().set_option(tcp::no_delay(true), ignored);
  lowest.expires_after(options_.timeout);
  expect_server(stream_.next_layer().native_handle(), options_.host);
  stream_.next_layer().async_handshake(asio::ssl::stream_base::client, [self = shared_from_this()](error_code error) {
    if (!error) return self->upgrade();
    if (error == beast::error::timeout) return self->failed(timed_out(self->options_));
    self->failed(explain_handshake(self->stream_.next_layer().native_handle(), self->options_, error));
  });
}

void Socket::upgrade() {
  // From here on the WebSocket's own timers rule: it pings an idle peer and gives up on a dead one.
  beast::get_lowest_layer(stream_).expires_never();
  websocket::stream_base::timeout limits{};
  limits.handshake_timeout = options_.timeout;
  limits.idle_timeout = std::chrono::seconds(60);
  limits.keep_alive_pings = true;
  stream_.set_option(limits);
  stream_.read_message_max(kMaxMessage);
  stream_.binary(true);
  stream_.set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
    request.set(http::field::user_agent, options_.user_agent);
    if (!options_.authorization.empty()) request.set(http::field::authorization, options_.authorization);
  }));
  stream_.async_handshake(answer_, authority(options_), target_,
                          [self = shared_from_this()](error_code error) { self->upgraded(error); });
}

void Socket::upgraded(const error_code& error) {
  if (error == websocket::error::upgrade_declined) {
    const unsigned status = answer_.result_int();
    return failed({HttpErrorKind::kRefused, "the cloud refused with HTTP status " + std::to_string(status), status,
                   answer_.body()});
  }
  if (error == beast::error::timeout) return failed(timed_out(options_));
  if (error) return failed({HttpErrorKind::kLost, "the connection to the cloud broke: " + error.message(), 0, {}});
  const auto call = std::exchange(on_opened_, nullptr);
  call(std::make_unique<WebSocketPipe>(shared_from_this()));
}

void Socket::failed(HttpError error) {
  ended_ = true;
  const auto call = std::exchange(on_opened_, nullptr);
  call(tl::make_unexpected(std::move(error)));
}

void Socket::start(BytePipe::OnData on_data, BytePipe::OnClosed on_closed) {
  on_data_ = std::move(on_data);
  on_closed_ = std::move(on_closed);
  read();
}

void Socket::read() {
  stream_.async_read(buffer_, [self = shared_from_this()](error_code error, std::size_t) {
    if (error) return self->end(error);
    const auto bytes = self->buffer_.data();
    // A copy, because the callback may close the pipe and so clear `on_data_`.
    if (const auto call = self->on_data_; call && bytes.size() > 0) {
      call({static_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    }
    self->buffer_.consume(self->buffer_.size());
    // Goes on after `close` too: the peer's part of the closing handshake is read here.
    self->read();
  });
}

void Socket::send(std::span<const std::uint8_t> bytes) {
  if (closing_ || ended_ || bytes.empty()) return;
  queue_.insert(queue_.end(), bytes.begin(), bytes.end());
  if (writing_.empty()) write();
}

void Socket::write() {
  writing_ = std::exchange(queue_, {});
  stream_.async_write(asio::buffer(writing_), [self = shared_from_this()](error_code error, std::size_t) {
    self->writing_.clear();
    if (error) return self->end(error);
    if (!self->queue_.empty()) return self->write();
    if (self->closing_) self->say_goodbye();
  });
}

void Socket::end(const error_code& error) {
  if (std::exchange(ended_, true)) return;
  const auto call = std::exchange(on_closed_, nullptr);
  on_data_ = nullptr;
  if (call && !closing_) call(describe_end(error));
}

PipeEnd Socket::describe_end(const error_code& error) const {
  // A reason that came counts, even if the connection broke before the closing handshake was done.
  if (error != websocket::error::closed && !stream_.reason()) {
    return {PipeEnd::Reason::kLost, 0, "the connection to the cloud broke: " + error.message()};
  }
  const auto& reason = stream_.reason();
  const std::string text(reason.reason.data(), reason.reason.size());
  if (reason.code >= kCloseCodeBase && reason.code < kCloseCodeBase + 1000) {
    return {PipeEnd::Reason::kPeerClosed, static_cast<std::uint16_t>(reason.code - kCloseCodeBase), text};
  }
  if (reason.code == websocket::close_code::normal || reason.code == websocket::close_code::none) {
    return {PipeEnd::Reason::kPeerClosed, 0, text};
  }
  return {PipeEnd::Reason::kLost, 0, text.empty() ? "the cloud closed the connection" : text};
}

void Socket::close() {
  if (std::exchange(closing_, true)) return;
  on_data_ = nullptr;
  on_closed_ = nullptr;
  if (!ended_ && writing_.empty()) say_goodbye();
}

void Socket::say_goodbye() {
  stream_.async_close(websocket::close_code::normal, [self = shared_from_this()](error_code) { self->ended_ = true; });
}

}  // namespace

void open_websocket(asio::io_context& context, const HttpOptions& options, std::string target, OnWebSocket on_opened) {
  auto tls = make_tls_client(options);
  if (!tls) {
    asio::post(context, [call = std::move(on_opened), error = tls.error()] { call(tl::make_unexpected(error)); });
    return;
  }
  std::make_shared<Socket>(context, options, *std::move(tls), std::move(target), std::move(on_opened))->resolve();
}

}  // namespace mv::transport
