#include "transport/http_client.h"

#include <poll.h>

#include <array>
#include <fstream>
#include <optional>
#include <random>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "transport/loopback.h"
#include "transport/tls_client.h"

namespace mv::transport {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using Stream = asio::ssl::stream<tcp::socket>;

constexpr std::size_t kPiece = 64 * 1024;          // bytes handed over, or sent, at once
constexpr std::size_t kMaxRefusal = 1 << 20;       // bytes of an answer that is not 2xx to a streamed request
constexpr milliseconds kLook = milliseconds(100);  // how often `interrupted` is looked at

std::string random_boundary() {
  std::random_device random;
  std::string boundary = "mvctl-";
  for (int i = 0; i < 4; ++i) boundary += std::to_string(random());
  return boundary;
}

// A name inside a quoted string of a multipart header: quotes and line ends would end it.
std::string quote_parameter(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) out.push_back(c == '"' || c == '\r' || c == '\n' ? '_' : c);
  return out + "\"";
}

template <typename Message>
HttpHeaders headers_of(const Message& message) {
  HttpHeaders headers;
  for (const auto& field : message) headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  return headers;
}

}  // namespace

class HttpClient::Connection {
 public:
  Connection(HttpOptions options, std::shared_ptr<asio::ssl::context> tls)
      : options_(std::move(options)), tls_(std::move(tls)) {}

  tl::expected<HttpResponse, HttpError> request(const HttpRequest& request);
  tl::expected<HttpResponse, HttpError> upload(const Upload& upload,
                                               const std::function<void(std::uint64_t, std::uint64_t)>& progress);
  tl::expected<HttpResponse, HttpError> stream(const HttpRequest& request, milliseconds idle,
                                               const std::function<bool(std::string_view)>& on_data,
                                               const std::function<bool()>& go_on);

 private:
  template <typename Start>
  error_code run(Start start, milliseconds timeout);
  template <typename Start>
  error_code run(Start start) {
    return run(std::move(start), options_.timeout);
  }

  bool is_interrupted() const { return options_.interrupted != nullptr && options_.interrupted->load(); }
  tl::expected<void, HttpError> open();
  tl::expected<void, HttpError> connect();
  void close();
  bool usable() const;
  HttpError broken(const error_code& error) const;
  tl::unexpected<HttpError> lost(const error_code& error);

  template <typename Message>
  void fill(Message& message, const HttpHeaders& headers) const;
  template <typename Read>
  tl::expected<HttpResponse, HttpError> exchange(const HttpRequest& request, Read read);
  error_code write(const HttpRequest& request);
  tl::expected<HttpResponse, HttpError> read();
  tl::expected<void, error_code> send_file(std::ifstream& file, std::uint64_t total,
                                           const std::function<void(std::uint64_t, std::uint64_t)>& progress);
  tl::expected<HttpResponse, HttpError> read_stream(milliseconds idle,
                                                    const std::function<bool(std::string_view)>& on_data);

  HttpOptions options_;
  std::shared_ptr<asio::ssl::context> tls_;
  asio::io_context context_;
  std::optional<Stream> stream_;
  boost::beast::flat_buffer buffer_;
  std::function<bool()> go_on_;  // of the stream that is read
};

// Runs one asynchronous operation to its end, to the time limit, or to an interrupt.
template <typename Start>
error_code HttpClient::Connection::run(Start start, milliseconds timeout) {
  std::optional<error_code> result;
  start([&result](error_code error, auto&&...) { result = error; });
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  context_.restart();
  while (!result) {
    context_.run_one_for(kLook);
    if (result) break;
    const bool interrupted = is_interrupted() || (go_on_ && !go_on_());
    if (!interrupted && std::chrono::steady_clock::now() < deadline) continue;
    error_code ignored;
    stream_->lowest_layer().close(ignored);
    while (!result && context_.run_one() > 0) {
    }
    return interrupted ? asio::error::interrupted : asio::error::timed_out;
  }
  return *result;
}

tl::expected<void, HttpError> HttpClient::Connection::open() {
  if (stream_ && usable()) return {};
  close();
  stream_.emplace(context_, *tls_);
  if (auto connected = connect(); !connected) {
    close();
    return connected;
  }
  expect_server(stream_->native_handle(), options_.host);
  const error_code error = run([this](auto done) { stream_->async_handshake(Stream::client, done); });
  if (!error) return {};
  HttpError why = error == asio::error::timed_out || error == asio::error::interrupted
                      ? broken(error)
                      : explain_handshake(stream_->native_handle(), options_, error);
  close();
  return tl::make_unexpected(std::move(why));
}

