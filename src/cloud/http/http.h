// HTTP as the API sees it: requests with their bodies in pieces, replies that are whole, streamed, or a WebSocket.
// Nothing of a library's types: the parser is in http_parser.cc, the connection in http_session.cc.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cloud/text.h"

namespace mv::cloud {

// Parameters by name, from a query, a form, or a JSON object. Names and values are UTF-8.
using Fields = std::map<std::string, std::string, std::less<>>;

struct HttpRequest {
  std::string method;
  std::string path;    // decoded, without the query
  std::string target;  // as it came
  Fields query;
  std::map<std::string, std::string, std::less<>> headers;  // names in lower case; of repeated ones the last
  bool keep_alive = true;

  std::string_view header(std::string_view name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  }
};

// Where a streamed reply goes.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual void send(std::string_view bytes) = 0;
  // True while the peer is behind: wait for `on_drained`.
  virtual bool full() const = 0;
  // The reply is complete. The source is destroyed later.
  virtual void end() = 0;
};

// Gives a reply's body piece by piece. Destroyed when the reply is over or the peer is gone.
class StreamSource {
 public:
  virtual ~StreamSource() = default;
  virtual void start(StreamSink& sink) = 0;
  virtual void on_drained() = 0;
  virtual void on_tick(Microseconds) {}
};

class WebSocketSink {
 public:
  virtual ~WebSocketSink() = default;
  virtual void send(std::string_view binary) = 0;
  virtual std::size_t unsent() const = 0;
  virtual void pause_reading(bool paused) = 0;
  // Sends a close frame; 4000 and above are ours. `on_closed` of the handler is not called for it.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
};

class WebSocketHandler {
 public:
  virtual ~WebSocketHandler() = default;
  virtual void start(WebSocketSink& sink) = 0;
  virtual void on_message(std::string_view binary) = 0;
  virtual void on_drained() = 0;
  virtual void on_tick(Microseconds) {}
  // The server is going to end.
  virtual void on_shutdown() = 0;
  // The peer closed or is gone. The last call.
  virtual void on_closed() = 0;
};

struct HttpReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::unique_ptr<StreamSource> stream;          // instead of `body`
  std::unique_ptr<WebSocketHandler> web_socket;  // instead of everything, status 101
  // Instead of everything: called once with where to put the reply when it is known, in this thread, now or later.
  std::function<void(std::function<void(HttpReply)>)> later;
};

// One request being taken in.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  // A reply that needs no body (a refusal, most often); the connection is closed after it if a body was announced.
  virtual std::optional<HttpReply> early_reply() = 0;
  // A piece of the body. False: refused, `finish` gives the reply at once and the rest is not read.
  virtual bool take(std::string_view body) = 0;
  virtual HttpReply finish() = 0;
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // The header is there, the body is to come.
  virtual std::unique_ptr<HttpExchange> begin(HttpRequest request) = 0;
};

}  // namespace mv::cloud
