// What a command of mvctl ends with: done, or one failure that a person can act on.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace mv::cli {

// The process's exit code. The table is part of the interface (man mvctl): numbers never change their meaning.
enum class ExitCode {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kNotAuthorised = 3,
  kNotFound = 4,
  kDeviceOffline = 5,  // offline, or it did not answer in time
  kRefusedByDevice = 6,
  kRolledBack = 7,
  kCloudUnreachable = 8,
};

// What the code means, for the man page and the help.
std::string_view describe(ExitCode code);

struct Failure {
  ExitCode code = ExitCode::kFailed;
  std::string message;  // what happened and why: lower case, no full stop
  std::string hint;     // what to do next; lines are printed indented; may be empty
};

using Result = tl::expected<void, Failure>;

// `return fail(ExitCode::kNotFound, "no device is called porch", "see mvctl devices");`
inline tl::unexpected<Failure> fail(ExitCode code, std::string message, std::string hint = {}) {
  return tl::unexpected<Failure>(Failure{code, std::move(message), std::move(hint)});
}

}  // namespace mv::cli
