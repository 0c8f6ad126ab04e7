// What git says about the sources that an application was built from.
#pragma once

#include <filesystem>
#include <string>

namespace mv::cli {

struct SourceState {
  std::string revision;     // "a1b2c3d", with "-dirty" behind it if the tree was
  std::string description;  // git describe: "v1.4.2-3-ga1b2c3d-dirty", or the revision if there is no tag
};

// Of the work tree that `folder` is in; empty texts if it is in none, or git is not installed.
SourceState source_state(const std::filesystem::path& folder);

}  // namespace mv::cli