tl::expected<void, HttpError> HttpClient::Connection::connect() {
  tcp::resolver resolver(context_);
  tcp::resolver::results_type addresses;
  error_code error = run([&](auto done) {
    resolver.async_resolve(name_to_resolve(options_.host), std::to_string(options_.port),
                           [&addresses, done](error_code e, auto found) {
                             addresses = std::move(found);
                             done(e);
                           });
  });
  if (!error) {
    error = run([&](auto done) { asio::async_connect(stream_->next_layer(), addresses, done); });
  }
  if (!error) {
    error_code ignored;
    stream_->next_layer().set_option(tcp::no_delay(true), ignored);
    return {};
  }
  if (error == asio::error::interrupted) return tl::make_unexpected(broken(error));
  return tl::make_unexpected(explain_connect(options_, error));
}

void HttpClient::Connection::close() {
  if (!stream_) return;
  error_code ignored;
  stream_->lowest_layer().close(ignored);
  stream_.reset();
  buffer_.clear();
}

// An idle connection with something to read was closed by the server: it must not be used for a request that is not
// safe to repeat.
bool HttpClient::Connection::usable() const {
  if (!stream_->lowest_layer().is_open()) return false;
  pollfd state{const_cast<Stream&>(*stream_).lowest_layer().native_handle(), POLLIN, 0};
  return ::poll(&state, 1, 0) == 0;
}

HttpError HttpClient::Connection::broken(const error_code& error) const {
  const std::string where = "https://" + authority(options_);
  if (error == asio::error::interrupted) return {HttpErrorKind::kInterrupted, "interrupted", 0, {}};
  if (error == asio::error::timed_out) {
    return {HttpErrorKind::kTimedOut,
            where + " did not answer within " + std::to_string(options_.timeout.count() / 1000) + " s",
            0,
            {}};
  }
  if (error == http::error::body_limit ||
      error.category() == http::make_error_code(http::error::end_of_stream).category()) {
    if (error != http::error::end_of_stream && error != http::error::partial_message) {
      return {HttpErrorKind::kProtocol, where + " sent an answer that cannot be read: " + error.message(), 0, {}};
    }
  }
  return {HttpErrorKind::kLost, "the connection to " + where + " broke: " + error.message(), 0, {}};
}

tl::unexpected<HttpError> HttpClient::Connection::lost(const error_code& error) {
  HttpError why = broken(error);
  close();
  return tl::unexpected<HttpError>(std::move(why));
}

template <typename Message>
void HttpClient::Connection::fill(Message& message, const HttpHeaders& headers) const {
  message.set(http::field::host, authority(options_));
  message.set(http::field::user_agent, options_.user_agent);
  if (!options_.authorization.empty()) message.set(http::field::authorization, options_.authorization);
  for (const auto& [name, value] : headers) message.set(name, value);
}

error_code HttpClient::Connection::write(const HttpRequest& request) {
  http::request<http::string_body> message;
  message.version(11);
  message.method_string(request.method);
  message.target(request.target);
  fill(message, request.headers);
  message.body() = request.body;
  message.prepare_payload();
  return run([&](auto done) { http::async_write(*stream_, message, done); });
}

tl::expected<HttpResponse, HttpError> HttpClient::Connection::read() {
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxBody);
  const error_code error = run([&](auto done) { http::async_read(*stream_, buffer_, parser, done); });
  if (error) return lost(error);
  auto message = parser.release();
  HttpResponse response{message.result_int(), headers_of(message), std::move(message.body())};
  if (!message.keep_alive()) close();
  return response;
}

template <typename Read>
tl::expected<HttpResponse, HttpError> HttpClient::Connection::exchange(const HttpRequest& request, Read read) {
  if (auto opened = open(); !opened) return tl::make_unexpected(opened.error());
  if (const error_code error = write(request)) return lost(error);
  return read();
}

tl::expected<HttpResponse, HttpError> HttpClient::Connection::request(const HttpRequest& request) {
  const bool kept = stream_.has_value();
  const auto once = [&] { return exchange(request, [this] { return read(); }); };
  auto response = once();
  const bool repeatable = kept && request.method == "GET";
  if (response || !repeatable || response.error().kind != HttpErrorKind::kLost) return response;
  return once();
}

tl::expected<void, error_code> HttpClient::Connection::send_file(
    std::ifstream& file, std::uint64_t total, const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  std::vector<char> piece(kPiece);
  for (std::uint64_t done = 0; done < total;) {
    file.read(piece.data(), static_cast<std::streamsize>(std::min<std::uint64_t>(piece.size(), total - done)));
    const auto length = static_cast<std::size_t>(file.gcount());
    if (length == 0) return tl::make_unexpected(make_error_code(boost::system::errc::io_error));
    const error_code error =
        run([&](auto handler) { asio::async_write(*stream_, asio::buffer(piece.data(), length), handler); });
    if (error) return tl::make_unexpected(error);
    done += length;
    if (progress) progress(done, total);
  }
  return {};
}

