#include "boot/rom_crypto.h"

#include "mbedtls/platform_util.h"
#include "p256-m.h"

namespace mv::boot {

// Without hardware, mbedTLS's SHA-256 has no way to fail but a NULL context.
void RomCrypto::begin() {
  mbedtls_sha256_init(&sha_);
  (void)mbedtls_sha256_starts(&sha_, 0);
}

void RomCrypto::add(std::span<const std::uint8_t> bytes) {
  (void)mbedtls_sha256_update(&sha_, bytes.data(), bytes.size());
}

bool RomCrypto::finish(image::Digest& out) { return mbedtls_sha256_finish(&sha_, out.data()) == 0; }

bool RomCrypto::verify(const image::Digest& digest, std::span<const std::uint8_t, 64> signature) {
  return p256_ecdsa_verify(signature.data(), key_.data(), digest.data(), digest.size()) == P256_SUCCESS;
}

}  // namespace mv::boot

extern "C" void mbedtls_platform_zeroize(void* bytes, std::size_t size) {
  volatile auto* byte = static_cast<std::uint8_t*>(bytes);
  for (std::size_t at = 0; at < size; ++at) byte[at] = 0;
}
