// Requests, answers and failures of HTTP, as plain values.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace mv::transport {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// Where the cloud is and how it is talked to.
struct HttpOptions {
  std::string host;  // name or address, without brackets
  std::uint16_t port = 443;
  std::string ca_certificate;  // PEM file with the authorities to trust; empty: the system's
  std::string authorization;   // value of the Authorization header; empty: none
  std::string user_agent = "mvctl";
  std::chrono::milliseconds timeout = std::chrono::seconds(30);  // of one step that makes no progress
  const std::atomic<bool>* interrupted = nullptr;  // looked at often: true ends a blocking call with kInterrupted
};

struct HttpRequest {
  std::string method = "GET";
  std::string target;  // path and query, encoded
  HttpHeaders headers;
  std::string body;
};

struct HttpResponse {
  unsigned status = 0;
  HttpHeaders headers;
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
};

enum class HttpErrorKind : std::uint8_t {
  kBadOptions,   // the CA file cannot be read, ...
  kUnreachable,  // no connection
  kUntrusted,    // the server's certificate is not the one we trust
  kTimedOut,
  kLost,         // the connection broke in the middle
  kProtocol,     // the answer is not HTTP, or is too large
  kFile,         // the file to upload cannot be read
  kInterrupted,  // by `HttpOptions::interrupted`
  kRefused,      // an HTTP status that refuses: see `status` and `body` (open_websocket only)
};

struct HttpError {
  HttpErrorKind kind;
  std::string message;  // one sentence for a person
  unsigned status = 0;
  std::string body;
};

}  // namespace mv::transport
