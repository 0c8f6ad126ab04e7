#include "cloud/link/key_courier.h"

#include <spdlog/spdlog.h>

#include <array>
#include <nlohmann/json.hpp>

#include "bundle/key_change.h"
#include "cloud/logging.h"

namespace mv::cloud {
namespace {

constexpr std::array<std::string_view, 12> kErrors = {
    "",
    "it does not understand the change: update its microvisor",
    "the change is for another device, or for those of another cloud",
    "it has carried out a later change already: make a new one",
    "too few of its present keys have signed the change: sign it with more (mvctl keys sign)",
    "a key to be added is none of the curve P-256",
    "it has no room for so many keys: it holds 8",
    "a key to be removed is not among its keys (mvctl devices keys)",
    "the bundle that runs needs a key that would go: deploy one that the other keys have signed first",
    "fewer keys would be left than must sign",
    "its flash could not be written",
    "an update is on trial, and the keys of the bundle before may be needed again: it waits for the outcome"};

std::string as_text(const bundle::Hash& hash) { return {hash.bytes.begin(), hash.bytes.end()}; }

std::string pack(const google::protobuf::RepeatedField<std::uint64_t>& ids) {
  std::string bytes;
  for (const std::uint64_t id : ids) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(id >> shift & 0xFF);
  }
  return bytes;
}

}  // namespace

std::string_view describe_key_error(int error) {
  return error >= 0 && static_cast<std::size_t>(error) < kErrors.size() ? kErrors[static_cast<std::size_t>(error)]
                                                                        : "it refuses the change";
}

std::optional<std::string> KeyCourier::due() {
  if (given_) return std::nullopt;
  auto keys = services_.store.device_keys(device_.sid);
  if (!keys) {
    spdlog::error("the keys of {} cannot be read: {}", device_.sid, keys.error().sentence);
    return std::nullopt;
  }
  if (keys->status != DeviceKeys::Status::kPending) return std::nullopt;
  given_ = true;
  waits_ = false;
  return std::move(keys->change);
}

void KeyCourier::take(const wire::KeysReport& report) {
  auto keys = services_.store.device_keys(device_.sid);
  if (!keys) {
    spdlog::error("the keys of {} cannot be read: {}", device_.sid, keys.error().sentence);
    return;
  }
  const DeviceKeys before = *keys;
  const bool reports = report.threshold() > 0 && report.keys_size() > 0 && report.keys_size() <= 64;
  if (reports) {
    keys->sequence = report.sequence();
    keys->threshold = report.threshold();
    keys->keys = pack(report.keys());
  }
  if (keys->status == DeviceKeys::Status::kPending) {
    const auto change = bundle::SignedKeyChange::parse(bundle::as_bytes(keys->change));
    const bool answered = change && report.answered() == as_text(change->hash());
    if (change && report.change() == as_text(change->body_hash())) {
      finish(*keys, DeviceKeys::Status::kDone, 0);
    } else if (answered && report.error() == wire::KEYS_NOT_NOW) {
      waits_ = true;
      keys->error = report.error();
    } else if (answered && report.error() != wire::KEYS_OK) {
      finish(*keys, DeviceKeys::Status::kRefused, report.error());
    }
  }
  if (*keys == before) return;
  if (const auto stored = services_.store.update_device_keys(device_.sid, *keys); !stored) {
    spdlog::error("the keys of {} are not stored: {}", device_.sid, stored.error().sentence);
  }
}

void KeyCourier::finish(DeviceKeys& keys, DeviceKeys::Status status, int error) {
  keys.status = status;
  keys.error = error;
  const bool done = status == DeviceKeys::Status::kDone;
  record_event(services_, device_, "keys",
               done ? std::string("the device has changed its signer keys")
                    : "the device refuses to change its signer keys: " + std::string(describe_key_error(error)),
               nlohmann::json({{"state", done ? "done" : "refused"}, {"error", error}}).dump());
}

void KeyCourier::take(const wire::AppReport& report) {
  const bool settled = report.wait() != wire::WAIT_CONFIRMATION && report.state() != wire::APP_INSTALLING &&
                       report.state() != wire::APP_UNDOING;
  if (waits_ && settled) given_ = false;
}

}  // namespace mv::cloud
