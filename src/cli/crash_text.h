// A crash as `mvctl crashes show` prints it.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/crash_case.h"

namespace mv::cli {

// The frames of a backtrace, one a line, by the real GDB, which unwinds what nobody else does: leaf functions,
// exception frames. Empty without an ELF or without a pc. Errors: kFailed.
Answer<std::vector<std::string>> backtrace(const CrashCase& it);

std::string crash_text(const CrashCase& it, const std::vector<std::string>& frames);
nlohmann::ordered_json crash_document(const CrashCase& it, const std::vector<std::string>& frames);

}  // namespace mv::cli
