#include "cloud/update_state.h"

#include <algorithm>
#include <array>

#include "wire/proto/link.pb.h"

namespace mv::cloud {
namespace {

constexpr Microseconds kSecond = 1'000'000;

constexpr std::array<std::string_view, 10> kNames = {"up-to-date", "pending", "downloading", "staged",      "waiting",
                                                     "installing", "trial",   "undoing",     "rolled-back", "refused"};

// What the device says of the bundle that is ordered, which it does not run.
UpdateState on_its_way(const Report& report) {
  switch (report.state) {
    case wire::APP_DOWNLOADING:
      return UpdateState::kDownloading;
    case wire::APP_STAGED:
      return report.wait == wire::WAIT_APPLICATION ? UpdateState::kWaiting : UpdateState::kStaged;
    case wire::APP_INSTALLING:
      return UpdateState::kInstalling;
    default:
      return UpdateState::kPending;
  }
}

std::string with_reason(const std::string& what, const Report& report) {
  return what + (report.detail.empty() ? "" : ": " + report.detail);
}

std::string with_time(const std::string& what, const Report& report) {
  return what + (report.wait_left_sec == 0 ? "" : " within " + std::to_string(report.wait_left_sec) + " s");
}

}  // namespace

UpdateState update_state(const Desired& desired, const std::string& target_hash, const Report& report) {
  if (report.state == wire::APP_UNDOING) return UpdateState::kUndoing;
  if (target_hash.empty()) return UpdateState::kUpToDate;
  if (report.running_hash == target_hash) {
    return report.wait == wire::WAIT_CONFIRMATION ? UpdateState::kTrial : UpdateState::kUpToDate;
  }
  const bool knows_the_order = report.generation >= desired.generation;
  const bool speaks_of_it = report.target_hash.empty() || report.target_hash == target_hash;
  if (report.state == wire::APP_REFUSED && knows_the_order && speaks_of_it) {
    return report.error == wire::UPDATE_ROLLED_BACK ? UpdateState::kRolledBack : UpdateState::kRefused;
  }
  return report.target_hash == target_hash ? on_its_way(report) : UpdateState::kPending;
}

std::string_view name(UpdateState state) { return kNames[static_cast<std::size_t>(state)]; }

std::string describe(UpdateState state, const Report& report) {
  switch (state) {
    case UpdateState::kUpToDate:
      return "the device runs the bundle that was ordered";
    case UpdateState::kPending:
      return "the device has not begun with the bundle that was ordered";
    case UpdateState::kDownloading:
      return "the device fetches the bundle that was ordered";
    case UpdateState::kStaged:
      return "the bundle is staged: all there and verified";
    case UpdateState::kWaiting:
      return with_time("the bundle is staged, and the application was told: it is installed", report);
    case UpdateState::kInstalling:
      return "the device installs the bundle";
    case UpdateState::kTrial:
      return with_time("the bundle runs on trial: to be confirmed", report);
    case UpdateState::kUndoing:
      return with_reason("the device puts back the bundle before", report);
    case UpdateState::kRolledBack:
      return with_reason("rolled back, and tried again with the next order only", report);
    case UpdateState::kRefused:
      return with_reason("refused", report);
  }
  return "";
}

bool has_reason(UpdateState state) {
  return state == UpdateState::kUndoing || state == UpdateState::kRolledBack || state == UpdateState::kRefused;
}

std::optional<std::uint32_t> wait_left(const Report& report, Microseconds now) {
  if (report.wait == wire::WAIT_NOTHING) return std::nullopt;
  const Microseconds passed = std::max<Microseconds>(0, now - report.reported.value_or(now)) / kSecond;
  return static_cast<std::uint32_t>(std::max<Microseconds>(0, Microseconds{report.wait_left_sec} - passed));
}

}  // namespace mv::cloud
