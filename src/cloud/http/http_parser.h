// HTTP/1.1 requests from bytes, by Boost.Beast's parser, which stays behind this interface.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cloud/http/http.h"

namespace mv::cloud {

// What the parser finds, in order: one `on_request`, pieces of body, one `on_complete`.
class HttpParserEvents {
 public:
  virtual ~HttpParserEvents() = default;
  // `has_body` is true if a body was announced. False: stop, the rest of the request is not wanted.
  virtual bool on_request(HttpRequest request, bool has_body) = 0;
  virtual bool on_body(std::string_view piece) = 0;
  virtual void on_complete() = 0;
};

class HttpParser {
 public:
  static constexpr std::size_t kHeaderLimit = 16 * 1024;

  struct Problem {
    int status;  // of the reply: 400, 413, 431, 505
    Sentence sentence;
  };

  explicit HttpParser(HttpParserEvents& events);
  ~HttpParser();

  // Takes bytes up to the end of one request and returns how many; call again with the rest, together with what came
  // since. Nothing is remembered of bytes that were not taken. After a problem the connection cannot go on.
  tl::expected<std::size_t, Problem> parse(std::string_view bytes);

  // True between the first byte of a request and its end.
  bool in_request() const;

 private:
  class Impl;
  HttpParserEvents& events_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mv::cloud
