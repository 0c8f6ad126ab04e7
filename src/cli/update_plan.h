// What an update is going to send over the air, before it does: /v1/Apps/{}/Delta of docs/rest-api.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/cloud_client.h"

namespace mv::cli {

struct UpdatePlan {
  std::uint64_t content_bytes = 0;  // of all layers
  std::uint64_t bytes = 0;          // over the air, without the messages around them
  std::vector<std::string>
      layers;  // one line each: "flash 0x00010000   65,536 bytes: 1 same, 1 delta, 2,913 over the air"
};

// To an app, for a device that runs the bundle with this hash ("sha256:HEX"; empty: none). The cloud makes it if nobody
// asked before.
//
// Failures: those of the cloud.
Answer<UpdatePlan> update_plan(CloudClient& cloud, const std::string& app_sid, const std::string& runs);

// By what the cloud answered. What is missing in it counts as nothing.
UpdatePlan update_plan_of(const nlohmann::ordered_json& document);

// "2,913 of 212,480 bytes over the air (1.37 %)".
std::string summary(const UpdatePlan& plan);

}  // namespace mv::cli
