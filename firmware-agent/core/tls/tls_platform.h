// What all TLS sessions share: the memory pool, the random generator and the clock that mbedTLS is given.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/platform/ports.h"

namespace mv::tls {

// Bytes that mbedTLS may use, in all: the link's client and the end-to-end server at once need about 15 KiB.
inline constexpr std::size_t kPoolSize = 20 * 1024;

// Hands the pool, `entropy` and `clock` to mbedTLS; both must live as long as the program. Once per boot, before any
// session. False if the crypto library does not start, which only a failing `entropy` causes.
bool set_up(Entropy& entropy, Clock& clock);

// The clock by which TLS measures the age of tickets: milliseconds, uptime plus what `advance_clock` added.
std::uint64_t clock_ms();

// Moves that clock forward to `to_ms`, never back. Called at boot with the time kept beside the saved session: to a
// clock that goes back over a reset, a kept ticket would look as if it came from the future and be thrown away.
void advance_clock(std::uint64_t to_ms);

// Bytes of the pool, block headers included.
struct PoolUse {
  std::size_t now;
  std::size_t high_water;  // the most since boot
  std::size_t blocks;
};

PoolUse pool_use();

}  // namespace mv::tls
