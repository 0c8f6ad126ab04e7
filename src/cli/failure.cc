#include "cli/failure.h"

namespace mv::cli {

std::string_view describe(ExitCode code) {
  switch (code) {
    case ExitCode::kDone:
      return "done";
    case ExitCode::kFailed:
      return "failed";
    case ExitCode::kUsage:
      return "wrong usage";
    case ExitCode::kNotAuthorised:
      return "not authorised";
    case ExitCode::kNotFound:
      return "not found";
    case ExitCode::kDeviceOffline:
      return "device offline, or it did not answer in time";
    case ExitCode::kRefusedByDevice:
      return "refused by the device";
    case ExitCode::kRolledBack:
      return "rolled back";
    case ExitCode::kCloudUnreachable:
      return "cloud unreachable";
  }
  return "failed";
}

}  // namespace mv::cli
