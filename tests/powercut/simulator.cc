#include "simulator.h"

#include <stdexcept>

namespace mv::powercut {
namespace {

using namespace update::rig;
using host::FakeFlash;

AcceptAll& signatures() {
  static AcceptAll all;
  return all;
}

std::string at(std::uint64_t operation, Cut how) {
  return "operation " + std::to_string(operation) + " " + name_of(how) + ": ";
}

class Random {
 public:
  explicit Random(std::uint32_t seed) : state_(seed * 2654435761U | 1U) {}
  std::uint32_t below(std::uint32_t limit) {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 17U;
    state_ ^= state_ << 5U;
    return state_ % limit;
  }

 private:
  std::uint32_t state_;
};

// In what lies outside the chip, where nothing but our own seals notices.
void flip_a_bit(FakeFlash& flash, Random& random) {
  const flash_map::Area area = random.below(2) == 0 ? flash_map::kStaging : flash_map::kUndo;
  flash.flip_bit(area.offset + random.below(4 * storage::kPage), random.below(8));
}

}  // namespace

const char* name_of(Cut how) {
  switch (how) {
    case Cut::kNotDone:
      return "not done";
    case Cut::kTornEarly:
      return "torn early";
    case Cut::kTornLate:
      return "torn late";
    case Cut::kDone:
      return "done, and nothing after";
  }
  return "";
}

Simulator::Simulator(Scenario scenario) : scenario_(std::move(scenario)) {
  FakeFlash flash = scenario_.start;
  flash.cut_at(~0ULL, Cut::kDone);
  tell(flash, nullptr, 0);
  operations_ = flash.operations();
  if (const std::string problem = check_end(flash, false); !problem.empty()) {
    throw std::runtime_error(scenario_.name + ": without any cut: " + problem);
  }
}

void Simulator::tell(FakeFlash& flash, const Mutation* mutation, std::uint64_t first_generation) {
  scenario_.cloud.connect();
  std::optional<ReorderingFlash> wrong;
  if (mutation != nullptr) wrong.emplace(flash, *mutation);
  Device device(wrong ? static_cast<Flash&>(*wrong) : flash, flash, scenario_.cloud, signatures(), "mps2-an505",
                decryption_keys());
  device.first_generation = first_generation;
  scenario_.story(device, scenario_.cloud);
}

// A boot without a network brings up one of the bundles, whole.
std::string Simulator::check_boot(FakeFlash& flash, bool may_run_nothing) {
  FakeCloud nowhere;
  nowhere.connected = false;
  Device device(flash, nowhere, signatures(), "mps2-an505", decryption_keys());
  device.run();
  if (device.engine.installing()) return "the installation does not end";
  if (device.engine.running() == nullptr) return may_run_nothing ? "" : "nothing runs";
  if (!device.host.runs) return "the application is not started";
  for (const Bundle& each : scenario_.may_run) {
    if (device.runs(each)) return installed(flash, each) ? "" : "what runs is not whole";
  }
  return "what runs was never ordered";
}

// Told once more without a cut, the story comes to its end. Where the device was restarted so often that it gave the
// bundle up, a new order does it.
std::string Simulator::check_end(FakeFlash& flash, bool may_be_undone) {
  for (const std::uint64_t first_generation : {0, 100}) {
    scenario_.cloud.connect();
    Device device(flash, scenario_.cloud, signatures(), "mps2-an505", decryption_keys());
    device.first_generation = first_generation;
    scenario_.story(device, scenario_.cloud);
    if (scenario_.ended(device)) return "";
    const auto report = device.report();
    if (!may_be_undone || first_generation != 0) {
      return "the story does not end: state " + std::to_string(report.state) + " " + report.detail;
    }
  }
  return "";
}

Outcome Simulator::cut_once(std::uint64_t operation, Cut how, const Mutation* mutation) {
  FakeFlash flash = scenario_.start;
  flash.cut_at(operation, how, static_cast<std::uint32_t>(operation) * 3 + 1);
  tell(flash, mutation, 0);
  if (flash.powered()) return {};
  flash.restore_power();
  std::string problem = check_boot(flash, scenario_.may_run_nothing);
  if (problem.empty()) problem = check_end(flash, false);
  return {true, problem.empty() ? "" : at(operation, how) + problem};
}

Outcome Simulator::cut_often(std::uint32_t seed) {
  Random random(seed);
  FakeFlash flash = scenario_.start;
  std::string history;
  bool flipped = false;
  const std::uint32_t cuts = 2 + random.below(6);
  for (std::uint32_t i = 0; i < cuts; ++i) {
    const std::uint64_t operation = random.below(static_cast<std::uint32_t>(operations_));
    const auto how = static_cast<Cut>(random.below(4));
    history += at(operation, how);
    flash.cut_at(operation, how, random.below(1U << 30U));
    tell(flash, nullptr, i * 10);
    flash.restore_power();
    if (random.below(3) == 0) {
      flip_a_bit(flash, random);
      history += "a bit flips: ";
      flipped = true;
    }
    // A bit that flips in the middle of an installation may leave nothing whole, but never something that is not.
    if (const std::string problem = check_boot(flash, flipped || scenario_.may_run_nothing); !problem.empty()) {
      return {true, history + problem};
    }
  }
  const std::string problem = check_end(flash, true);
  return {true, problem.empty() ? "" : history + problem};
}

}  // namespace mv::powercut
