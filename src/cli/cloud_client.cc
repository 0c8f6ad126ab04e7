#include "cli/cloud_client.h"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "cli/base64.h"
#include "cli/interrupt.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;
using transport::FormFields;
using transport::HttpErrorKind;
using transport::HttpRequest;

constexpr int kPageSize = 200;
constexpr std::chrono::seconds kLongestRetry{2};  // a person waits
constexpr int kMostPages = 1000;                  // a server that never ends its list must not keep us for ever

// The value at a path of keys, or an empty one: what the cloud leaves out or sets to null is not there.
const ordered_json& at(const ordered_json& document, std::initializer_list<const char*> keys) {
  static const ordered_json kNothing;
  const ordered_json* value = &document;
  for (const char* key : keys) {
    if (!value->is_object() || !value->contains(key)) return kNothing;
    value = &(*value)[key];
  }
  return *value;
}

std::string text(const ordered_json& document, std::initializer_list<const char*> keys) {
  const ordered_json& value = at(document, keys);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::uint64_t count(const ordered_json& document, std::initializer_list<const char*> keys) {
  const ordered_json& value = at(document, keys);
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

std::optional<std::uint64_t> known_count(const ordered_json& document, std::initializer_list<const char*> keys) {
  const ordered_json& value = at(document, keys);
  return value.is_number_unsigned() ? std::optional(value.get<std::uint64_t>()) : std::nullopt;
}

// Seconds since 1970 of an RFC 3339 time in UTC, as the cloud writes them.
std::optional<double> seconds_of(const std::string& time) {
  std::tm fields{};
  const char* rest = ::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &fields);
  if (rest == nullptr) return std::nullopt;
  return static_cast<double>(::timegm(&fields)) + (*rest == '.' ? std::strtod(rest, nullptr) : 0.0);
}

// What has come since the download began, by the cloud's clock.
std::optional<double> rate_of(const ordered_json& document, const Update& update) {
  const auto since = seconds_of(text(document, {"update", "since"}));
  const auto reported = seconds_of(text(document, {"app", "date_reported"}));
  if (update.state != "downloading" || update.bytes_received == 0 || !since || !reported || *reported <= *since) {
    return std::nullopt;
  }
  return static_cast<double>(update.bytes_received) / (*reported - *since);
}

Update update_of(const ordered_json& document) {
  Update update;
  update.state = text(document, {"update", "state"});
  update.waits_for = text(document, {"update", "waits_for"});
  update.wait_left_sec = known_count(document, {"update", "wait_left_sec"});
  update.bytes_done = count(document, {"update", "bytes_done"});
  update.bytes_total = count(document, {"update", "bytes_total"});
  update.bytes_received = count(document, {"update", "bytes_received"});
  update.bytes_to_receive = known_count(document, {"update", "bytes_to_receive"});
  update.bytes_per_sec = rate_of(document, update);
  update.reason = text(document, {"update", "reason"});
  return update;
}

}  // namespace

Device device_of(ordered_json document) {
  Device device;
  device.sid = text(document, {"sid"});
  device.name = text(document, {"unique_name"});
  device.board = text(document, {"board"});
  device.online = text(document, {"connection", "state"}) == "online";
  device.state = text(document, {"state"});
  device.update_status = text(document, {"app", "update_status"});
  device.target_sid = text(document, {"app", "target_sid"});
  device.target_hash = text(document, {"app", "target_hash"});
  device.reported_hash = text(document, {"app", "reported_hash"});
  device.detail = text(document, {"detail"});
  device.update = update_of(document);
  device.document = std::move(document);
  return device;
}

std::optional<std::uint64_t> Update::seconds_left() const {
  if (!bytes_to_receive || !bytes_per_sec || *bytes_per_sec <= 0 || *bytes_to_receive < bytes_received) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(
      std::ceil(static_cast<double>(*bytes_to_receive - bytes_received) / *bytes_per_sec));
}

