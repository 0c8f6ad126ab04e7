// Which modem a new device has, and the Wi-Fi network that it joins: as options, and checked.
#pragma once

#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/failure.h"
#include "emulator/wifi_network.h"

namespace mv::cli {

struct ModemChoice {
  std::string modem = "quectel";  // or "esp-at"
  std::string ssid;
  std::string passphrase_file;  // "-": standard input. A command line is no place for a passphrase
  bool open = false;            // the network has none

  bool any() const { return modem != "quectel" || !ssid.empty() || !passphrase_file.empty() || open; }
};

// Adds them to a command. `choice` must outlive the tree.
void add_modem_options(Command& command, ModemChoice& choice);

// The network of a Wi-Fi module, its passphrase read; nothing for a cellular modem. Reads standard input at most once:
// call it once. Failures: kUsage (options that do not fit each other, a name or passphrase that no network can have),
// kFailed (a file that cannot be read).
tl::expected<std::optional<emulator::WifiNetwork>, Failure> read_modem_choice(const ModemChoice& choice);

}  // namespace mv::cli
