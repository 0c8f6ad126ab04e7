// The identity of a new device, as the cloud gave it, and what is added to it here: among it private keys that the
// cloud never sees.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/failure.h"

namespace mv::cli {

struct IdentityOptions {
  std::vector<std::string> decryption_keys;  // private keys, names or files: groups whose encrypted bundles it reads
  std::uint32_t signers = 1;                 // so many of its signer keys must sign a bundle

  bool any() const { return !decryption_keys.empty() || signers != 1; }
};

// Adds them to a command. `options` must outlive the tree.
void add_identity_options(Command& command, IdentityOptions& options);

// What can be said before there is an identity. Failures: kNotFound (no such key), kUsage (too many), kFailed (no key).
Result check_identity_options(const IdentityOptions& options);

// With what the options say. Failures: those before, and kFailed: not an identity, or with fewer signer keys than must
// sign.
tl::expected<std::vector<std::uint8_t>, Failure> complete_identity(std::vector<std::uint8_t> identity,
                                                                   const IdentityOptions& options);

}  // namespace mv::cli
