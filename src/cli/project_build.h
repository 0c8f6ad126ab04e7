// Builds an application's project: a folder with a CMakeLists.txt that uses the SDK.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/failure.h"

namespace mv::cli {

// The SDK: $MVCTL_SDK_DIR, or where this program was built from.
std::filesystem::path sdk_folder();

struct BuildRequest {
  std::filesystem::path project;
  std::string board;
  std::string elf;  // which one, if the project makes several; empty: the only one
};

// Configures PROJECT/build if that was not done, builds, and returns the ELF file.
// Failures: kUsage (no project there, no such board's ELF, several), kFailed (with the end of the build's output).
tl::expected<std::filesystem::path, Failure> build_project(const BuildRequest& request);

// Runs a program with its output in `log`, waits, and returns its exit status; -1 if it cannot be run.
int run_program_logged(std::vector<std::string> words, const std::filesystem::path& log);

}  // namespace mv::cli
