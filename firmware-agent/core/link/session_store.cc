#include "core/link/session_store.h"

#include <algorithm>
#include <array>

#include "core/platform/flash_map.h"
#include "core/tls/tls_platform.h"
#include "core/tls/tls_session.h"

namespace mv::link {
namespace {

constexpr std::uint8_t kKind = 0;
constexpr std::size_t kTimeSize = 8;

using Buffer = std::array<std::uint8_t, kTimeSize + tls::kMaxSavedSession>;

}  // namespace

FlashSessionStore::FlashSessionStore(Flash& flash) : records_(flash, flash_map::kTlsSession) { records_.mount(); }

std::size_t FlashSessionStore::load(std::span<std::uint8_t> out) {
  Buffer buffer{};
  const std::size_t size = records_.read(kKind, buffer);
  if (size <= kTimeSize || size - kTimeSize > out.size()) return 0;
  std::uint64_t saved_at = 0;
  for (std::size_t i = 0; i < kTimeSize; ++i) saved_at = saved_at << 8 | buffer[i];
  tls::advance_clock(saved_at);
  std::copy_n(buffer.begin() + kTimeSize, size - kTimeSize, out.begin());
  return size - kTimeSize;
}

void FlashSessionStore::save(std::span<const std::uint8_t> session) {
  if (session.size() > tls::kMaxSavedSession) return;
  Buffer buffer{};
  const std::uint64_t now = tls::clock_ms();
  for (std::size_t i = 0; i < kTimeSize; ++i) buffer[i] = static_cast<std::uint8_t>(now >> (56 - 8 * i));
  std::copy(session.begin(), session.end(), buffer.begin() + kTimeSize);
  // A session that cannot be kept costs a full handshake after the next reboot, nothing else.
  (void)records_.put(kKind, static_cast<std::uint32_t>(session.size()),
                     std::span(buffer).first(kTimeSize + session.size()));
}

}  // namespace mv::link
