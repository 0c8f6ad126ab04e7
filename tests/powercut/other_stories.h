// What else a device writes that must not be lost half-way: updates of its microvisor, and changes of its signer keys.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "simulator.h"

namespace mv::powercut {

struct OtherStory {
  std::string name;

  // Tells the story up to that flash operation, and then what the device does when the power is back.
  std::function<Outcome(std::uint64_t operation, Cut how)> cut_once;
};

std::vector<OtherStory> other_stories();

}  // namespace mv::powercut
