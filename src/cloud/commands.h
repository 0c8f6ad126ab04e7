// What `mvcloud` does, without its command line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cloud/text.h"

namespace mv::cloud {

struct InitOptions {
  std::filesystem::path data;
  std::string listen;
  std::vector<std::string> names;     // empty: localhost and 127.0.0.1
  std::filesystem::path context_out;  // empty: none
};

struct ProvisionOptions {
  std::filesystem::path data;
  std::string name;
  std::string board;
  std::string address;        // HOST:PORT that the device dials; empty: the server's first name and port
  std::filesystem::path out;  // empty: NAME.identity
};

struct ServeOptions {
  std::filesystem::path data;
  std::string listen;                   // empty: as in config.json
  std::filesystem::path capture_debug;  // folder for copies of debug streams; empty: none
  std::uint64_t delta_cache_mib = 256;  // of the data folder, for records of updates
};

// Each writes to standard output what a person wants to know. Errors: a sentence.
Result<void> run_init(const InitOptions& options);
Result<void> run_provision(const ProvisionOptions& options);
Result<void> run_serve(const ServeOptions& options);

}  // namespace mv::cloud
