// Waits until a device runs what it was told to run, and says on the way how far it is.
#pragma once

#include <chrono>
#include <string>

#include "cli/cloud_client.h"
#include "cli/output.h"

namespace mv::cli {

struct RolloutOptions {
  std::string device_sid;
  std::string hash;   // "sha256:HEX": what it is to run
  std::string label;  // "weather 1.4.3"
  std::chrono::milliseconds timeout{};
};

// Follows the device's own reports. A cloud that is away for a while is waited for.
//
// Failures: kDeviceOffline (the time is up), kRefusedByDevice (with the device's reason), kFailed (interrupted, or
// somebody else gave the device another application meanwhile), kNotAuthorised, kNotFound.
Answer<Device> wait_until_running(CloudClient& cloud, Output& output, const RolloutOptions& options);

}  // namespace mv::cli
