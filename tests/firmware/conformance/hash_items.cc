// The hash processor, by messages whose digests are in FIPS 180-4, RFC 1321 and RFC 4231, or were computed with
// Python's hashlib.
#include "conformance.h"
#include "measured.h"
#include "registers.h"

namespace conformance {
namespace {

// HASH by its Secure alias. RM0456, "Hash processor (HASH)".
constexpr std::uint32_t kControl = 0x520c0400, kInput = kControl + 0x04, kStart = kControl + 0x08;
constexpr std::uint32_t kInterrupts = kControl + 0x20, kStatus = kControl + 0x24, kDigest = kControl + 0x310;
constexpr std::uint32_t kInit = 1U << 2, kHmac = 1U << 6, kCalculate = 1U << 8;
constexpr std::uint32_t kSha1 = 0U << 17, kMd5 = 1U << 17, kSha224 = 2U << 17, kSha256 = 3U << 17;
constexpr std::uint32_t kWords = 0U << 4, kHalfWords = 1U << 4, kBytes = 2U << 4, kBits = 3U << 4;
constexpr std::uint32_t kRoomForABlock = 1U << 0, kComplete = 1U << 1, kBusy = 1U << 3;
constexpr std::uint32_t kHashInterrupt = 96;
constexpr std::uint32_t kClocks = 0x56020c8c, kClock = 1U << 17;  // RCC_AHB2ENR1.HASHEN

constexpr std::uint32_t kAbc = 'a' | 'b' << 8 | 'c' << 16;
constexpr std::uint32_t kSha256OfAbcdefgh = 0x9c56cc51;

std::uint32_t words_pushed() { return reg(kStatus) >> 9 & 0x1f; }
std::uint32_t words_expected() { return reg(kStatus) >> 16 & 0x1f; }

void begin(std::uint32_t what) {
  reg(kClocks) = reg(kClocks) | kClock;
  [[maybe_unused]] const std::uint32_t on = reg(kClocks);
  reg(kStart) = 0;
  reg(kControl) = what | kInit;
}

void end_input(std::uint32_t bits_of_last_word) {
  reg(kStart) = bits_of_last_word;
  reg(kStart) = reg(kStart) | kCalculate;
  while ((reg(kStatus) & kBusy) != 0) continue;  // or the watchdog says so
}

void wait_for_digest() {
  while ((reg(kStatus) & kComplete) == 0) continue;
}

template <std::uint32_t n>
void check_digest_of_abc(std::uint32_t algorithm, const std::uint32_t (&expected)[n]) {
  begin(algorithm | kBytes);
  reg(kInput) = kAbc;
  end_input(24);
  wait_for_digest();
  for (std::uint32_t at = 0; at < n; ++at) CHECK_EQUAL(reg(kDigest + 4 * at), expected[at]);
}

std::uint32_t sha256_of(std::uint32_t type, std::uint32_t first, std::uint32_t second) {
  begin(kSha256 | type);
  reg(kInput) = first;
  reg(kInput) = second;
  end_input(0);
  wait_for_digest();
  return reg(kDigest);
}

}  // namespace

ITEM("RM0456 HASH_CR", "ALGO: the SHA-1 of abc") {
  check_digest_of_abc(kSha1, {0xa9993e36, 0x4706816a, 0xba3e2571, 0x7850c26c, 0x9cd0d89d});
}

ITEM("RM0456 HASH_CR", "ALGO: the MD5 of abc") {
  check_digest_of_abc(kMd5, {0x90015098, 0x3cd24fb0, 0xd6963f7d, 0x28e17f72});
}

ITEM("RM0456 HASH_CR", "ALGO: the SHA-224 of abc") {
  check_digest_of_abc(kSha224, {0x23097d22, 0x3405d822, 0x8642a477, 0xbda255b3, 0x2aadbce4, 0xbda0b3f7, 0xe36c9da7});
}

ITEM("RM0456 HASH_CR", "ALGO: the SHA-256 of abc, the same in HASH_HRx and their aliases") {
  check_digest_of_abc(kSha256,
                      {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223, 0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad});
  for (std::uint32_t at = 0; at < 5; ++at) CHECK_EQUAL(reg(kControl + 0x0c + 4 * at), reg(kDigest + 4 * at));
}

ITEM("RM0456 HASH_CR", "DATATYPE: words, half-words, bytes and bits of one message have one digest") {
  CHECK_EQUAL(sha256_of(kWords, 0x61626364, 0x65666768), kSha256OfAbcdefgh);
  CHECK_EQUAL(sha256_of(kHalfWords, 0x63646162, 0x67686566), kSha256OfAbcdefgh);
  CHECK_EQUAL(sha256_of(kBytes, 0x64636261, 0x68676665), kSha256OfAbcdefgh);
  CHECK_EQUAL(sha256_of(kBits, 0x26c64686, 0x16e666a6), kSha256OfAbcdefgh);
}

ITEM("RM0456 HASH_CR", "MODE: HMAC takes the key, the message and the key again") {
  constexpr std::uint32_t kJefe = 'J' | 'e' << 8 | 'f' << 16 | 'e' << 24;
  begin(kSha256 | kBytes | kHmac);
  reg(kInput) = kJefe;
  end_input(0);
  for (const char* text = "what do ya want for nothing?"; *text != 0; text += 4) {
    reg(kInput) = static_cast<std::uint32_t>(text[0] | text[1] << 8 | text[2] << 16 | text[3] << 24);
  }
  end_input(0);
  reg(kInput) = kJefe;
  end_input(0);
  wait_for_digest();
  CHECK_EQUAL(reg(kDigest), 0x5bdcc146);
  CHECK_EQUAL(reg(kDigest + 28), 0x64ec3843);
}

ITEM("RM0456 HASH_SR", "DINIS, NBWP and NBWE: the 17th word has the first block of 16 processed") {
  begin(kSha256 | kBytes);
  CHECK_EQUAL(words_expected(), 17);
  CHECK_EQUAL(words_pushed(), 0);
  const auto word = [](std::uint32_t at) { return 0x03020100 + at * 0x04040404; };
  for (std::uint32_t at = 0; at < 16; ++at) reg(kInput) = word(at);
  CHECK_EQUAL(reg(kStatus) & kRoomForABlock, 0);
  CHECK_EQUAL(words_pushed(), 16);
  CHECK_EQUAL(words_expected(), 1);
  reg(kInput) = word(16);
  while ((reg(kStatus) & kRoomForABlock) == 0) continue;
  CHECK_EQUAL(words_pushed(), 1);
  CHECK_EQUAL(words_expected(), 16);
  end_input(0);
  wait_for_digest();
  CHECK_EQUAL(reg(kDigest), 0x7ded979c);
}

ITEM("RM0456 HASH_STR", "NBLW stays as it is when it is written together with DCAL") {
  begin(kSha256 | kBytes);
  reg(kInput) = kAbc;
  reg(kStart) = 24;
  reg(kStart) = 8 | kCalculate;
  wait_for_digest();
  CHECK_EQUAL(reg(kStart), 24);
  CHECK_EQUAL(reg(kDigest), 0xba7816bf);
}

ITEM("RM0456 HASH_SR", "DCIS: with DCIE the digest raises HASH; INIT clears it") {
  begin(kSha256 | kBytes);
  reg(kNvicEnable + kHashInterrupt / 32 * 4) = 1U << kHashInterrupt % 32;
  reg(kInterrupts) = kComplete;
  CHECK_EQUAL(interrupt.count, 0);
  reg(kInput) = kAbc;
  end_input(24);
  wait_for_digest();
  barrier();
  reg(kInterrupts) = 0;
  CHECK_EQUAL(interrupt.count, 1);
  CHECK_EQUAL(interrupt.number, kHashInterrupt);
  reg(kControl) = kSha256 | kBytes | kInit;
  CHECK_EQUAL(reg(kStatus) & kComplete, 0);
}

}  // namespace conformance
