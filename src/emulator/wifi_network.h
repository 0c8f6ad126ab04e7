// The Wi-Fi network in the air around an emulated device.
#pragma once

#include <string>

namespace mv::emulator {

struct WifiNetwork {
  std::string ssid;
  std::string passphrase;  // empty: it is open
};

}  // namespace mv::emulator
