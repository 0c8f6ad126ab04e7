/* mbedTLS 3.6 on the device: TLS 1.3 alone, one suite (TLS_AES_128_GCM_SHA256), one curve (P-256 by the p256-m driver).
 * What is not named here is off. Measured: 63 kB of code, 15 kB of pool for two sessions at once, 2.5 kB of stack. */
#ifndef MV_CORE_TLS_MBEDTLS_CONFIG_H
#define MV_CORE_TLS_MBEDTLS_CONFIG_H

/* Crypto behind PSA; which algorithms: psa_crypto_config.h. */
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_CRYPTO_CONFIG
#define MBEDTLS_USE_PSA_CRYPTO
#define MBEDTLS_PSA_P256M_DRIVER_ENABLED
/* Random bytes come from core's Entropy interface (tls_platform.cc). */
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
#define MBEDTLS_NO_PLATFORM_ENTROPY
/* One caller, and no buffer is shared with Non-secure code: without this every record is copied through the pool. */
#define MBEDTLS_PSA_ASSUME_EXCLUSIVE_BUFFERS
/* Two sessions hold two identity keys and, at the peak, a dozen keys of the handshake. */
#define MBEDTLS_PSA_KEY_SLOT_COUNT 24

/* TLS 1.3, client (device link) and server (end-to-end channel). Plain PSK has no forward secrecy: off. */
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_SRV_C
#define MBEDTLS_SSL_PROTO_TLS1_3
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL_ENABLED
#define MBEDTLS_SSL_SESSION_TICKETS
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE
#define MBEDTLS_SSL_ALPN
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_RECORD_SIZE_LIMIT
#define MBEDTLS_SSL_IN_CONTENT_LEN 2048
#define MBEDTLS_SSL_OUT_CONTENT_LEN 2048

/* Certificates. */
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_MD_C

/* Memory from one static pool. MEMORY_DEBUG is what keeps its high-water mark; its printing is compiled out. */
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C
#define MBEDTLS_MEMORY_DEBUG
#define MBEDTLS_PLATFORM_FPRINTF_MACRO(...) 0
/* The pool's headers hold pointers; on a host these are wider than mbedTLS's default of 4. */
#define MBEDTLS_MEMORY_ALIGN_MULTIPLE (sizeof(void*))
/* Until the pool is handed over there is no memory at all: the C library's heap is never linked. */
#define MBEDTLS_PLATFORM_STD_CALLOC 0
#define MBEDTLS_PLATFORM_STD_FREE 0
/* Called when the pool's own headers are destroyed: nothing can be trusted any more. */
#define MBEDTLS_PLATFORM_EXIT_MACRO(status) __builtin_trap()

/* Time counts since boot (tls_platform.cc) and serves the ticket's age only; there is no date to check certificates by.
 */
#define MBEDTLS_HAVE_TIME
#define MBEDTLS_PLATFORM_MS_TIME_ALT
#define MBEDTLS_PLATFORM_TIME_MACRO(unused) ((mbedtls_time_t)0)

/* Small rather than fast: tables in flash, small SHA-256. */
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_SHA256_SMALLER

#endif
