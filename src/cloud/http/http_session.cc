#include "cloud/http/http_session.h"

#include <array>
#include <nlohmann/json.hpp>

namespace mv::cloud {
namespace {

constexpr Microseconds kIdleTimeout = 75'000'000;     // between requests
constexpr Microseconds kSilenceTimeout = 30'000'000;  // within a request: no byte at all
constexpr Microseconds kHeaderTimeout = 30'000'000;   // from a request's first byte to the end of its header
constexpr std::size_t kStreamQueue = 64 * 1024;
constexpr std::size_t kPipelined = 64 * 1024;  // bytes kept of requests that follow while a reply is streamed

std::string_view status_text(int status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

std::string head_of(const HttpReply& reply, bool keep_alive) {
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " " + std::string(status_text(reply.status)) + "\r\n";
  for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
  if (reply.web_socket) return head;
  if (reply.stream) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (reply.status != 204) {
    head += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
  }
  head += keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
  return head;
}

HttpReply problem_reply(int status, const Sentence& sentence) {
  const nlohmann::ordered_json body = {
      {"code", 20000 + status}, {"message", sentence}, {"more_info", ""}, {"status", status}};
  HttpReply reply;
  reply.status = status;
  reply.headers = {{"Content-Type", "application/json"}};
  reply.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return reply;
}

}  // namespace

HttpSession::HttpSession(Connection& connection, HttpHandler& handler, Microseconds now)
    : connection_(connection), handler_(handler), parser_(*this), now_(now), last_byte_(now) {}

HttpSession::~HttpSession() = default;

void HttpSession::on_bytes(std::span<const std::uint8_t> bytes) {
  last_byte_ = now_;
  switch (state_) {
    case State::kRequests:
      input_ += as_chars(bytes);
      parse_input();
      break;
    case State::kWaiting:
    case State::kStreaming:
      input_ += as_chars(bytes);
      if (input_.size() > kPipelined) shut();
      break;
    case State::kWebSocket:
      take_web_socket(as_chars(bytes));
      break;
    case State::kClosing:
      break;
  }
}

void HttpSession::parse_input() {
  if (parsing_) return;  // a reply that is over at once comes back here from within the parser
  parsing_ = true;
  parse_requests();
  parsing_ = false;
}

void HttpSession::parse_requests() {
  while (state_ == State::kRequests && !input_.empty()) {
    if (!parser_.in_request()) request_began_ = now_;
    const auto used = parser_.parse(input_);
    if (!used) {
      if (state_ == State::kRequests) reply(problem_reply(used.error().status, used.error().sentence), false);
      return;
    }
    input_.erase(0, *used);
    if (*used == 0) return;
  }
  if (state_ == State::kWebSocket && !input_.empty()) take_web_socket(std::exchange(input_, {}));
}

bool HttpSession::on_request(HttpRequest request, bool has_body) {
  keep_alive_ = request.keep_alive && !shutting_down_;
  head_only_ = request.method == "HEAD";
  if (head_only_) request.method = "GET";
  const bool expects = request.header("expect") == "100-continue";
  exchange_ = handler_.begin(std::move(request));
  if (auto early = exchange_->early_reply()) {
    reply(std::move(*early), keep_alive_ && !has_body);
    exchange_.reset();
    return !has_body;
  }
  if (expects && has_body) connection_.write("HTTP/1.1 100 Continue\r\n\r\n");
  return true;
}

bool HttpSession::on_body(std::string_view piece) {
  if (!exchange_) return false;
  if (exchange_->take(piece)) return true;
  reply(exchange_->finish(), false);
  exchange_.reset();
  return false;
}

void HttpSession::on_complete() {
  if (!exchange_) return;
  const auto exchange = std::move(exchange_);
  reply(exchange->finish(), keep_alive_);
}

void HttpSession::reply(HttpReply reply, bool keep_alive) {
  if (head_only_ && reply.stream) reply.stream.reset();
  keep_alive_ = keep_alive;
  if (reply.later) return wait_for_reply(reply);
  if (reply.web_socket) return start_web_socket(reply);
  if (reply.stream) return start_stream(reply);
  connection_.write(head_of(reply, keep_alive) + "\r\n" + (head_only_ ? std::string() : reply.body));
  if (!keep_alive) shut();
}

void HttpSession::wait_for_reply(HttpReply& reply) {
  state_ = State::kWaiting;
  reply.later([this, alive = std::weak_ptr<bool>(alive_)](HttpReply known) {
    if (alive.expired() || state_ != State::kWaiting) return;  // the peer is gone
    state_ = State::kRequests;
    last_byte_ = now_;
    this->reply(std::move(known), keep_alive_);
    parse_input();
  });
}

void HttpSession::start_stream(HttpReply& reply) {
  connection_.write(head_of(reply, keep_alive_) + "\r\n");
  state_ = State::kStreaming;
  stream_ended_ = false;
  stream_ = std::move(reply.stream);
  starting_ = true;
  stream_->start(*this);
  starting_ = false;
  if (stream_ended_) on_drained();
}

void HttpSession::send(std::string_view bytes) {
  if (state_ == State::kWebSocket) return connection_.write(web_socket::encode(web_socket::Opcode::kBinary, bytes));
  if (state_ != State::kStreaming || stream_ended_ || bytes.empty()) return;
  std::array<char, 20> size{};
  const int length = std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
  connection_.write(std::string(size.data(), static_cast<std::size_t>(length)) + std::string(bytes) + "\r\n");
}

bool HttpSession::full() const { return connection_.unsent() > kStreamQueue; }

void HttpSession::end() {
  if (state_ != State::kStreaming || stream_ended_) return;
  stream_ended_ = true;
  connection_.write("0\r\n\r\n");
}

void HttpSession::on_drained() {
  if (state_ == State::kWebSocket && web_socket_) web_socket_->on_drained();
  if (state_ != State::kStreaming || starting_) return;
  if (!stream_ended_) stream_->on_drained();
  if (!stream_ended_) return;
  stream_.reset();
  if (!keep_alive_) return shut();
  state_ = State::kRequests;
  parse_input();
}

void HttpSession::start_web_socket(HttpReply& reply) {
  connection_.write(head_of(reply, true) + "\r\n");
  state_ = State::kWebSocket;
  web_socket_ = std::move(reply.web_socket);
  web_socket_->start(*this);
}

void HttpSession::take_web_socket(std::string_view bytes) {
  const auto taken =
      decoder_.push(bytes, [this](web_socket::Decoder::Event event) { return take_frame(std::move(event)); });
  if (taken || state_ != State::kWebSocket) return;
  const auto handler = std::move(web_socket_);
  close(taken.error().close_code, taken.error().sentence);
  handler->on_closed();
}

bool HttpSession::take_frame(web_socket::Decoder::Event event) {
  switch (event.opcode) {
    case web_socket::Opcode::kPing:
      connection_.write(web_socket::encode(web_socket::Opcode::kPong, event.payload));
      break;
    case web_socket::Opcode::kClose: {
      connection_.write(web_socket::encode(web_socket::Opcode::kClose, event.payload.substr(0, 2)));
      const auto handler = std::move(web_socket_);
      shut();
      handler->on_closed();
      break;
    }
    case web_socket::Opcode::kPong:
      break;
    default:
      web_socket_->on_message(event.payload);
  }
  return state_ == State::kWebSocket;
}

void HttpSession::close(std::uint16_t code, std::string_view reason) {
  if (state_ != State::kWebSocket) return;
  connection_.write(web_socket::encode_close(code, reason));
  shut();
}

void HttpSession::on_tick(Microseconds now) {
  now_ = now;
  if (stream_ && state_ == State::kStreaming && !stream_ended_) stream_->on_tick(now);
  if (state_ == State::kStreaming && stream_ended_) on_drained();
  if (web_socket_ && state_ == State::kWebSocket) web_socket_->on_tick(now);
  if (state_ != State::kRequests) return;
  if (!parser_.in_request()) {
    if (now - last_byte_ > kIdleTimeout) shut();
    return;
  }
  const bool header_late = !exchange_ && now - request_began_ > kHeaderTimeout;
  if (header_late || now - last_byte_ > kSilenceTimeout) {
    exchange_.reset();
    reply(problem_reply(408, "the request did not arrive in time: send it again"), false);
  }
}

void HttpSession::on_shutdown() {
  shutting_down_ = true;
  keep_alive_ = false;
  if (state_ == State::kWebSocket && web_socket_) web_socket_->on_shutdown();
  if (state_ == State::kStreaming) {
    end();
    on_drained();
  }
  if (state_ == State::kRequests && !parser_.in_request()) shut();
}

void HttpSession::on_closed() {
  state_ = State::kClosing;
  stream_.reset();
  exchange_.reset();
  if (const auto handler = std::move(web_socket_)) handler->on_closed();
}

void HttpSession::shut() {
  state_ = State::kClosing;
  connection_.close();
}

}  // namespace mv::cloud
