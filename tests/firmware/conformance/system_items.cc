// Interrupt lines by software (EXTI), the supply's range (PWR), the instruction cache.
#include "conformance.h"
#include "measured.h"
#include "nonsecure.h"
#include "registers.h"

namespace conformance {
namespace {

constexpr std::uint32_t kSecureAlias = 0x10000000;

// EXTI line 3, RM0456, "Extended interrupts and event controller (EXTI)".
constexpr std::uint32_t kRising = 0x56022000, kBySoftware = 0x56022008, kRose = 0x5602200c, kSecureLines = 0x56022014;
constexpr std::uint32_t kMask = 0x56022080;
constexpr std::uint32_t kLine = 1U << 3, kLineInterrupt = 14;

// PWR, RM0456 10.10.
constexpr std::uint32_t kPowerClock = 0x56020c94, kVoltage = 0x5602080c, kVoltageStatus = 0x5602083c;
constexpr std::uint32_t kRangeReady = 1U << 15, kRange = 3U << 16, kRange1 = 3U << 16, kRange4 = 0;

// ICACHE, RM0456, "Instruction cache (ICACHE)".
constexpr std::uint32_t kCache = 0x50030400, kCacheStatus = 0x50030404, kCacheClear = 0x5003040c;
constexpr std::uint32_t kCacheOn = 1U << 0, kInvalidate = 1U << 1, kBusy = 1U << 0, kBusyEnd = 1U << 1;

void set_range(std::uint32_t range) {
  reg(kVoltage) = (reg(kVoltage) & ~kRange) | range;
  while ((reg(kVoltage) & kRangeReady) == 0) continue;  // or the watchdog says so
}

// Line 3 is Secure, masked and not pending while this lives.
class Line {
 public:
  Line() {
    reg(kSecureLines) = reg(kSecureLines) | kLine;
    clear();
  }
  ~Line() {
    clear();
    reg(kSecureLines) = reg(kSecureLines) & ~kLine;
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

 private:
  static void clear() {
    reg(kMask) = reg(kMask) & ~kLine;
    reg(kRising) = reg(kRising) & ~kLine;
    reg(kRose) = kLine;
  }
};

}  // namespace

ITEM("RM0456 EXTI_SWIER1", "a rising edge by software is pending whatever RTSR1 says, and the bit reads as zero") {
  const Line line;
  CHECK_EQUAL(reg(kRising) & kLine, 0);
  reg(kBySoftware) = kLine;
  CHECK_EQUAL(reg(kRose) & kLine, kLine);
  CHECK_EQUAL(reg(kBySoftware), 0);
}

ITEM("RM0456 EXTI_RPR1", "a pending edge is cleared by writing one to it") {
  const Line line;
  reg(kBySoftware) = kLine;
  reg(kRose) = 0;
  CHECK_EQUAL(reg(kRose) & kLine, kLine);
  reg(kRose) = kLine;
  CHECK_EQUAL(reg(kRose) & kLine, 0);
}

ITEM("RM0456 EXTI_IMR1", "an edge raises its interrupt only if the line is not masked") {
  const Line line;
  reg(kNvicEnable + kLineInterrupt / 32 * 4) = 1U << kLineInterrupt % 32;
  reg(kBySoftware) = kLine;
  barrier();
  CHECK_EQUAL(interrupt.count, 0);
  reg(kRose) = kLine;
  reg(kMask) = reg(kMask) | kLine;
  reg(kBySoftware) = kLine;
  while (interrupt.count == 0) continue;  // or the watchdog says so
  CHECK_EQUAL(interrupt.number, kLineInterrupt);
}

ITEM("RM0456 EXTI_SECCFGR1", "a Secure line reads as zero for Non-secure code, which cannot set or trigger it") {
  const Line line;
  reg(kRising) = reg(kRising) | kLine;
  CHECK_EQUAL(call_nonsecure(reinterpret_cast<const void*>(ns_read), kRising - kSecureAlias) & kLine, 0);
  call_nonsecure(reinterpret_cast<const void*>(ns_write), kRising - kSecureAlias, 0);
  CHECK_EQUAL(reg(kRising) & kLine, kLine);
  call_nonsecure(reinterpret_cast<const void*>(ns_write), kBySoftware - kSecureAlias, kLine);
  CHECK_EQUAL(reg(kRose) & kLine, 0);
}

ITEM("RM0456 PWR_VOSR", "VOS sets the range of the core's voltage: VOSRDY once it has, and PWR_SVMSR says which") {
  reg(kPowerClock) = reg(kPowerClock) | 1U << 2;
  [[maybe_unused]] const std::uint32_t on = reg(kPowerClock);
  set_range(kRange1);
  CHECK_EQUAL(reg(kVoltageStatus) & (kRange | kRangeReady), kRange1 | kRangeReady);
  set_range(kRange4);
  CHECK_EQUAL(reg(kVoltageStatus) & (kRange | kRangeReady), kRange4 | kRangeReady);
}

ITEM("RM0456 ICACHE_CR", "CACHEINV ends by itself with BSYENDF, and FCR clears that") {
  const std::uint32_t before = reg(kCache);
  reg(kCacheClear) = kBusyEnd;
  reg(kCache) = before | kInvalidate;
  while ((reg(kCacheStatus) & kBusyEnd) == 0) continue;  // or the watchdog says so
  CHECK_EQUAL(reg(kCacheStatus) & kBusy, 0);
  CHECK_EQUAL(reg(kCache) & kInvalidate, 0);
  CHECK_EQUAL(reg(kCache) & kCacheOn, before & kCacheOn);
  reg(kCacheClear) = kBusyEnd;
  CHECK_EQUAL(reg(kCacheStatus) & kBusyEnd, 0);
}

}  // namespace conformance
