#include "cloud/http/http_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include "cloud/http/form.h"

namespace mv::cloud {
namespace http = boost::beast::http;
using boost::beast::error_code;

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

// Path and query of the request target. Only origin form: we are no proxy (RFC 9112, 3.2).
bool split_target(HttpRequest& request) {
  if (request.target.empty() || request.target.front() != '/') return false;
  const std::string_view target(request.target);
  const std::size_t question = target.find('?');
  auto path = decode_percent(target.substr(0, question), false);
  if (!path) return false;
  request.path = std::move(*path);
  if (question == std::string_view::npos) return true;
  auto query = parse_form(target.substr(question + 1));
  if (!query) return false;
  request.query = std::move(*query);
  return true;
}

HttpParser::Problem problem_of(const error_code& error) {
  if (error == http::error::header_limit) {
    return {431, "the request's header is larger than the 16 KiB allowed"};
  }
  if (error == http::error::body_limit) return {413, "the request's body is too large"};
  if (error == http::error::bad_version) return {505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  return {400, "the request is not HTTP/1.1: " + error.message()};
}

}  // namespace

// Beast calls these as it finds things; errors set here stop it.
class HttpParser::Impl final : public http::basic_parser<true> {
 public:
  explicit Impl(HttpParserEvents& events) : events_(events) {
    eager(true);
    header_limit(static_cast<std::uint32_t>(kHeaderLimit));
    body_limit(boost::none);  // each route has its own limit
  }

  bool bad_target() const { return bad_target_; }
  bool stopped() const { return stopped_; }

 private:
  void on_request_impl(http::verb, boost::beast::string_view method, boost::beast::string_view target, int version,
                       error_code& error) override {
    request_.method = std::string(view(method));
    request_.target = std::string(view(target));
    if (version < 10) error = http::error::bad_version;
    bad_target_ = !split_target(request_);
    if (bad_target_) error = http::error::bad_target;
  }
  void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}

  void on_field_impl(http::field, boost::beast::string_view name, boost::beast::string_view value,
                     error_code&) override {
    request_.headers[lower(view(name))] = std::string(view(value));
  }

  void on_header_impl(error_code& error) override {
    request_.keep_alive = keep_alive();
    const bool has_body = chunked() || content_length().value_or(0) > 0;
    if (!events_.on_request(std::move(request_), has_body)) stop(error);
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

  std::size_t on_body_impl(boost::beast::string_view body, error_code& error) override { return give(body, error); }
  void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view body, error_code& error) override {
    return give(body, error);
  }
  void on_finish_impl(error_code&) override { events_.on_complete(); }

  std::size_t give(boost::beast::string_view body, error_code& error) {
    if (!events_.on_body(view(body))) stop(error);
    return body.size();
  }

  void stop(error_code& error) {
    stopped_ = true;
    error = http::error::end_of_stream;
  }

  HttpParserEvents& events_;
  HttpRequest request_;
  bool bad_target_ = false;
  bool stopped_ = false;
};

HttpParser::HttpParser(HttpParserEvents& events) : events_(events), impl_(std::make_unique<Impl>(events)) {}
HttpParser::~HttpParser() = default;

tl::expected<std::size_t, HttpParser::Problem> HttpParser::parse(std::string_view bytes) {
  // Beast holds it for a mistake of its caller when the last chunk's "0\r\n\r\n" comes in pieces of which one is its
  // first four bytes. Nothing shorter ends a chunked body, so what is shorter may wait.
  constexpr std::size_t kShortestEnd = 5;
  if (impl_->is_header_done() && impl_->chunked() && bytes.size() < kShortestEnd) return 0;
  error_code error;
  const std::size_t used = impl_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  if (impl_->stopped()) return bytes.size();
  if (error && error != http::error::need_more) {
    if (impl_->bad_target())
      return tl::make_unexpected(Problem{400, "the request's path or query is not well-formed UTF-8"});
    return tl::make_unexpected(problem_of(error));
  }
  // A header, the line before a chunk, or what follows the last one: Beast takes each of them whole.
  if (!impl_->is_done() && bytes.size() - used > kHeaderLimit) {
    return tl::make_unexpected(problem_of(http::error::header_limit));
  }
  if (impl_->is_done()) impl_ = std::make_unique<Impl>(events_);
  return used;
}

bool HttpParser::in_request() const { return impl_->got_some(); }

}  // namespace mv::cloud
