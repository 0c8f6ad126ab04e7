// HTTPS client of mvctl: requests, uploads, streamed answers. Calls block; errors are sentences.
//
// One connection, kept open between requests and opened again when it has gone. Not for use from several threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "transport/http.h"

namespace mv::transport {

// A file as one field of a multipart form, with text fields beside it.
struct Upload {
  std::string target;
  std::string field;  // name of the file's field
  std::filesystem::path file;
  std::string file_name;  // as the server is told
  std::vector<std::pair<std::string, std::string>> fields;
};

class HttpClient {
 public:
  // Bytes of a body that is taken whole; longer ones are a kProtocol error.
  static constexpr std::size_t kMaxBody = 64 << 20;

  // Does not connect yet. Errors: kBadOptions.
  static tl::expected<HttpClient, HttpError> make(HttpOptions options);

  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  tl::expected<HttpResponse, HttpError> request(const HttpRequest& request);

  // Streams the file from the disk; `progress(done, total)` counts its bytes.
  tl::expected<HttpResponse, HttpError> upload(const Upload& upload,
                                               const std::function<void(std::uint64_t, std::uint64_t)>& progress);

  // Hands the body over in pieces as it arrives, until it ends or `on_data` returns false. An answer that is not 2xx
  // is returned whole. `idle` is how long nothing may come. `go_on`, if there is one, is asked about ten times a second
  // while nothing comes: false ends the call with kInterrupted.
  tl::expected<HttpResponse, HttpError> stream(const HttpRequest& request, std::chrono::milliseconds idle,
                                               const std::function<bool(std::string_view)>& on_data,
                                               const std::function<bool()>& go_on = nullptr);

 private:
  class Connection;
  explicit HttpClient(std::unique_ptr<Connection> connection);

  std::unique_ptr<Connection> connection_;
};

}  // namespace mv::transport