namespace {

App app_of(ordered_json document) {
  App app;
  app.sid = text(document, {"sid"});
  app.hash = text(document, {"hash"});
  app.name = text(document, {"name"});
  app.version = text(document, {"version"});
  app.size = count(document, {"size"});
  app.document = std::move(document);
  return app;
}

// 503 is a device that is offline, or a cloud that cannot work at the moment.
ExitCode code_of_status(unsigned status, const std::string& message) {
  switch (status) {
    case 401:
    case 403:
      return ExitCode::kNotAuthorised;
    case 404:
      return ExitCode::kNotFound;
    case 503:
      return message.find("offline") != std::string::npos ? ExitCode::kDeviceOffline : ExitCode::kCloudUnreachable;
    default:
      return ExitCode::kFailed;
  }
}

std::string method_line(const HttpRequest& request, const std::string& outcome,
                        std::chrono::steady_clock::time_point start) {
  const auto spent =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
  return request.method + " " + request.target + "  " + outcome + "  " + std::to_string(spent) + " ms";
}

}  // namespace

std::string text_of(const ordered_json& document, const char* key) { return text(document, {key}); }

Answer<transport::HttpOptions> http_options(const Context& context) {
  const auto url = transport::parse_cloud_url(context.cloud);
  if (!url) return fail(ExitCode::kUsage, url.error(), "see mvctl context show");
  transport::HttpOptions options;
  options.host = url->host;
  options.port = url->port;
  options.ca_certificate = context.ca_certificate;
  options.interrupted = &interrupted();
  if (!context.token.empty()) {
    options.authorization = context.account_sid.empty()
                                ? "Bearer " + context.token
                                : "Basic " + encode_base64(context.account_sid + ":" + context.token);
  }
  return options;
}

std::string cloud_target(const Context& context, const std::string& path) {
  const auto url = transport::parse_cloud_url(context.cloud);
  return (url ? url->path : std::string()) + "/v1" + path;
}

Failure to_failure(const transport::HttpError& error) {
  switch (error.kind) {
    case HttpErrorKind::kRefused:
      return refusal(error.status, error.body);
    case HttpErrorKind::kUntrusted:
      return {ExitCode::kCloudUnreachable, error.message,
              "give the CA certificate that mvcloud init wrote: mvctl context create NAME --from FILE"};
    case HttpErrorKind::kUnreachable:
    case HttpErrorKind::kTimedOut:
    case HttpErrorKind::kLost:
      return {ExitCode::kCloudUnreachable, error.message,
              "see whether mvcloud serve runs there, and mvctl context show"};
    case HttpErrorKind::kInterrupted:
      return {ExitCode::kFailed, "interrupted", {}};
    default:
      return {ExitCode::kFailed, error.message, {}};
  }
}

Failure refusal(unsigned status, const std::string& body) {
  const ordered_json document = ordered_json::parse(body, nullptr, false);
  std::string message = document.is_object() ? text(document, {"message"}) : std::string();
  if (message.empty()) message = "the cloud answered with HTTP status " + std::to_string(status);
  std::string hint;
  if (status == 401) hint = "the token of this context is not valid (any more): see mvctl context show";
  if (status == 404 && message.find("evice") != std::string::npos) hint = "see mvctl devices";
  return {code_of_status(status, message), message, hint};
}

Answer<CloudClient> CloudClient::make(const Context& context) {
  auto options = http_options(context);
  if (!options) return tl::make_unexpected(options.error());
  auto http = transport::HttpClient::make(*options);
  if (!http) return tl::make_unexpected(to_failure(http.error()));
  return CloudClient(*std::move(options), *std::move(http), cloud_target(context, ""));
}

std::string CloudClient::target(const std::string& path, const FormFields& query) const {
  return prefix_ + path + (query.empty() ? "" : "?" + transport::encode_form(query));
}

Answer<ordered_json> CloudClient::send(HttpRequest request) {
  request.headers.emplace_back("Accept", "application/json");
  const auto start = std::chrono::steady_clock::now();
  auto response = http_.request(request);
  trace_.push_back(method_line(request, response ? std::to_string(response->status) : response.error().message, start));
  if (!response) return tl::make_unexpected(to_failure(response.error()));
  if (!response->ok()) return tl::make_unexpected(refusal(response->status, response->body));
  if (response->body.empty()) return ordered_json();
  ordered_json document = ordered_json::parse(response->body, nullptr, false);
  if (document.is_discarded())
    return fail(ExitCode::kFailed, "the cloud's answer to " + request.target + " is not JSON");
  return document;
}

