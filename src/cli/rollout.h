// Waits until a device runs what it was told to run, for good, and says on the way how far it is.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "cli/cloud_client.h"
#include "cli/output.h"

namespace mv::cli {

struct RolloutOptions {
  std::string device_sid;
  std::string hash;   // "sha256:HEX": what it is to run
  std::string label;  // "weather 1.4.3"
  std::chrono::milliseconds timeout{};
  bool trial_will_do = false;        // do not wait until what runs on trial is confirmed
  std::function<bool()> go_on = {};  // asked often; false: nobody waits any more. Empty: until Ctrl-C
};

// A failure that may pass while we wait: the cloud is not reached.
bool may_pass(const Failure& failure);

// "lies ready, and is installed within 540 s": where an update is, what it waits for and what is left; nothing if it is
// up to date. `label` is what the device is to run.
std::string describe(const Update& update, const std::string& label);

// Waits a moment between two attempts; false if Ctrl-C was pressed.
bool pause_unless_interrupted();

// Follows the device's own reports. A cloud that is away for a while is waited for.
//
// Failures: kDeviceOffline (the time is up), kRefusedByDevice and kRolledBack (with the device's reason), kFailed
// (interrupted, or somebody else gave the device another application meanwhile), kNotAuthorised, kNotFound.
Answer<Device> wait_until_running(CloudClient& cloud, Output& output, const RolloutOptions& options);

// Asks until there is an answer, or until `patience` is over: a cloud that restarts is back in a moment. Only for
// requests that do no harm when they are made twice.
template <typename Ask>
auto ask_patiently(Output& output, std::chrono::milliseconds patience, Ask ask) -> decltype(ask()) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto answer = ask();
  if (!answer && may_pass(answer.error())) output.step("waiting", answer.error().message);
  while (!answer && may_pass(answer.error()) && std::chrono::steady_clock::now() < deadline &&
         pause_unless_interrupted()) {
    answer = ask();
  }
  return answer;
}

}  // namespace mv::cli
