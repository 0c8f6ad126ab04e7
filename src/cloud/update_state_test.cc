#include "cloud/update_state.h"

#include <gtest/gtest.h>

#include "wire/proto/link.pb.h"

namespace mv::cloud {
namespace {

const std::string kNew(32, 'n');
const std::string kOld(32, 'o');

struct Case {
  const char* expected;
  wire::AppState state;
  std::string running;
  std::string target;
  wire::UpdateWait wait = wire::WAIT_NOTHING;
  wire::UpdateError error = wire::UPDATE_OK;
  std::uint64_t generation = 5;
};

Report report_of(const Case& one) {
  Report report;
  report.state = one.state;
  report.running_hash = one.running;
  report.target_hash = one.target;
  report.wait = one.wait;
  report.error = one.error;
  report.generation = one.generation;
  return report;
}

TEST(UpdateState, IsWhatTheDeviceReportedAgainstWhatWasOrdered) {
  Desired desired;
  desired.generation = 5;
  const Case cases[] = {
      {"pending", wire::APP_RUNNING, kOld, ""},
      {"pending", wire::APP_NONE, "", ""},
      {"pending", wire::APP_DOWNLOADING, kOld, std::string(32, 'x')},
      {"downloading", wire::APP_DOWNLOADING, kOld, kNew},
      {"staged", wire::APP_STAGED, kOld, kNew},
      {"waiting", wire::APP_STAGED, kOld, kNew, wire::WAIT_APPLICATION},
      {"installing", wire::APP_INSTALLING, kOld, kNew},
      {"trial", wire::APP_RUNNING, kNew, "", wire::WAIT_CONFIRMATION},
      {"trial", wire::APP_CRASHED, kNew, kNew, wire::WAIT_CONFIRMATION},
      {"up-to-date", wire::APP_RUNNING, kNew, ""},
      {"up-to-date", wire::APP_HALTED, kNew, kNew},
      {"undoing", wire::APP_UNDOING, kNew, kNew, wire::WAIT_NOTHING, wire::UPDATE_ROLLED_BACK},
      {"rolled-back", wire::APP_REFUSED, kOld, kNew, wire::WAIT_NOTHING, wire::UPDATE_ROLLED_BACK},
      {"refused", wire::APP_REFUSED, kOld, kNew, wire::WAIT_NOTHING, wire::UPDATE_BAD_SIGNATURE},
      {"refused", wire::APP_REFUSED, kOld, "", wire::WAIT_NOTHING, wire::UPDATE_COUNTER_TOO_LOW},
      {"pending", wire::APP_REFUSED, kOld, std::string(32, 'x'), wire::WAIT_NOTHING, wire::UPDATE_ROLLED_BACK},
      {"pending", wire::APP_REFUSED, kOld, kNew, wire::WAIT_NOTHING, wire::UPDATE_ROLLED_BACK, 4},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(name(update_state(desired, kNew, report_of(one))), one.expected) << one.state << " " << one.target[0];
  }
}

TEST(UpdateState, WithoutAnOrderThereIsNothingToDo) {
  EXPECT_EQ(update_state({}, "", report_of({"", wire::APP_RUNNING, kOld, ""})), UpdateState::kUpToDate);
}

TEST(UpdateState, TheTimeLeftPassesWithoutFurtherReports) {
  Report report;
  EXPECT_EQ(wait_left(report, 0), std::nullopt);
  report.wait = wire::WAIT_CONFIRMATION;
  report.wait_left_sec = 30;
  report.reported = 1'000'000'000;
  EXPECT_EQ(wait_left(report, 1'000'000'000), 30u);
  EXPECT_EQ(wait_left(report, 1'012'900'000), 18u);
  EXPECT_EQ(wait_left(report, 2'000'000'000), 0u);
  EXPECT_EQ(wait_left(report, 0), 30u) << "a clock that was set back";
}

TEST(UpdateState, TheDevicesReasonIsInTheSentence) {
  Report report;
  report.detail = "three crashes on trial";
  EXPECT_EQ(describe(UpdateState::kRolledBack, report),
            "rolled back, and tried again with the next order only: three crashes on trial");
  EXPECT_TRUE(has_reason(UpdateState::kRolledBack));
  EXPECT_FALSE(has_reason(UpdateState::kTrial));
}

}  // namespace
}  // namespace mv::cloud
