// The bundle that a device runs, as the cloud has it.
#pragma once

#include <string>

#include "bundle/manifest.h"
#include "cli/cloud_client.h"
#include "gdbserver/target/agent_target.h"

namespace mv::cli {

struct RunningBundle {
  std::string app_sid;
  std::string label;  // "weather 1.4.2"
  bundle::Manifest manifest;
};

// The flash that a bundle's layers fill, padding included: what is measured once they are installed.
gdb::AgentTarget::Measured measured_flash(const bundle::Manifest& manifest);

// By what the device reported.
//
// Failures: kRefusedByDevice (it runs nothing), kNotFound (the cloud does not have that bundle), kFailed (its manifest
// cannot be read), and those of the cloud.
Answer<RunningBundle> running_bundle(CloudClient& cloud, const Device& device);

}  // namespace mv::cli
