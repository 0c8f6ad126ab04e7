#include "cloud/api/api.h"

#include <spdlog/spdlog.h>

#include "cloud/access.h"
#include "cloud/api/answers.h"
#include "cloud/api/upload.h"
#include "cloud/http/form.h"

namespace mv::cloud {
namespace {

constexpr std::size_t kBodyLimit = 64 * 1024;  // of everything but an upload

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::size_t slash = std::min(path.find('/'), path.size());
    parts.emplace_back(path.substr(0, slash));
    path.remove_prefix(slash);
  }
  return parts;
}

bool matches(const std::string& pattern, const std::vector<std::string>& path, std::vector<std::string>& places) {
  const auto expected = split_path(pattern);
  if (expected.size() != path.size()) return false;
  places.clear();
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (expected[i] == "{}") {
      if (path[i].empty()) return false;
      places.push_back(path[i]);
    } else if (expected[i] != path[i]) {
      return false;
    }
  }
  return true;
}

void count_request(Services& services, const std::string& route, int status) {
  services.metrics.add("mvcloud_http_requests_total", 1,
                       "route=\"" + route + "\",status=\"" + std::to_string(status) + "\"");
}

// Answers without looking at the body.
class Refused final : public HttpExchange {
 public:
  explicit Refused(HttpReply reply) : reply_(std::move(reply)) {}
  std::optional<HttpReply> early_reply() override { return std::move(reply_); }
  bool take(std::string_view) override { return false; }
  HttpReply finish() override { return std::move(reply_); }

 private:
  HttpReply reply_;
};

// Collects a small body and calls the route.
class Routed final : public HttpExchange {
 public:
  Routed(Services& services, const Api::Entry& entry, HttpRequest request, std::vector<std::string> path,
         std::string account)
      : services_(services),
        entry_(entry),
        request_(std::move(request)),
        path_(std::move(path)),
        account_(std::move(account)) {}

  std::optional<HttpReply> early_reply() override { return std::nullopt; }

  bool take(std::string_view body) override {
    body_ += body;
    return body_.size() <= kBodyLimit;
  }

  HttpReply finish() override {
    if (body_.size() > kBodyLimit) return error_reply(413, "the request's body is larger than the 64 KiB allowed");
    auto fields = read_fields();
    if (!fields) return error_reply(400, fields.error());
    Call call{services_, request_, account_, path_, std::move(*fields)};
    return entry_.route(call);
  }

 private:
  Result<Fields> read_fields() const {
    if (body_.empty()) return Fields{};
    const std::string_view type = request_.header("content-type");
    if (type.starts_with("application/json")) return parse_json_fields(body_);
    auto fields = parse_form(body_);
    if (!fields)
      return fail("the body is not a form in UTF-8 with each field once (application/x-www-form-urlencoded)");
    return std::move(*fields);
  }

  Services& services_;
  const Api::Entry& entry_;
  HttpRequest request_;
  std::vector<std::string> path_;
  std::string account_;
  std::string body_;
};

// Counts what another exchange answers.
class Counted final : public HttpExchange {
 public:
  Counted(Services& services, std::string route, std::unique_ptr<HttpExchange> inner)
      : services_(services), route_(std::move(route)), inner_(std::move(inner)) {}

  std::optional<HttpReply> early_reply() override {
    auto reply = inner_->early_reply();
    if (reply) count_request(services_, route_, reply->status);
    return reply;
  }
  bool take(std::string_view body) override {
    services_.metrics.add("mvcloud_http_body_bytes_total", static_cast<std::int64_t>(body.size()));
    return inner_->take(body);
  }
  HttpReply finish() override {
    HttpReply reply = inner_->finish();
    if (reply.later) {
      count_later(reply);
    } else {
      count_request(services_, route_, reply.status);
    }
    return reply;
  }

 private:
  void count_later(HttpReply& reply) const {
    using Put = std::function<void(HttpReply)>;
    reply.later = [later = std::move(reply.later), &services = services_, route = route_](Put put) {
      later([put = std::move(put), &services, route](HttpReply known) {
        count_request(services, route, known.status);
        put(std::move(known));
      });
    };
  }

  Services& services_;
  std::string route_;
  std::unique_ptr<HttpExchange> inner_;
};

}  // namespace

Api::Api(Services& services) : services_(services) {
  add_app_routes(entries_);
  add_delta_routes(entries_);
  add_microvisor_routes(entries_);
  add_device_key_routes(entries_);
  add_device_routes(entries_);
  add_access_routes(entries_);
  add_stream_routes(entries_);
  add_operation_routes(entries_);
}

const Api::Entry* Api::find(const HttpRequest& request, std::vector<std::string>& path, bool& path_exists) const {
  const auto parts = split_path(request.path);
  for (const Entry& entry : entries_) {
    if (!matches(entry.pattern, parts, path)) continue;
    path_exists = true;
    if (entry.method == request.method) return &entry;
  }
  return nullptr;
}

std::unique_ptr<HttpExchange> Api::begin(HttpRequest request) {
  const auto refused = [this](const std::string& route, HttpReply reply) {
    return std::make_unique<Counted>(services_, route, std::make_unique<Refused>(std::move(reply)));
  };
  std::vector<std::string> path;
  bool path_exists = false;
  const Entry* entry = find(request, path, path_exists);
  if (entry == nullptr) {
    return path_exists ? refused("none", error_reply(405, "the method " + request.method + " is not for this path"))
                       : refused("none", error_reply(404, "there is nothing at " + request.path));
  }
  std::string account;
  if (!entry->open) {
    auto known = authenticate(services_.store, request.header("authorization"), services_.now());
    if (!known) return refused(entry->pattern, error_reply(401, known.error()));
    account = std::move(*known);
  }
  std::unique_ptr<HttpExchange> exchange;
  if (entry->upload != nullptr) {
    exchange = std::make_unique<Upload>(services_, account, request, entry->upload);
  } else {
    exchange = std::make_unique<Routed>(services_, *entry, std::move(request), std::move(path), std::move(account));
  }
  return std::make_unique<Counted>(services_, entry->pattern, std::move(exchange));
}

}  // namespace mv::cloud
