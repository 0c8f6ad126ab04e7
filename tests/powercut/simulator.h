// Cuts the power of a device in the middle of a story, and looks at what is left.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "reordering_flash.h"
#include "scenarios.h"

namespace mv::powercut {

using Cut = host::FakeFlash::Cut;

const char* name_of(Cut how);

// What came of a cut. `problem`: what is wrong, for a person; empty if nothing is.
struct Outcome {
  bool cut = false;  // else the story was over before
  std::string problem;
};

class Simulator {
 public:
  // Tells the story once on a flash that is never cut, to see that it can be told. Throws if not.
  explicit Simulator(Scenario scenario);

  const Scenario& scenario() const { return scenario_; }
  std::uint64_t operations() const { return operations_; }  // of flash, in the whole story

  // The story is cut off at one operation; then the device must boot by itself into something whole, and the story must
  // come to its end. `mutation`: the device's flash does that wrong, until the power is back.
  Outcome cut_once(std::uint64_t operation, Cut how, const Mutation* mutation = nullptr);

  // Cuts, and bits that flip in memory outside the chip, as the seed says; each boot tells the story anew.
  Outcome cut_often(std::uint32_t seed);

 private:
  void tell(host::FakeFlash& flash, const Mutation* mutation, std::uint64_t first_generation);
  std::string check_boot(host::FakeFlash& flash, bool may_run_nothing);
  std::string check_end(host::FakeFlash& flash, bool may_be_undone);

  Scenario scenario_;
  std::uint64_t operations_ = 0;
};

}  // namespace mv::powercut