Answer<ordered_json> CloudClient::get(const std::string& path, const FormFields& query) {
  return send({"GET", target(path, query), {}, {}});
}

Answer<ordered_json> CloudClient::post(const std::string& path, const FormFields& fields) {
  return send(
      {"POST", target(path), {{"Content-Type", "application/x-www-form-urlencoded"}}, transport::encode_form(fields)});
}

Answer<void> CloudClient::remove(const std::string& path) {
  return send({"DELETE", target(path), {}, {}}).map([](const ordered_json&) {});
}

// All pages of a list. `meta.key` names the array, `meta.next_page_url` the next page.
Answer<std::vector<ordered_json>> CloudClient::list(const std::string& path) {
  std::vector<ordered_json> items;
  std::string next = target(path, {{"PageSize", std::to_string(kPageSize)}});
  for (int page = 0; page < kMostPages && !next.empty(); ++page) {
    const auto document = send({"GET", next, {}, {}});
    if (!document) return tl::make_unexpected(document.error());
    for (const ordered_json& item : at(*document, {text(*document, {"meta", "key"}).c_str()})) items.push_back(item);
    next = text(*document, {"meta", "next_page_url"});
    // An absolute address: we stay with the cloud we trust and take path and query only.
    if (const std::size_t scheme = next.find("://"); scheme != std::string::npos) {
      const std::size_t slash = next.find('/', scheme + 3);
      next = slash == std::string::npos ? std::string() : next.substr(slash);
    }
  }
  return items;
}

Answer<std::vector<Device>> CloudClient::devices() {
  return list("/Devices").map([](std::vector<ordered_json> documents) {
    std::vector<Device> devices;
    for (ordered_json& document : documents) devices.push_back(device_of(std::move(document)));
    return devices;
  });
}

Answer<Device> CloudClient::device(const std::string& name) {
  return get("/Devices/" + transport::percent_encode(name)).map(device_of);
}

Answer<Device> CloudClient::update_device(const std::string& sid, const FormFields& fields) {
  return post("/Devices/" + transport::percent_encode(sid), fields).map(device_of);
}

Answer<Provisioned> CloudClient::provision(const std::string& name, const std::string& board, const std::string& dial) {
  transport::FormFields fields = {{"UniqueName", name}, {"Board", board}};
  if (!dial.empty()) fields.emplace_back("Address", dial);
  auto document = post("/Devices", fields);
  if (!document) return tl::make_unexpected(document.error());
  const auto identity = decode_base64(text(*document, {"identity"}));
  if (!identity || identity->empty())
    return fail(ExitCode::kFailed, "the cloud made the device but gave no identity for it");
  // A secret: it must not be printed with the rest.
  document->erase("identity");
  return Provisioned{device_of(*std::move(document)), {identity->begin(), identity->end()}};
}

Answer<std::vector<ordered_json>> CloudClient::crashes(const std::string& sid) {
  return list("/Devices/" + transport::percent_encode(sid) + "/Crashes");
}

Answer<ordered_json> CloudClient::crash(const std::string& sid, std::uint64_t id) {
  return get("/Devices/" + transport::percent_encode(sid) + "/Crashes/" + std::to_string(id));
}

Answer<std::vector<App>> CloudClient::apps() {
  return list("/Apps").map([](std::vector<ordered_json> documents) {
    std::vector<App> apps;
    for (ordered_json& document : documents) apps.push_back(app_of(std::move(document)));
    return apps;
  });
}

Answer<App> CloudClient::app(const std::string& name) {
  return get("/Apps/" + transport::percent_encode(name)).map(app_of);
}

Answer<App> CloudClient::upload_app(const std::filesystem::path& bundle, const std::string& unique_name,
                                    const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  transport::Upload upload{target("/Apps"), "File", bundle, bundle.filename().string(), {}};
  if (!unique_name.empty()) upload.fields.emplace_back("UniqueName", unique_name);
  return this->upload(upload, progress).map(app_of);
}

