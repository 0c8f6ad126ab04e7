// GPDMA1, from memory to memory: channel 0.
#include <cstring>

#include "conformance.h"
#include "gpdma.h"
#include "measured.h"
#include "nonsecure.h"
#include "registers.h"

namespace conformance {
namespace {

using namespace gpdma;

constexpr std::uint32_t kInterruptNumber = 29, kSecureAlias = 0x10000000;

alignas(16) std::uint32_t source[8], target[8];

std::uint32_t address_of(const void* what) { return reinterpret_cast<std::uint32_t>(what); }

// With words to carry.
void fresh_channel() {
  make_fresh();
  for (std::uint32_t n = 0; n < 8; ++n) {
    source[n] = 0x5a000000 + n;
    target[n] = 0;
  }
  reg(kTransfer1) = kSecureWords;
  reg(kTransfer2) = kBySoftware;
  reg(kFrom) = address_of(source);
  reg(kTo) = address_of(target);
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
