// The driver of whichever modem the device has: one of the dialects, in the memory of the larger.
#pragma once

#include <cstdint>
#include <new>
#include <type_traits>

#include "core/link/esp_modem.h"
#include "core/link/quectel_modem.h"

namespace mv::link {

class AnyModem {
 public:
  enum class Dialect : std::uint8_t { kQuectel, kEspAt };

  // All must outlive the driver; `networks` is asked by Wi-Fi modules only.
  AnyModem(Dialect dialect, LinkPort& port, Clock& clock, const WifiNetworks& networks) : dialect_(dialect) {
    if (dialect == Dialect::kEspAt) {
      new (&esp_) EspModem(port, clock, networks);
    } else {
      new (&quectel_) QuectelModem(port, clock);
    }
  }
  AnyModem(const AnyModem&) = delete;
  AnyModem& operator=(const AnyModem&) = delete;

  Modem& get() {
    if (dialect_ == Dialect::kEspAt) return esp_;
    return quectel_;
  }

 private:
  static_assert(std::is_trivially_destructible_v<QuectelModem> && std::is_trivially_destructible_v<EspModem>);

  // Not std::variant: what it throws when it is asked for the wrong one is no part of the firmware.
  union {
    QuectelModem quectel_;
    EspModem esp_;
  };
  Dialect dialect_;
};

}  // namespace mv::link