Answer<ordered_json> CloudClient::upload(const transport::Upload& upload,
                                         const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  const auto response = http_.upload(upload, progress);
  if (!response) return tl::make_unexpected(to_failure(response.error()));
  if (!response->ok()) return tl::make_unexpected(refusal(response->status, response->body));
  ordered_json document = ordered_json::parse(response->body, nullptr, false);
  if (!document.is_object()) return fail(ExitCode::kFailed, "the cloud's answer to the upload is not JSON");
  return document;
}

Answer<std::vector<ordered_json>> CloudClient::microvisors() { return list("/Microvisors"); }

Answer<ordered_json> CloudClient::upload_microvisor(const std::filesystem::path& image,
                                                    const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  return upload({target("/Microvisors"), "File", image, image.filename().string(), {}}, progress);
}

Answer<Device> CloudClient::change_keys(const std::string& device_sid, std::string_view change) {
  return post("/Devices/" + transport::percent_encode(device_sid) + "/Keys", {{"Change", encode_base64(change)}})
      .map(device_of);
}

Answer<Device> CloudClient::order_microvisor(const std::string& device_sid, const FormFields& fields) {
  return post("/Devices/" + transport::percent_encode(device_sid) + "/Microvisor", fields).map(device_of);
}

Answer<void> CloudClient::delete_microvisor(const std::string& sid) {
  return remove("/Microvisors/" + transport::percent_encode(sid));
}

Answer<void> CloudClient::delete_device(const std::string& sid) {
  return remove("/Devices/" + transport::percent_encode(sid));
}

Answer<void> CloudClient::delete_app(const std::string& sid) {
  return remove("/Apps/" + transport::percent_encode(sid));
}

Answer<std::vector<ordered_json>> CloudClient::signers() { return list("/Signers"); }

Answer<ordered_json> CloudClient::add_signer(const std::string& name, const std::string& public_key_pem) {
  return post("/Signers", {{"Name", name}, {"PublicKey", public_key_pem}});
}

Answer<void> CloudClient::delete_signer(const std::string& key_id) {
  return remove("/Signers/" + transport::percent_encode(key_id));
}

Answer<void> CloudClient::events(const std::string& path, const FormFields& query, bool follow,
                                 const std::function<bool(const transport::ServerEvent&)>& on_event,
                                 const std::function<void(const std::string&)>& on_lost) {
  transport::EventStreamOptions options;
  options.target = target(path, query);
  options.follow = follow;
  return this->follow(options, on_event, on_lost);
}

// What the events say does not matter: the device as the cloud describes it is looked at anew. So nothing depends on
// one event arriving, and of the past only as much is asked for as falls between the order and this.
Answer<void> CloudClient::watch(const std::string& sid, const std::function<bool()>& look,
                                const std::function<bool()>& go_on,
                                const std::function<void(const std::string&)>& on_lost) {
  transport::EventStreamOptions options;
  options.target = target("/Events", {{"Device", sid}, {"Since", "-5s"}});
  options.patient = true;
  options.longest_retry = kLongestRetry;
  options.on_alive = look;
  options.go_on = go_on;
  return follow(
      options, [](const transport::ServerEvent&) { return true; }, on_lost);
}

Answer<void> CloudClient::follow(const transport::EventStreamOptions& wanted,
                                 const std::function<bool(const transport::ServerEvent&)>& on_event,
                                 const std::function<void(const std::string&)>& on_lost) {
  auto http = transport::HttpClient::make(options_);
  if (!http) return tl::make_unexpected(to_failure(http.error()));
  transport::EventStreamOptions options = wanted;
  options.interrupted = &interrupted();
  const auto done = transport::follow_events(
      *http, options, on_event, [&](const transport::HttpError& error) { on_lost(to_failure(error).message); });
  if (done || done.error().kind == HttpErrorKind::kInterrupted) return {};
  return tl::make_unexpected(to_failure(done.error()));
}

}  // namespace mv::cli
