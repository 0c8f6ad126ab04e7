#include "core/tls/tls_platform.h"

#include <array>

#include <mbedtls/memory_buffer_alloc.h>
#include <mbedtls/platform_time.h>
#include <psa/crypto.h>

namespace mv::tls {
namespace {

// The allocator puts a header before each block (memory_header, eight words) which its own counters leave out.
constexpr std::size_t kBlockHeader = 8 * sizeof(void*);

alignas(std::max_align_t) std::array<unsigned char, kPoolSize> pool;
Entropy* entropy_source = nullptr;
Clock* clock_source = nullptr;
std::uint64_t clock_base_ms = 0;

}  // namespace

bool set_up(Entropy& entropy, Clock& clock) {
  entropy_source = &entropy;
  clock_source = &clock;
  mbedtls_memory_buffer_alloc_init(pool.data(), pool.size());
  return psa_crypto_init() == PSA_SUCCESS;
}

std::uint64_t clock_ms() { return clock_source == nullptr ? 0 : clock_base_ms + clock_source->uptime_us() / 1000; }

void advance_clock(std::uint64_t to_ms) {
  const std::uint64_t now = clock_ms();
  if (to_ms > now) clock_base_ms += to_ms - now;
}

PoolUse pool_use() {
  std::size_t bytes = 0;
  std::size_t blocks = 0;
  PoolUse use{};
  mbedtls_memory_buffer_alloc_cur_get(&bytes, &blocks);
  use.now = bytes + blocks * kBlockHeader;
  use.blocks = blocks;
  mbedtls_memory_buffer_alloc_max_get(&bytes, &blocks);
  use.high_water = bytes + blocks * kBlockHeader;
  return use;
}

}  // namespace mv::tls

extern "C" mbedtls_ms_time_t mbedtls_ms_time(void) { return static_cast<mbedtls_ms_time_t>(mv::tls::clock_ms()); }

extern "C" psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t*, uint8_t* output,
                                                        size_t output_size, size_t* output_length) {
  *output_length = 0;
  if (mv::tls::entropy_source == nullptr || !mv::tls::entropy_source->fill({output, output_size})) {
    return PSA_ERROR_INSUFFICIENT_ENTROPY;
  }
  *output_length = output_size;
  return PSA_SUCCESS;
}
