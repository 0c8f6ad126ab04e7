// What may be under way when the power fails: a device and what is asked of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/update/update_rig.h"

namespace mv::powercut {

using update::rig::Bundle;
using update::rig::Device;
using update::rig::FakeCloud;

struct Scenario {
  std::string name;
  FakeCloud cloud;
  host::FakeFlash start{update::rig::kFlashSize};

  // What may run, whole, whenever the device boots. In a device's first update nothing may, too.
  std::vector<Bundle> may_run;
  bool may_run_nothing = false;

  bool slow = false;  // each boot computes with keys: told only when it is asked for by name

  // Everything that happens, from a boot on until the end or until the power is gone; the same after each cut.
  std::function<void(Device&, FakeCloud&)> story;

  // After the last story: everything is as it should be.
  std::function<bool(Device&)> ended;
};

// What every device of these stories reads encrypted bundles with.
update::DecryptionKeys decryption_keys();

// All of them, in several layouts of the bundle and states of the journals. The same on every call.
std::vector<Scenario> scenarios();

// Few, and quick, that together go through every step there is.
std::vector<Scenario> short_scenarios();

// One that goes through every step there is, for seeds; `large`: of several segments a layer.
Scenario everything(bool large);

}  // namespace mv::powercut
