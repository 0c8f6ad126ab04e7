// Keeps the TLS session in flash over a reboot, with the TLS clock's time, so that a ticket does not look as if it came
// from the future.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/link/peers.h"
#include "core/platform/ports.h"
#include "core/storage/record_store.h"

namespace mv::link {

class FlashSessionStore final : public SessionStore {
 public:
  // Uses flash_map::kTlsSession, and nobody else does.
  explicit FlashSessionStore(Flash& flash);

  // Also moves the TLS clock on to when the session was saved.
  std::size_t load(std::span<std::uint8_t> out) override;
  void save(std::span<const std::uint8_t> session) override;

 private:
  storage::RecordsOf<1> records_;
};

}  // namespace mv::link
