// A crash as the cloud describes it (docs/rest-api.md, "Crashes"), checked.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/failure.h"
#include "gdbserver/target/crash.h"

namespace mv::cli {

struct CrashReport {
  std::uint64_t id = 0;      // the cloud's
  std::uint32_t number = 0;  // the device's own count
  std::string received;      // RFC 3339
  std::uint64_t uptime_us = 0;
  std::string manifest_hash;  // "sha256:HEX"
  gdb::Crash crash;
  nlohmann::ordered_json document;  // the whole answer
};

// Errors: kFailed, with what is wrong.
tl::expected<CrashReport, Failure> parse_crash_report(nlohmann::ordered_json document);

}  // namespace mv::cli
