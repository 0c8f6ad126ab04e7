// The Wi-Fi network that the application, or the factory, configured: kept in flash over power cuts.
//
// Written by the Secure thread, read by it and by system calls, hence the lock. The passphrase leaves this class for a
// modem only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/link/wifi_credentials.h"
#include "core/platform/flash_map.h"
#include "core/platform/guest.h"
#include "core/platform/ports.h"
#include "core/storage/record_store.h"

namespace mv::link {

class WifiStore {
 public:
  static constexpr std::size_t kMaxSsid = 32;        // bytes (IEEE 802.11, 9.4.2.2)
  static constexpr std::size_t kMaxPassphrase = 64;  // bytes: 63 of a passphrase, or a key of 64 hex digits

  WifiStore(Flash& flash, Lock& lock) : lock_(lock), records_(flash, flash_map::kWifi) {}

  // Once, before any other call.
  void load();

  // For the Secure thread. None: nothing is configured. Valid until `set` or `clear`.
  std::optional<WifiCredentials> get() const;

  // Changes with each `set` and `clear`.
  std::uint32_t version() const { return version_; }

  // Both are for the Secure thread; the credentials must not be what `get` gave. False: too long, no name, or the flash
  // failed; then what was configured before still is.
  bool set(const WifiCredentials& credentials);
  bool clear();

  // For anyone: the name without the passphrase.
  struct Network {
    std::array<char, kMaxSsid> ssid{};
    std::size_t ssid_size = 0;  // 0: nothing is configured
    bool encrypted = false;
  };
  Network network() const;

 private:
  struct Stored {
    std::array<char, kMaxSsid> ssid{};
    std::array<char, kMaxPassphrase> passphrase{};
    std::uint8_t ssid_size = 0, passphrase_size = 0;
  };
  static_assert(sizeof(Stored) == kMaxSsid + kMaxPassphrase + 2);

  bool put(const Stored& stored);

  Lock& lock_;
  storage::RecordsOf<1> records_;
  Stored current_;
  std::uint32_t version_ = 0;
};

}  // namespace mv::link
