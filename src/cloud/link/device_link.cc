#include "cloud/link/device_link.h"

#include <utility>

namespace mv::cloud {

void LinkTable::enter(const std::string& device, DeviceLink& link) {
  DeviceLink* older = std::exchange(links_[device], &link);
  if (older != nullptr && older != &link) older->supersede();
}

bool LinkTable::leave(const std::string& device, const DeviceLink& link) {
  const auto found = links_.find(device);
  if (found == links_.end() || found->second != &link) return false;
  links_.erase(found);
  return true;
}

DeviceLink* LinkTable::find(std::string_view device) const {
  const auto found = links_.find(device);
  return found == links_.end() ? nullptr : found->second;
}

}  // namespace mv::cloud
