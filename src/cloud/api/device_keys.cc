// /v1/Devices/{}/Keys: orders to change whose bundles a device runs. Devices check the signatures; what is looked at
// here is what would be refused anyway.
#include "cloud/api/device_keys.h"

#include "bundle/key_change.h"
#include "cloud/api/api.h"
#include "cloud/link/key_courier.h"
#include "cloud/logging.h"
#include "cloud/pki.h"

namespace mv::cloud {
namespace {

std::string_view status_name(DeviceKeys::Status status) {
  switch (status) {
    case DeviceKeys::Status::kPending:
      return "pending";
    case DeviceKeys::Status::kDone:
      return "done";
    case DeviceKeys::Status::kRefused:
      return "refused";
    case DeviceKeys::Status::kNone:
      break;
  }
  return "none";
}

Json key_ids(const std::string& packed) {
  Json list = Json::array();
  for (std::size_t at = 0; at + 8 <= packed.size(); at += 8) list.push_back(to_hex(packed.substr(at, 8)));
  return list;
}

Result<bundle::SignedKeyChange> read_change(Call& call, const Device& device, const DeviceKeys& keys) {
  const auto bytes = from_base64(call.fields.at("Change"));
  if (!bytes) return fail("Change is not base64");
  auto change = bundle::SignedKeyChange::parse(bundle::as_bytes(*bytes));
  if (!change) return fail("Change: " + change.error().message);
  const bundle::KeyChange& what = change->change();
  if (!what.device_id.empty() && what.device_id != device.sid) return fail("Change is for device " + what.device_id);
  if (!what.ca_hash.empty()) {
    const auto ca = pem_to_der(call.services.authority.certificate_pem);
    if (!ca) return fail(ca.error());
    const auto hash = bundle::sha256(bundle::as_bytes(*ca));
    if (!std::equal(what.ca_hash.begin(), what.ca_hash.end(), hash.bytes.begin(), hash.bytes.end())) {
      return fail("Change is for the devices of another cloud's CA");
    }
  }
  if (change->signatures().size() < std::max<std::size_t>(keys.threshold, 1)) {
    return fail("Change needs " + std::to_string(std::max<std::uint32_t>(keys.threshold, 1)) + " signatures and has " +
                std::to_string(change->signatures().size()) + ": sign it with mvctl keys sign");
  }
  if (what.sequence < keys.sequence) {
    return fail("Change has number " + std::to_string(what.sequence) + ", the device has carried out " +
                std::to_string(keys.sequence) + " already: make a new one");
  }
  return std::move(*change);
}

HttpReply order_key_change(Call& call) {
  Services& services = call.services;
  for (const auto& [name, value] : call.fields) {
    if (name != "Change") return error_reply(400, "there is no parameter " + name + " here: give Change");
  }
  if (!call.fields.contains("Change")) {
    return error_reply(400, "give Change: a signed change of keys in base64, or nothing to take an order back");
  }
  const auto device = services.store.find_device(call.account, call.path[0]);
  if (!device) return error_reply(device.error());
  auto keys = services.store.device_keys(device->sid);
  if (!keys) return error_reply(keys.error());
  const bool takes_back = call.fields.at("Change").empty();
  keys->change.clear();
  keys->error = 0;
  keys->status = DeviceKeys::Status::kNone;
  keys->ordered.reset();
  if (!takes_back) {
    const auto change = read_change(call, *device, *keys);
    if (!change) return error_reply(400, change.error());
    keys->change.assign(change->encoded().begin(), change->encoded().end());
    keys->status = DeviceKeys::Status::kPending;
    keys->ordered = services.now();
  }
  if (const auto stored = services.store.update_device_keys(device->sid, *keys); !stored) {
    return error_reply(stored.error());
  }
  record_event(services, *device, "keys",
               takes_back ? "the device is to keep its signer keys" : "the device is to change its signer keys",
               Json({{"state", "ordered"}}).dump());
  if (DeviceLink* link = services.links.find(device->sid)) link->key_change_ordered();
  return json_reply(202, device_json(services, *device));
}

}  // namespace

Json device_keys_json(Services& services, const Device& device) {
  const auto known = services.store.device_keys(device.sid);
  if (!known) return nullptr;
  Json json;
  json["keys"] = key_ids(known->keys);
  json["threshold"] = known->threshold == 0 ? Json() : Json(known->threshold);
  json["sequence"] = known->sequence;
  json["change"] = nullptr;
  if (known->status == DeviceKeys::Status::kNone) return json;
  Json& change = json["change"];
  change["hash"] = "sha256:" + to_hex(sha256(known->change));
  change["status"] = status_name(known->status);
  change["date_ordered"] = time_or_null(known->ordered);
  change["error_code"] = known->error == 0 ? Json() : Json(known->error);
  change["detail"] = known->error == 0 ? std::string() : std::string(describe_key_error(known->error));
  return json;
}

void add_device_key_routes(std::vector<Api::Entry>& entries) {
  entries.push_back({"POST", "/v1/Devices/{}/Keys", order_key_change});
}

}  // namespace mv::cloud
