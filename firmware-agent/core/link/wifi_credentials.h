// Which Wi-Fi network a modem joins.
#pragma once

#include <cstddef>
#include <string_view>

namespace mv::link {

inline constexpr std::size_t kMaxSsid = 32;        // bytes, whatever they are (IEEE 802.11, 9.4.2.2)
inline constexpr std::size_t kMaxPassphrase = 63;  // printable ASCII, from 8 on (IEEE 802.11, J.4.1)

struct WifiCredentials {
  std::string_view ssid;        // empty: none is set
  std::string_view passphrase;  // empty: the network is open
};

// Who knows the network. Asked at each join, so that what is set meanwhile counts from the next one on.
class WifiNetworks {
 public:
  // Valid until the next call of anything that sets them.
  virtual WifiCredentials credentials() const = 0;

 protected:
  ~WifiNetworks() = default;
};

}  // namespace mv::link
