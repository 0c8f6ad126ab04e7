#include "cloud/logging.h"

namespace mv::cloud {

void switch_logging(Desired& desired, bool on, Microseconds now) {
  desired.logging_enabled = on;
  desired.logging_expires = on ? std::optional(now + kLoggingTime) : std::nullopt;
}

bool logging_is_on(const Desired& desired, Microseconds now) {
  return desired.logging_enabled && (!desired.logging_expires || now < *desired.logging_expires);
}

Stored<void> end_logging_in_time(Services& services, Device& device) {
  const Microseconds now = services.now();
  if (!device.desired.logging_enabled || logging_is_on(device.desired, now)) return {};
  switch_logging(device.desired, false, now);
  if (auto stored = services.store.update_device(device, now); !stored) return stored;
  record_event(services, device, "logging", "logging ended after 24 hours: switch it on again for more",
               "{\"enabled\":false}");
  return {};
}

}  // namespace mv::cloud
