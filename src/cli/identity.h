// The identity of a new device, as the cloud gave it, and what is added to it here: private keys that the cloud never
// sees.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/failure.h"

namespace mv::cli {

// With the private halves of the groups whose encrypted bundles the device is to read: names of mvctl keys or PEM
// files, at most 4.
//
// Failures: kNotFound (no such key), kUsage (too many), kFailed (no key, or not an identity).
tl::expected<std::vector<std::uint8_t>, Failure> with_decryption_keys(std::vector<std::uint8_t> identity,
                                                                      const std::vector<std::string>& keys);

}  // namespace mv::cli
