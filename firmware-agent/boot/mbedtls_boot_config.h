// What the boot ROM takes of mbedTLS: SHA-256 and the p256-m driver's ECDSA verification.
#pragma once

#define MBEDTLS_HAVE_ASM
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_PLATFORM_ZEROIZE_ALT  // rom_crypto.cc has it: the library's keeps a pointer in RAM
