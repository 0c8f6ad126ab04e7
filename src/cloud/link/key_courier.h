// Brings a device the change of its signer keys that was ordered, and takes note of what became of it (docs/keys.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cloud/services.h"
#include "wire/proto/keys.pb.h"
#include "wire/proto/link.pb.h"

namespace mv::cloud {

// What a device's refusal means, and what to do next.
std::string_view describe_key_error(int error);

class KeyCourier {
 public:
  // `device` must outlive it, and be filled in before anything is called.
  KeyCourier(Services& services, const Device& device) : services_(services), device_(device) {}

  // The change that the device is to be given, serialised; none if there is none, or it was given already.
  std::optional<std::string> due();

  // Another one was ordered: `due` gives it.
  void ordered() { given_ = false; }

  // What the device says of its keys.
  void take(const wire::KeysReport& report);

  // And of its application: a change that had to wait for an update's end may be due again.
  void take(const wire::AppReport& report);

 private:
  void finish(DeviceKeys& keys, DeviceKeys::Status status, int error);

  Services& services_;
  const Device& device_;
  bool given_ = false;  // on this connection
  bool waits_ = false;  // the device said: not now
};

}  // namespace mv::cloud
