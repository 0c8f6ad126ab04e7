// One client's connection that speaks HTTP/1.1: requests in turn, streamed replies, WebSocket upgrade, time-outs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cloud/connection.h"
#include "cloud/http/http.h"
#include "cloud/http/http_parser.h"
#include "cloud/http/web_socket.h"

namespace mv::cloud {

class HttpSession final : public ConnectionUser, private HttpParserEvents, private StreamSink, private WebSocketSink {
 public:
  HttpSession(Connection& connection, HttpHandler& handler, Microseconds now);
  ~HttpSession() override;

  void on_bytes(std::span<const std::uint8_t> bytes) override;
  void on_drained() override;
  void on_tick(Microseconds now) override;
  void on_shutdown() override;
  void on_closed() override;

 private:
  enum class State { kRequests, kWaiting, kStreaming, kWebSocket, kClosing };

  bool on_request(HttpRequest request, bool has_body) override;
  bool on_body(std::string_view piece) override;
  void on_complete() override;

  void send(std::string_view bytes) override;
  bool full() const override;
  void end() override;
  // WebSocketSink has `send` too; a WebSocket's messages go through this.
  std::size_t unsent() const override { return connection_.unsent(); }
  void pause_reading(bool paused) override { connection_.pause_reading(paused); }
  void close(std::uint16_t code, std::string_view reason) override;

  void parse_input();
  void parse_requests();
  void reply(HttpReply reply, bool keep_alive);
  void wait_for_reply(HttpReply& reply);
  void start_stream(HttpReply& reply);
  void start_web_socket(HttpReply& reply);
  void take_web_socket(std::string_view bytes);
  bool take_frame(web_socket::Decoder::Event event);
  void shut();

  Connection& connection_;
  HttpHandler& handler_;
  State state_ = State::kRequests;
  HttpParser parser_;
  std::string input_;
  std::unique_ptr<HttpExchange> exchange_;
  bool keep_alive_ = true;
  bool head_only_ = false;
  std::unique_ptr<StreamSource> stream_;
  std::unique_ptr<WebSocketHandler> web_socket_;
  web_socket::Decoder decoder_;
  bool stream_ended_ = false;
  bool starting_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // who replies later looks whether we are there
  bool parsing_ = false;
  bool shutting_down_ = false;
  Microseconds now_;
  Microseconds last_byte_;
  Microseconds request_began_ = 0;
};

}  // namespace mv::cloud
