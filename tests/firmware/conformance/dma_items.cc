// GPDMA1, from memory to memory: channel 0.
#include <cstring>

#include "conformance.h"
#include "measured.h"
#include "nonsecure.h"
#include "registers.h"

namespace conformance {
namespace {

// RM0456, "General purpose direct memory access controller (GPDMA)"; by the Secure alias.
constexpr std::uint32_t kDma = 0x50020000, kSecureChannels = kDma;
constexpr std::uint32_t kLinkBase = kDma + 0x50, kClear = kDma + 0x5c, kStatus = kDma + 0x60, kControl = kDma + 0x64;
constexpr std::uint32_t kTransfer1 = kDma + 0x90, kTransfer2 = kDma + 0x94, kBlock = kDma + 0x98, kFrom = kDma + 0x9c;
constexpr std::uint32_t kTo = kDma + 0xa0, kLink = kDma + 0xcc;
constexpr std::uint32_t kOn = 1U << 0, kReset = 1U << 1, kCompleteInterrupt = 1U << 8;                 // CxCR
constexpr std::uint32_t kIdle = 1U << 0, kComplete = 1U << 8, kHalf = 1U << 9, kUserError = 1U << 12;  // CxSR
constexpr std::uint32_t kFlags = 0x7f00;                                                               // CxFCR
constexpr std::uint32_t kBySoftware = 1U << 9;                                                         // CxTR2.SWREQ
constexpr std::uint32_t kLastOnly = 3U << 30;                                                          // CxTR2.TCEM
constexpr std::uint32_t kUpdateBlock = 1U << 29, kUpdateFrom = 1U << 28, kUpdateTo = 1U << 27, kUpdateLink = 1U << 16;

// Words, both addresses count up, both sides are Secure.
constexpr std::uint32_t kSecureWords = 2U | 1U << 3 | 1U << 15 | 2U << 16 | 1U << 19 | 1U << 31;

constexpr std::uint32_t kClock = 0x56020c88;  // RCC_AHB1ENR: GPDMA1 is bit 0
constexpr std::uint32_t kInterruptNumber = 29, kSecureAlias = 0x10000000;

alignas(16) std::uint32_t source[8], target[8];

std::uint32_t address_of(const void* what) { return reinterpret_cast<std::uint32_t>(what); }

// A channel that is Secure, idle and without flags, and words to carry.
void fresh_channel() {
  reg(kClock) = reg(kClock) | 1;
  [[maybe_unused]] const std::uint32_t on = reg(kClock);
  reg(kSecureChannels) = reg(kSecureChannels) | 1;
  reg(kControl) = kReset;
  reg(kClear) = kFlags;
  for (std::uint32_t n = 0; n < 8; ++n) {
    source[n] = 0x5a000000 + n;
    target[n] = 0;
  }
  reg(kTransfer1) = kSecureWords;
  reg(kTransfer2) = kBySoftware;
  reg(kFrom) = address_of(source);
  reg(kTo) = address_of(target);
  reg(kLink) = 0;
  barrier();
}

void wait_for(std::uint32_t flag) {
  while ((reg(kStatus) & flag) == 0) continue;  // or the watchdog says so
  barrier();
}

}  // namespace

ITEM("RM0456 GPDMA_CxCR", "a block is carried once EN is set; then TCF and HTF are set, and EN is clear") {
  fresh_channel();
  CHECK_EQUAL(reg(kStatus) & (kIdle | kFlags), kIdle);
  reg(kBlock) = sizeof source;
  reg(kControl) = kOn;
  wait_for(kComplete);
  CHECK_EQUAL(reg(kStatus) & kHalf, kHalf);
  while ((reg(kStatus) & kIdle) == 0) continue;  // or the watchdog says so
  CHECK_EQUAL(reg(kControl) & kOn, 0);
  CHECK_EQUAL(std::memcmp(source, target, sizeof source), 0);
}

ITEM("RM0456 GPDMA_CxBR1", "BNDT counts down to zero, and nothing behind the block is written") {
  fresh_channel();
  reg(kBlock) = 4 * sizeof(std::uint32_t);
  reg(kControl) = kOn;
  wait_for(kComplete);
  CHECK_EQUAL(reg(kBlock) & 0xffff, 0);
  CHECK_EQUAL(target[3], source[3]);
  CHECK_EQUAL(target[4], 0);
}

ITEM("RM0456 GPDMA_CxFCR", "flags are cleared by writing one to them, and only those") {
  fresh_channel();
  reg(kBlock) = sizeof source;
  reg(kControl) = kOn;
  wait_for(kComplete);
  reg(kClear) = kHalf;
  CHECK_EQUAL(reg(kStatus) & (kComplete | kHalf), kComplete);
  reg(kClear) = kComplete;
  CHECK_EQUAL(reg(kStatus) & kFlags, 0);
}

ITEM("RM0456 GPDMA_CxSR", "USEF: a source that does not fit the width is no transfer") {
  fresh_channel();
  reg(kBlock) = sizeof source;
  reg(kFrom) = address_of(source) + 2;
  reg(kControl) = kOn;
  wait_for(kUserError);
  while ((reg(kStatus) & kIdle) == 0) continue;  // or the watchdog says so
  CHECK_EQUAL(reg(kControl) & kOn, 0);
  CHECK_EQUAL(reg(kStatus) & kComplete, 0);
  CHECK_EQUAL(target[0], 0);
}

ITEM("RM0456 GPDMA_CxLLR", "the next node is loaded from memory, and with TCEM 3 only the last sets TCF") {
  fresh_channel();
  // In the order of the registers: CxBR1, CxSAR, CxDAR, CxLLR.
  alignas(16) static std::uint32_t node[4];
  node[0] = 4 * sizeof(std::uint32_t);
  node[1] = address_of(source + 4);
  node[2] = address_of(target + 4);
  node[3] = 0;
  reg(kBlock) = 4 * sizeof(std::uint32_t);
  reg(kTransfer2) = kBySoftware | kLastOnly;
  reg(kLinkBase) = address_of(node) & 0xffff0000;
  reg(kLink) = (address_of(node) & 0xfffc) | kUpdateBlock | kUpdateFrom | kUpdateTo | kUpdateLink;
  barrier();
  reg(kControl) = kOn;
  wait_for(kComplete);
  CHECK_EQUAL(std::memcmp(source, target, sizeof source), 0);
}

ITEM("RM0456 GPDMA_CxCR", "TCIE: a complete transfer raises the channel's interrupt") {
  fresh_channel();
  reg(kNvicEnable + kInterruptNumber / 32 * 4) = 1U << kInterruptNumber % 32;
  reg(kBlock) = sizeof source;
  reg(kControl) = kOn | kCompleteInterrupt;
  while (interrupt.count == 0) continue;  // or the watchdog says so
  reg(kControl) = 0;
  reg(kClear) = kFlags;
  CHECK_EQUAL(interrupt.number, kInterruptNumber);
}

ITEM("RM0456 GPDMA_SECCFGR", "a Secure channel reads as zero for Non-secure code, which cannot write it") {
  fresh_channel();
  CHECK_EQUAL(call_nonsecure(reinterpret_cast<const void*>(ns_read), kFrom - kSecureAlias), 0);
  call_nonsecure(reinterpret_cast<const void*>(ns_write), kFrom - kSecureAlias, 4);
  CHECK_EQUAL(reg(kFrom), address_of(source));
  call_nonsecure(reinterpret_cast<const void*>(ns_write), kSecureChannels - kSecureAlias, 0);
  CHECK_EQUAL(reg(kSecureChannels) & 1, 1);
}

}  // namespace conformance
