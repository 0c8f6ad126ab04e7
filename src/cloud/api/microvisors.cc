// /v1/Microvisors: signed images of the microvisor, and orders for devices to run them.
#include "cloud/api/microvisors.h"

#include <spdlog/spdlog.h>

#include "cloud/api/api.h"
#include "cloud/api/upload.h"
#include "cloud/link/messages.h"
#include "cloud/microvisor_image.h"
#include "wire/proto/link.pb.h"

namespace mv::cloud {
namespace {

constexpr std::uint32_t kShortestTrial = 10;
constexpr std::uint32_t kLongestTrial = 3600;

Json microvisor_json(const Microvisor& microvisor) {
  Json json;
  json["sid"] = microvisor.sid;
  json["account_sid"] = microvisor.account_sid;
  json["version"] = microvisor_version_text(microvisor.version);
  json["board"] = microvisor.board;
  json["hash"] = "sha256:" + to_hex(microvisor.image.hash);
  json["size"] = microvisor.image.size;
  json["date_created"] = to_rfc3339(microvisor.created);
  json["url"] = "/v1/Microvisors/" + microvisor.sid;
  return json;
}

// The file is small, so it is checked and stored at once.
HttpReply keep_microvisor(Services& services, const std::string& account, TemporaryFile file, const std::string& name) {
  if (!name.empty()) return error_reply(400, "a microvisor image has no UniqueName: it is called by its version");
  if (file.size() > kMaxMicrovisorImage) {
    return error_reply(422, "the file has " + std::to_string(file.size()) + " bytes, a microvisor image at most " +
                                std::to_string(kMaxMicrovisorImage));
  }
  const auto content = read_file(file.path(), kMaxMicrovisorImage);
  if (!content) return error_reply(503, content.error());
  const auto image = check_microvisor_image(*content);
  if (!image) return error_reply(422, image.error());
  const auto hash = services.blobs.put(*content);
  if (!hash) return error_reply(503, hash.error());
  if (const auto known = services.store.microvisor(account, *hash)) return json_reply(200, microvisor_json(*known));
  const Microvisor microvisor{new_sid("MV"),  account,      {*hash, content->size()},
                              image->version, image->board, services.now()};
  if (const auto added = services.store.add_microvisor(microvisor); !added) return error_reply(added.error());
  spdlog::info("microvisor {} ({} for {}), {} bytes", microvisor.sid, microvisor_version_text(microvisor.version),
               microvisor.board, content->size());
  return json_reply(201, microvisor_json(microvisor));
}

HttpReply list_microvisors(Call& call) {
  const auto page = page_request(call.request.query);
  if (!page) return error_reply(400, page.error());
  return list_reply(call, "microvisors", call.services.store.microvisors(call.account, *page), microvisor_json);
}

HttpReply fetch_microvisor(Call& call) {
  const auto microvisor = call.services.store.microvisor(call.account, call.path[0]);
  return microvisor ? json_reply(200, microvisor_json(*microvisor)) : error_reply(microvisor.error());
}

HttpReply remove_microvisor(Call& call) {
  Services& services = call.services;
  const auto microvisor = services.store.microvisor(call.account, call.path[0]);
  if (!microvisor) return error_reply(microvisor.error());
  if (const auto removed = services.store.remove_microvisor(call.account, microvisor->sid); !removed) {
    return error_reply(removed.error());
  }
  const auto used = services.store.blob_is_used(microvisor->image.hash);
  if (used && !*used) services.blobs.remove(microvisor->image.hash);
  HttpReply reply;
  reply.status = 204;
  return reply;
}

// Reads an order's fields; `target` stays none if the device is to keep what it has.
Result<void> read_order(Call& call, const Device& device, DeviceMicrovisor& order, std::optional<Microvisor>& target) {
  for (const auto& [name, value] : call.fields) {
    if (name == "Target") {
      if (value.empty()) continue;
      auto known = call.services.store.microvisor(call.account, value);
      if (!known) return fail("Target: " + known.error().sentence + ": upload it first");
      target = std::move(*known);
    } else if (name == "TrialSeconds") {
      const auto seconds = parse_number(value);
      if (!seconds || *seconds < kShortestTrial || *seconds > kLongestTrial) {
        return fail("TrialSeconds must be a number from " + std::to_string(kShortestTrial) + " to " +
                    std::to_string(kLongestTrial));
      }
      order.trial_sec = static_cast<std::uint32_t>(*seconds);
    } else if (name == "Force") {
      const auto flag = parse_flag(name, value);
      if (!flag) return fail(flag.error());
      order.force = *flag;
    } else {
      return fail("there is no parameter " + name + " here: give Target, TrialSeconds and Force");
    }
  }
  if (!call.fields.contains("Target")) return fail("give Target: the id of a microvisor image, or nothing for none");
  if (target && !device.facts.board.empty() && target->board != device.facts.board) {
    return fail("the microvisor image was built for " + target->board + ", the device is a " + device.facts.board);
  }
  return {};
}

// Each order has a number of its own, also for the image that was ordered before: so one that a device has refused is
// tried again.
HttpReply order_microvisor(Call& call) {
  Services& services = call.services;
  const auto device = services.store.find_device(call.account, call.path[0]);
  if (!device) return error_reply(device.error());
  const auto before = services.store.device_microvisor(device->sid);
  if (!before) return error_reply(before.error());
  DeviceMicrovisor order;
  std::optional<Microvisor> target;
  if (const auto good = read_order(call, *device, order, target); !good) return error_reply(400, good.error());
  order.order = before->order + 1;
  order.target_sid = target ? target->sid : std::string();
  order.targeted = services.now();
  if (const auto stored = services.store.order_microvisor(device->sid, order); !stored) {
    return error_reply(stored.error());
  }
  record_event(services, *device, "microvisor",
               target ? "the device is to run microvisor " + microvisor_version_text(target->version)
                      : "the device is to keep its microvisor",
               Json({{"target_sid", order.target_sid}, {"order", order.order}}).dump());
  if (DeviceLink* link = services.links.find(device->sid)) link->desired_changed();
  const auto updated = services.store.device(device->sid);
  return updated ? json_reply(202, device_json(services, *updated)) : error_reply(updated.error());
}

std::string_view update_status(const DeviceMicrovisor& device) {
  if (device.target_sid.empty()) return "up-to-date";
  if (device.seen_order != device.order) return "pending";
  if (device.error != 0) return "error";
  return device.state == wire::MICROVISOR_RUNS ? "up-to-date" : "pending";
}

}  // namespace

Json device_microvisor_json(Services& services, const Device& device) {
  const auto known = services.store.device_microvisor(device.sid);
  if (!known) return nullptr;
  Json json;
  json["version"] = known->version == 0 ? text_or_null(device.facts.microvisor_version)
                                        : Json(microvisor_version_text(known->version));
  json["state"] = microvisor_state_name(known->state);
  json["target_sid"] = text_or_null(known->target_sid);
  json["target_version"] = nullptr;
  if (const auto target = services.store.microvisor(device.account_sid, known->target_sid)) {
    json["target_version"] = microvisor_version_text(target->version);
  }
  json["date_targeted"] = time_or_null(known->targeted);
  json["update_status"] = update_status(*known);
  json["update_error_code"] = known->error == 0 ? Json() : Json(known->error);
  json["bytes_done"] = known->bytes_done;
  json["bytes_total"] = known->bytes_total;
  json["detail"] = known->detail;
  return json;
}

void add_microvisor_routes(std::vector<Api::Entry>& entries) {
  entries.push_back({"POST", "/v1/Microvisors", {}, false, keep_microvisor});
  entries.push_back({"GET", "/v1/Microvisors", list_microvisors});
  entries.push_back({"GET", "/v1/Microvisors/{}", fetch_microvisor});
  entries.push_back({"DELETE", "/v1/Microvisors/{}", remove_microvisor});
  entries.push_back({"POST", "/v1/Devices/{}/Microvisor", order_microvisor});
}

}  // namespace mv::cloud