tl::expected<HttpResponse, HttpError> HttpClient::Connection::upload(
    const Upload& upload, const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  std::error_code size_error;
  const std::uint64_t size = std::filesystem::file_size(upload.file, size_error);
  std::ifstream file(upload.file, std::ios::binary);
  if (size_error || !file) {
    return tl::make_unexpected(HttpError{HttpErrorKind::kFile, "cannot read " + upload.file.string(), 0, {}});
  }
  const std::string boundary = random_boundary();
  std::string before;
  for (const auto& [name, value] : upload.fields) {
    before += "--" + boundary + "\r\nContent-Disposition: form-data; name=" + quote_parameter(name) + "\r\n\r\n" +
              value + "\r\n";
  }
  before += "--" + boundary + "\r\nContent-Disposition: form-data; name=" + quote_parameter(upload.field) +
            "; filename=" + quote_parameter(upload.file_name) + "\r\nContent-Type: application/zip\r\n\r\n";
  const std::string after = "\r\n--" + boundary + "--\r\n";

  if (auto opened = open(); !opened) return tl::make_unexpected(opened.error());
  http::request<http::empty_body> message(http::verb::post, upload.target, 11);
  fill(message, {{"Content-Type", "multipart/form-data; boundary=" + boundary}});
  message.content_length(before.size() + size + after.size());
  http::request_serializer<http::empty_body> serializer(message);
  error_code error = run([&](auto done) { http::async_write_header(*stream_, serializer, done); });
  if (!error) error = run([&](auto done) { asio::async_write(*stream_, asio::buffer(before), done); });
  if (!error) {
    if (const auto sent = send_file(file, size, progress); !sent) error = sent.error();
  }
  if (!error) error = run([&](auto done) { asio::async_write(*stream_, asio::buffer(after), done); });
  if (error == boost::system::errc::io_error) {
    close();
    return tl::make_unexpected(
        HttpError{HttpErrorKind::kFile, upload.file.string() + " became shorter while it was sent", 0, {}});
  }
  if (error == asio::error::interrupted || error == asio::error::timed_out) return lost(error);
  // A server that refuses early answers and stops reading: its answer says more than the broken write.
  auto response = read();
  if (!response && error) return lost(error);
  return response;
}

tl::expected<HttpResponse, HttpError> HttpClient::Connection::stream(
    const HttpRequest& request, milliseconds idle, const std::function<bool(std::string_view)>& on_data,
    const std::function<bool()>& go_on) {
  go_on_ = go_on;
  auto response = exchange(request, [&] { return read_stream(idle, on_data); });
  go_on_ = nullptr;
  return response;
}

tl::expected<HttpResponse, HttpError> HttpClient::Connection::read_stream(
    milliseconds idle, const std::function<bool(std::string_view)>& on_data) {
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  if (const error_code error = run([&](auto done) { http::async_read_header(*stream_, buffer_, parser, done); })) {
    return lost(error);
  }
  HttpResponse response{parser.get().result_int(), headers_of(parser.get()), {}};
  std::vector<char> piece(kPiece);
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    error_code error = run([&](auto done) { http::async_read_some(*stream_, buffer_, parser, done); }, idle);
    if (error == http::error::need_buffer) error = {};
    const std::string_view received(piece.data(), piece.size() - body.size);
    if (error) return lost(error);
    if (!response.ok()) {
      response.body.append(received);
      if (response.body.size() > kMaxRefusal) return lost(http::error::body_limit);
    } else if (!received.empty() && !on_data(received)) {
      close();
      return response;
    }
  }
  if (!parser.get().keep_alive()) close();
  return response;
}

HttpClient::HttpClient(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

tl::expected<HttpClient, HttpError> HttpClient::make(HttpOptions options) {
  auto tls = make_tls_client(options);
  if (!tls) return tl::make_unexpected(tls.error());
  return HttpClient(std::make_unique<Connection>(std::move(options), *std::move(tls)));
}

tl::expected<HttpResponse, HttpError> HttpClient::request(const HttpRequest& request) {
  return connection_->request(request);
}

tl::expected<HttpResponse, HttpError> HttpClient::upload(
    const Upload& upload, const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  return connection_->upload(upload, progress);
}

tl::expected<HttpResponse, HttpError> HttpClient::stream(const HttpRequest& request, milliseconds idle,
                                                         const std::function<bool(std::string_view)>& on_data,
                                                         const std::function<bool()>& go_on) {
  return connection_->stream(request, idle, on_data, go_on);
}

}  // namespace mv::transport
