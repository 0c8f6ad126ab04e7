#include "core/link/wifi_store.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace mv::link {
namespace {

constexpr std::uint8_t kKind = 0;
constexpr std::uint32_t kLayout = 1;  // of the record

}  // namespace

void WifiStore::load() {
  records_.mount();
  Stored stored;
  const std::span bytes(reinterpret_cast<std::uint8_t*>(&stored), sizeof(stored));
  const auto record = records_.find(kKind);
  if (!record || record->number != kLayout || records_.read(kKind, bytes) != sizeof(stored)) return;
  if (stored.ssid_size > kMaxSsid || stored.passphrase_size > kMaxPassphrase) return;
  const LockGuard guard(lock_);
  current_ = stored;
}

std::optional<WifiCredentials> WifiStore::get() const {
  if (current_.ssid_size == 0) return std::nullopt;
  return WifiCredentials{{current_.ssid.data(), current_.ssid_size},
                         {current_.passphrase.data(), current_.passphrase_size}};
}

bool WifiStore::set(const WifiCredentials& credentials) {
  if (credentials.ssid.empty() || credentials.ssid.size() > kMaxSsid) return false;
  if (credentials.passphrase.size() > kMaxPassphrase) return false;
  Stored stored;
  std::ranges::copy(credentials.ssid, stored.ssid.begin());
  std::ranges::copy(credentials.passphrase, stored.passphrase.begin());
  stored.ssid_size = static_cast<std::uint8_t>(credentials.ssid.size());
  stored.passphrase_size = static_cast<std::uint8_t>(credentials.passphrase.size());
  return put(stored);
}

bool WifiStore::clear() { return put({}); }

bool WifiStore::put(const Stored& stored) {
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(&stored), sizeof(stored));
  if (!records_.put(kKind, kLayout, bytes)) return false;
  const LockGuard guard(lock_);
  current_ = stored;
  ++version_;
  return true;
}

WifiStore::Network WifiStore::network() const {
  const LockGuard guard(lock_);
  return {current_.ssid, current_.ssid_size, current_.passphrase_size != 0};
}

}  // namespace mv::link
