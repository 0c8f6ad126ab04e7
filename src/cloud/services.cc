#include "cloud/services.h"

#include <spdlog/spdlog.h>

namespace mv::cloud {

void record_event(Services& services, const Device& device, std::string kind, std::string detail, std::string data) {
  spdlog::info("{} ({}): {}: {}", device.sid, device.unique_name, kind, detail);
  const Event event{0, device.sid, services.now(), std::move(kind), std::move(detail), std::move(data)};
  const auto id = services.store.add_event(device.account_sid, event, services.settings.events_kept);
  if (!id) {
    spdlog::error("an event of {} is lost: {}", device.sid, id.error().sentence);
    return;
  }
  services.bus.publish(events_topic());
}

}  // namespace mv::cloud
