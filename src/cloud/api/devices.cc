// /v1/Devices: provisioning, what devices are to do and what they say.
#include "cloud/api/answers.h"
#include "cloud/api/api.h"
#include "cloud/logging.h"
#include "cloud/provision.h"

namespace mv::cloud {
namespace {

HttpReply list_devices(Call& call) {
  const auto page = page_request(call.request.query);
  if (!page) return error_reply(400, page.error());
  return list_reply(call, "devices", call.services.store.devices(call.account, *page),
                    [&](const Device& device) { return device_json(call.services, device); });
}

HttpReply fetch_device(Call& call) {
  const auto device = call.services.store.find_device(call.account, call.path[0]);
  return device ? json_reply(200, device_json(call.services, *device)) : error_reply(device.error());
}

HttpReply create_device(Call& call) {
  ProvisionRequest request;
  request.account = call.account;
  for (const auto& [name, value] : call.fields) {
    if (name == "UniqueName") {
      if (const auto good = check_unique_name(value); !good) return error_reply(400, good.error());
      request.unique_name = value;
    } else if (name == "Board") {
      if (value.size() > 31 || !check_unique_name(value)) return error_reply(400, "Board is not the name of a board");
      request.board = value;
    } else if (name == "Address") {
      const auto address = split_address(value);
      if (!address) return error_reply(400, "Address: " + address.error());
      request.host = address->host;
      request.port = address->port;
    } else {
      return error_reply(400, "there is no parameter " + name + " here: give UniqueName, Board and Address");
    }
  }
  Services& services = call.services;
  const auto made = provision(services.settings, services.authority, services.store, request, services.now());
  if (!made) return error_reply(made.error());
  record_event(services, made->device, "provisioned", "device " + made->device.sid + " was provisioned");
  Json json = device_json(services, made->device);
  json["identity"] = to_base64(made->identity);
  return json_reply(201, json);
}

// What a request changes, besides the record itself.
struct Changes {
  bool desired = false;  // what the device is to be told
  bool order = false;    // which bundle it is to run, or how: what it refused or undid before it tries again
  std::string target_event;
};

Result<void> set_target(Call& call, Device& device, const std::string& value, Changes& changes) {
  std::string sid;
  std::string what = "nothing";
  if (!value.empty()) {
    const auto app = call.services.store.app(call.account, value);
    if (!app) return fail("TargetApp: " + app.error().sentence + ": upload the bundle first");
    if (!app->board.empty() && !device.facts.board.empty() && app->board != device.facts.board) {
      return fail("the app is built for board " + app->board + ", the device is a " + device.facts.board);
    }
    sid = app->sid;
    what = app->name + " " + app->version + " (" + app->sid + ")";
  }
  if (sid.empty() && device.desired.app_sid.empty()) return {};
  device.desired.app_sid = sid;
  device.desired.force = false;  // an order to force is for one order
  device.desired.targeted = call.services.now();
  changes.desired = changes.order = true;
  changes.target_event = "the device is to run " + what;
  return {};
}

// Switching it on again gives it its full time anew, of which the device need not hear.
void set_logging(bool on, Device& device, Microseconds now, Changes& changes) {
  changes.desired |= logging_is_on(device.desired, now) != on;
  switch_logging(device.desired, on, now);
}

Result<void> set_flag(const std::string& name, const std::string& value, Microseconds now, Device& device,
                      Changes& changes) {
  const auto flag = parse_flag(name, value);
  if (!flag) return fail(flag.error());
  if (name == "RestartApp") {
    device.desired.restart_generation += *flag ? 1 : 0;
    changes.desired |= *flag;
    return {};
  }
  if (name == "LoggingEnabled") {
    set_logging(*flag, device, now, changes);
    return {};
  }
  changes.order |= device.desired.force != *flag;
  changes.desired |= changes.order;
  device.desired.force = *flag;
  return {};
}

Result<void> apply(Call& call, Device& device, Changes& changes) {
  // The target first: it takes back an older Force.
  if (const auto target = call.fields.find("TargetApp"); target != call.fields.end()) {
    if (auto set = set_target(call, device, target->second, changes); !set) return set;
  }
  for (const auto& [name, value] : call.fields) {
    if (name == "TargetApp") continue;
    if (name == "UniqueName") {
      if (!value.empty()) {
        if (auto good = check_unique_name(value); !good) return good;
      }
      device.unique_name = value;
    } else if (name == "LoggingEnabled" || name == "RestartApp" || name == "Force") {
      if (auto set = set_flag(name, value, call.services.now(), device, changes); !set) return set;
    } else {
      return fail("there is no parameter " + name +
                  " here: give UniqueName, TargetApp, LoggingEnabled, RestartApp or Force");
    }
  }
  return {};
}

HttpReply update_device(Call& call) {
  Services& services = call.services;
  auto device = services.store.find_device(call.account, call.path[0]);
  if (!device) return error_reply(device.error());
  Changes changes;
  if (const auto applied = apply(call, *device, changes); !applied) return error_reply(400, applied.error());
  if (changes.order) ++device->desired.generation;
  if (const auto stored = services.store.update_device(*device, services.now()); !stored)
    return error_reply(stored.error());
  if (!changes.target_event.empty()) {
    record_event(services, *device, "target", changes.target_event,
                 Json({{"state", "ordered"},
                       {"target_sid", device->desired.app_sid},
                       {"generation", device->desired.generation},
                       {"force", device->desired.force}})
                     .dump());
  }
  if (changes.desired) {
    if (DeviceLink* link = services.links.find(device->sid)) link->desired_changed();
  }
  const auto updated = services.store.device(device->sid);
  return updated ? json_reply(202, device_json(services, *updated)) : error_reply(updated.error());
}

HttpReply remove_device(Call& call) {
  Services& services = call.services;
  // Whole ids and names only: what a beginning fits is too easily another device than was meant.
  const auto device = services.store.find_device(call.account, call.path[0]);
  if (!device) return error_reply(device.error());
  if (device->sid != call.path[0] && device->unique_name != call.path[0]) {
    return error_reply(404, "there is no device " + call.path[0] + ": to remove one, give its whole id or name");
  }
  if (const auto removed = services.store.remove_device(call.account, device->sid); !removed) {
    return error_reply(removed.error());
  }
  if (DeviceLink* link = services.links.find(device->sid)) link->device_removed();
  record_event(services, *device, "removed", "device " + device->sid + " was removed");
  HttpReply reply;
  reply.status = 204;
  return reply;
}

HttpReply list_crashes(Call& call) {
  const auto page = page_request(call.request.query);
  if (!page) return error_reply(400, page.error());
  const auto device = call.services.store.find_device(call.account, call.path[0]);
  if (!device) return error_reply(device.error());
  return list_reply(call, "crashes", call.services.store.crashes(device->sid, *page),
                    [&](const Crash& crash) { return crash_json(*device, crash); });
}

HttpReply fetch_crash(Call& call) {
  const auto device = call.services.store.find_device(call.account, call.path[0]);
  if (!device) return error_reply(device.error());
  const auto id = parse_number(call.path[1]);
  if (!id || *id > INT64_MAX) return error_reply(404, "a crash is named by its id, a number: see the list of crashes");
  const auto crash = call.services.store.crash(device->sid, static_cast<std::int64_t>(*id));
  return crash ? json_reply(200, crash_json(*device, *crash)) : error_reply(crash.error());
}

}  // namespace

void add_device_routes(std::vector<Api::Entry>& entries) {
  entries.push_back({"POST", "/v1/Devices", create_device});
  entries.push_back({"GET", "/v1/Devices", list_devices});
  entries.push_back({"GET", "/v1/Devices/{}", fetch_device});
  entries.push_back({"POST", "/v1/Devices/{}", update_device});
  entries.push_back({"DELETE", "/v1/Devices/{}", remove_device});
  entries.push_back({"GET", "/v1/Devices/{}/Crashes", list_crashes});
  entries.push_back({"GET", "/v1/Devices/{}/Crashes/{}", fetch_crash});
}

}  // namespace mv::cloud
