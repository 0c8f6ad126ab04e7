#include "cloud/api/answers.h"

#include <array>

#include "cloud/api/device_keys.h"
#include "cloud/api/microvisors.h"
#include "cloud/delta/deltas.h"
#include "cloud/http/form.h"
#include "cloud/link/messages.h"
#include "cloud/logging.h"
#include "cloud/update_state.h"
#include "wire/proto/link.pb.h"

namespace mv::cloud {
namespace {

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string page_number(const Fields& query) {
  const auto found = query.find("Page");
  return found == query.end() ? "0" : found->second;
}

std::string page_url(const Call& call, std::uint64_t page, const std::string& token) {
  std::string url = call.request.path + "?";
  for (const auto& [name, value] : call.request.query) {
    if (name != "Page" && name != "PageToken") url += encode_percent(name) + "=" + encode_percent(value) + "&";
  }
  return url + "Page=" + std::to_string(page) + (token.empty() ? "" : "&PageToken=" + token);
}

// The original's word for an update's state.
std::string_view update_status(UpdateState state) {
  if (has_reason(state)) return "error";
  return state == UpdateState::kUpToDate ? "up-to-date" : "pending";
}

std::string prefixed_hash(const std::string& hash) { return "sha256:" + to_hex(hash); }

// Of the manifest that the device is to run; empty: none.
std::string target_hash_of(Services& services, const Device& device) {
  if (device.desired.app_sid.empty()) return {};
  const auto target = services.store.app(device.account_sid, device.desired.app_sid);
  return target ? target->manifest.hash : std::string();
}

Json device_app_json(Services& services, const Device& device, const std::string& target_hash) {
  const Report& report = device.report;
  Json app;
  app["target_sid"] = text_or_null(device.desired.app_sid);
  app["target_hash"] = target_hash.empty() ? Json() : Json(prefixed_hash(target_hash));
  app["date_targeted"] = time_or_null(device.desired.targeted);
  app["update_status"] = update_status(update_state(device.desired, target_hash, report));
  app["update_error_code"] = report.error == 0 ? Json() : Json(report.error);
  app["reported_sid"] = Json();
  if (!report.running_hash.empty()) {
    if (const auto running = services.store.app(device.account_sid, report.running_hash))
      app["reported_sid"] = running->sid;
  }
  app["reported_hash"] = report.running_hash.empty() ? Json() : Json(prefixed_hash(report.running_hash));
  app["date_reported"] = time_or_null(report.reported);
  return app;
}

// What an update sends over the air to a device that runs what this one runs, as far as it is known without work.
Json bytes_to_receive(Services& services, const Device& device, const std::string& target_hash) {
  if (services.deltas == nullptr) return nullptr;
  const auto records = services.deltas->in_memory(
      delta_pair(services.store, device.account_sid, device.report.running_hash, target_hash));
  return records ? Json(records->bytes_to_receive()) : Json();
}

std::string_view wait_name(int wait) {
  return wait == wire::WAIT_APPLICATION ? "application" : wait == wire::WAIT_CONFIRMATION ? "confirmation" : "";
}

Json update_json(Services& services, const Device& device, const std::string& target_hash) {
  const Report& report = device.report;
  const UpdateState state = update_state(device.desired, target_hash, report);
  // What the device counts is of another order until it has heard of this one.
  const bool counted = report.generation >= device.desired.generation &&
                       (report.target_hash == target_hash || report.running_hash == target_hash);
  const bool noted = report.noted_state == name(state) && report.noted_generation == device.desired.generation;
  const bool is_fetched_now = state == UpdateState::kPending || state == UpdateState::kDownloading;
  const auto left = wait_left(report, services.now());
  Json update;
  update["state"] = name(state);
  update["since"] = noted ? time_or_null(report.noted) : Json();
  update["waits_for"] = text_or_null(std::string(wait_name(report.wait)));
  update["wait_left_sec"] = left ? Json(*left) : Json();
  update["bytes_done"] = counted ? report.bytes_done : 0;
  update["bytes_total"] = counted ? report.bytes_total : 0;
  update["bytes_received"] = counted ? report.bytes_received : 0;
  update["bytes_to_receive"] = is_fetched_now ? bytes_to_receive(services, device, target_hash) : Json();
  update["error_code"] = has_reason(state) ? Json(report.error) : Json();
  update["reason"] = has_reason(state) ? text_or_null(report.detail) : Json();
  update["generation"] = device.desired.generation;
  update["observed_generation"] = report.generation;
  update["forced"] = device.desired.force;
  return update;
}

Json connection_json(Services& services, const Device& device) {
  Json connection;
  const DeviceLink* link = services.links.find(device.sid);
  connection["state"] = link == nullptr ? "offline" : "online";
  connection["since"] = time_or_null(device.connection_changed);
  connection["address"] = Json();
  connection["round_trip_ms"] = Json();
  connection["learned_keep_alive_ms"] = device.learned_keep_alive_ms == 0 ? Json() : Json(device.learned_keep_alive_ms);
  if (link == nullptr) return connection;
  const LinkStatus status = link->status();
  connection["since"] = to_rfc3339(status.since);
  connection["address"] = status.address;
  if (status.round_trip_ms) connection["round_trip_ms"] = *status.round_trip_ms;
  connection["keep_alive_ms"] = status.keep_alive_ms;
  return connection;
}

Json registers_json(const wire::CrashReport& report) {
  static constexpr std::array<const char*, 17> kNames = {"r0", "r1",  "r2",  "r3",  "r4", "r5", "r6", "r7",  "r8",
                                                         "r9", "r10", "r11", "r12", "sp", "lr", "pc", "xpsr"};
  Json registers = Json::object();
  for (int i = 0; i < report.registers_size() && i < static_cast<int>(kNames.size()); ++i) {
    registers[kNames[static_cast<std::size_t>(i)]] = report.registers(i);
  }
  return registers;
}

}  // namespace

HttpReply json_reply(int status, const Json& body) {
  HttpReply reply;
  reply.status = status;
  reply.headers = {{"Content-Type", "application/json"}};
  reply.body = dump(body) + "\n";
  return reply;
}

HttpReply error_reply(int status, const Sentence& sentence) {
  const int code = status == 401 ? 20003 : 20000 + status;  // 20003: the original's "authenticate"
  HttpReply reply = json_reply(
      status, {{"code", code}, {"message", sentence}, {"more_info", "docs/rest-api.md"}, {"status", status}});
  if (status == 401) reply.headers.emplace_back("WWW-Authenticate", "Basic realm=\"mvcloud\"");
  return reply;
}

HttpReply error_reply(const StoreError& error) {
  switch (error.kind) {
    case StoreError::Kind::kNotFound:
      return error_reply(404, error.sentence);
    case StoreError::Kind::kConflict:
      return error_reply(409, error.sentence);
    case StoreError::Kind::kFailed:
      break;
  }
  return error_reply(503, error.sentence);
}

Result<PageRequest> page_request(const Fields& query) {
  PageRequest page;
  if (const auto size = query.find("PageSize"); size != query.end()) {
    const auto number = parse_number(size->second);
    if (!number || *number < 1 || *number > 1000) return fail("PageSize must be a number from 1 to 1000");
    page.size = static_cast<std::size_t>(*number);
  }
  if (!parse_number(page_number(query))) return fail("Page must be a number");
  const auto token = query.find("PageToken");
  if (token == query.end() || token->second.empty()) return page;
  const auto order =
      parse_number(std::string_view(token->second).substr(std::min<std::size_t>(2, token->second.size())));
  if (!order || *order > INT64_MAX || !(token->second.starts_with("PA") || token->second.starts_with("PB"))) {
    return fail("PageToken is not one of a list's meta: follow next_page_url as it is");
  }
  (token->second[1] == 'A' ? page.older_than : page.newer_than) = static_cast<std::int64_t>(*order);
  return page;
}

Json list_meta(const Call& call, const std::string& key, bool more_older, bool more_newer, std::int64_t first,
               std::int64_t last) {
  const std::uint64_t page = parse_number(page_number(call.request.query)).value_or(0);
  const auto size = page_request(call.request.query);
  Json meta;
  meta["key"] = key;
  meta["page"] = page;
  meta["page_size"] = size ? size->size : 50;
  meta["first_page_url"] = page_url(call, 0, "");
  const bool back = more_newer && first != 0 && page > 0;
  meta["previous_page_url"] = back ? Json(page_url(call, page - 1, "PB" + std::to_string(first))) : Json();
  meta["next_page_url"] =
      more_older && last != 0 ? Json(page_url(call, page + 1, "PA" + std::to_string(last))) : Json();
  meta["url"] = call.request.target;
  return meta;
}

Json time_or_null(const std::optional<Microseconds>& time) { return time ? Json(to_rfc3339(*time)) : Json(); }
Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json app_json(const App& app) {
  const std::string url = "/v1/Apps/" + app.sid;
  Json json;
  json["sid"] = app.sid;
  json["account_sid"] = app.account_sid;
  json["hash"] = prefixed_hash(app.manifest.hash);
  json["unique_name"] = text_or_null(app.unique_name);
  json["date_created"] = to_rfc3339(app.created);
  json["date_updated"] = to_rfc3339(app.updated);
  json["url"] = url;
  json["links"] = {{"app_manifest", url + "/Manifest"}, {"app_bundle", url + "/Bundle"}};
  json["name"] = app.name;
  json["version"] = app.version;
  json["build_id"] = to_hex(app.build_id);
  json["board"] = app.board;
  json["size"] = app.bundle.size;
  json["signer_id"] = app.signer_id;
  json["debuggable"] = app.debuggable;
  return json;
}

Json device_json(Services& services, const Device& device) {
  const std::string url = "/v1/Devices/" + device.sid;
  const Report& report = device.report;
  const DeviceFacts& facts = device.facts;
  Json json;
  json["sid"] = device.sid;
  json["unique_name"] = text_or_null(device.unique_name);
  json["account_sid"] = device.account_sid;
  const std::string target_hash = target_hash_of(services, device);
  json["app"] = device_app_json(services, device, target_hash);
  json["update"] = update_json(services, device, target_hash);
  const bool logging = logging_is_on(device.desired, services.now());
  json["logging"] = {{"enabled", logging},
                     {"date_expires", logging ? time_or_null(device.desired.logging_expires) : Json()}};
  json["date_created"] = to_rfc3339(device.created);
  json["date_updated"] = to_rfc3339(device.updated);
  json["url"] = url;
  json["links"] = {{"logs", url + "/Logs"},
                   {"crashes", url + "/Crashes"},
                   {"events", "/v1/Events?Device=" + device.sid},
                   {"debug_stream", url + "/DebugStream"}};
  json["board"] = text_or_null(facts.board);
  json["microvisor_version"] = text_or_null(facts.microvisor_version);
  json["microvisor"] = device_microvisor_json(services, device);
  json["signer_keys"] = device_keys_json(services, device);
  json["connection"] = connection_json(services, device);
  json["state"] = state_name(report.state);
  json["generation"] = device.desired.generation;
  json["observed_generation"] = report.generation;
  json["bytes_done"] = report.bytes_done;
  json["bytes_total"] = report.bytes_total;
  json["detail"] = report.detail;
  json["wake_reason"] = wake_reason_name(facts.wake_reason);
  json["boot_detail"] = text_or_null(facts.boot_detail);
  json["boot_count"] = facts.boot_count;
  json["restarts"] = report.restarts;
  json["log_lost"] = facts.log_lost;
  json["resources"] = {{"tls_pool_size", facts.tls_pool_size},
                       {"tls_pool_high_water", facts.tls_pool_high_water},
                       {"tls_stack_size", facts.tls_stack_size},
                       {"tls_stack_high_water", facts.tls_stack_high_water}};
  return json;
}

// What the faulting instruction did, if the device could tell.
Json access_json(const wire::CrashReport& report) {
  if (report.access_size() == 0) return nullptr;
  return {{"address", report.access_address()}, {"size", report.access_size()}, {"write", report.access_writes()}};
}

// Null in the records of devices that do not tell.
Json system_json(const wire::CrashReport& report) {
  constexpr std::array kNames = {"msp", "psp", "primask", "basepri", "faultmask", "control", "msplim", "psplim"};
  if (report.system_size() != static_cast<int>(kNames.size())) return nullptr;
  Json json;
  for (std::size_t i = 0; i < kNames.size(); ++i) json[kNames[i]] = report.system(static_cast<int>(i));
  return json;
}

// The spans that the record holds whole.
Json memory_json(const wire::CrashReport& report) {
  Json json = Json::array();
  std::size_t used = 0;
  for (const auto& span : report.spans()) {
    if (span.length() > report.memory().size() - used) break;
    json.push_back({{"address", span.address()}, {"data", to_base64(report.memory().substr(used, span.length()))}});
    used += span.length();
  }
  return json;
}

Json crash_json(const Device& device, const Crash& crash) {
  wire::CrashReport report;
  Json json;
  json["id"] = crash.id;
  json["device_sid"] = device.sid;
  json["url"] = "/v1/Devices/" + device.sid + "/Crashes/" + std::to_string(crash.id);
  json["number"] = crash.number;
  json["date_received"] = to_rfc3339(crash.received);
  if (!report.ParseFromString(crash.record)) return json;
  json["uptime_us"] = report.uptime_us();
  json["manifest_hash"] = prefixed_hash(report.manifest_hash());
  json["reason"] = repair_utf8(report.reason());
  json["registers"] = registers_json(report);
  json["faults"] = {{"cfsr", report.cfsr()},        {"hfsr", report.hfsr()}, {"mmfar", report.mmfar()},
                    {"bfar", report.bfar()},        {"sfsr", report.sfsr()}, {"sfar", report.sfar()},
                    {"access", access_json(report)}};
  json["system"] = system_json(report);
  json["memory"] = memory_json(report);
  json["stack_address"] = report.stack_address();
  json["stack"] = to_base64(report.stack());
  return json;
}

Json event_json(const Event& event) {
  Json json;
  json["id"] = event.id;
  json["device_sid"] = event.device_sid;
  json["time"] = to_rfc3339(event.time);
  json["kind"] = event.kind;
  json["detail"] = event.detail;
  const auto data = Json::parse(event.data, nullptr, false);
  json["data"] = data.is_discarded() ? Json::object() : data;
  return json;
}

Json log_json(const LogRecord& record) {
  Json json;
  json["sequence"] = record.sequence;
  json["time"] = to_rfc3339(record.time);
  json["uptime_us"] = record.uptime_us;
  json["text"] = repair_utf8(record.text);
  json["source"] = record.source == wire::LOG_MICROVISOR ? "microvisor" : "application";
  // As text: a JSON number of 64 bits does not survive most readers.
  std::string boot(16, '0');
  for (std::size_t i = 0; i < 16; ++i) boot[15 - i] = "0123456789abcdef"[record.boot_id >> (4 * i) & 0xF];
  json["boot_id"] = boot;
  return json;
}

Result<bool> parse_flag(const std::string& name, const std::string& value) {
  if (value == "true" || value == "True" || value == "1") return true;
  if (value == "false" || value == "False" || value == "0") return false;
  return fail(name + " must be true or false, not '" + value + "'");
}

Result<void> check_unique_name(const std::string& name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._- ";
  if (name.empty() || name.size() > 64 || name.find_first_not_of(kAllowed) != std::string::npos) {
    return fail("a unique name is 1 to 64 letters, digits, spaces and any of . _ -");
  }
  if (is_sid(name, name.substr(0, 2))) return fail("a unique name must not look like an id");
  return {};
}

}  // namespace mv::cloud
