// The REST API (docs/rest-api.md, docs/openapi.yaml): who asks, which route, and the shape of answers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/files.h"
#include "cloud/http/http.h"
#include "cloud/services.h"

namespace mv::cloud {

// One request as a route sees it.
struct Call {
  Services& services;
  const HttpRequest& request;
  std::string account;            // whose token it was
  std::vector<std::string> path;  // what stood in the route's {} places
  Fields fields;                  // of the body
};

using Route = std::function<HttpReply(Call&)>;

// Keeps an uploaded file; `unique_name` is empty if none came with it.
using Keep = HttpReply (*)(Services& services, const std::string& account, TemporaryFile file,
                           const std::string& unique_name);

class Api final : public HttpHandler {
 public:
  explicit Api(Services& services);

  std::unique_ptr<HttpExchange> begin(HttpRequest request) override;

  struct Entry {
    std::string method;
    std::string pattern;  // "/v1/Apps/{}/Manifest"
    Route route;
    bool open = false;      // no authentication
    Keep upload = nullptr;  // the body is a file, which this keeps: see upload.h
  };

 private:
  const Entry* find(const HttpRequest& request, std::vector<std::string>& path, bool& path_exists) const;

  Services& services_;
  std::vector<Entry> entries_;
};

// Routes of each resource.
void add_app_routes(std::vector<Api::Entry>& entries);
void add_delta_routes(std::vector<Api::Entry>& entries);
void add_microvisor_routes(std::vector<Api::Entry>& entries);
void add_device_key_routes(std::vector<Api::Entry>& entries);
void add_device_routes(std::vector<Api::Entry>& entries);
void add_access_routes(std::vector<Api::Entry>& entries);
void add_stream_routes(std::vector<Api::Entry>& entries);
void add_operation_routes(std::vector<Api::Entry>& entries);

}  // namespace mv::cloud
