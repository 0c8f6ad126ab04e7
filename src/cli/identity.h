// The identity of a new device, as the cloud gave it, and what is added to it here: among it private keys that the
// cloud never sees.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bundle/keys.h"
#include "cli/command.h"
#include "cli/failure.h"
#include "cli/modem_choice.h"

namespace mv::cli {

struct IdentityOptions {
  std::vector<std::string> decryption_keys;  // private keys, names or files: groups whose encrypted bundles it reads
  std::uint32_t signers = 1;                 // so many of its signer keys must sign a bundle
  ModemChoice modem;

  bool any() const { return !decryption_keys.empty() || signers != 1 || modem.any(); }
};

// Adds them to a command. `options` must outlive the tree.
void add_identity_options(Command& command, IdentityOptions& options);

// What the options add.
struct IdentityAdditions {
  std::vector<bundle::PrivateKey> decryption_keys;
  std::uint32_t signers = 1;
  std::optional<emulator::WifiNetwork> wifi;  // of a Wi-Fi module; nothing: the modem is a cellular one
};

// What can be said before there is an identity. Reads standard input if it is told to: call it once. Failures:
// kNotFound (no such key), kUsage (too many, or they do not fit each other), kFailed (no key, no file).
tl::expected<IdentityAdditions, Failure> read_identity_options(const IdentityOptions& options);

// The identity with them. Failures: kFailed: not an identity, or with fewer signer keys than must sign.
tl::expected<std::vector<std::uint8_t>, Failure> complete_identity(std::vector<std::uint8_t> identity,
                                                                   const IdentityAdditions& additions);

// Whether the bytes are an identity that a device can go by: its id, its key and whom it calls. kFailed: they are not.
Result check_identity(const std::vector<std::uint8_t>& identity);

}  // namespace mv::cli
