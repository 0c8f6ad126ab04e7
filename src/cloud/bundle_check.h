// What the cloud asks of a bundle before it is stored: that it is whole, and signed by a key that the account trusts.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cloud/store/store.h"

namespace mv::cloud {

struct CheckedBundle {
  App app;  // what the manifest says; ids, dates and blobs are the caller's
  std::string manifest;
  std::vector<std::string> layers;  // contents, in the order of the manifest
};

// Errors: a sentence that says what is wrong with the bundle and what to do.
Result<CheckedBundle> check_bundle(const std::filesystem::path& zip, const std::vector<Signer>& trusted);

}  // namespace mv::cloud
