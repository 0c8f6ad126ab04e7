// LPTIM1, on MSIK.
#include "conformance.h"
#include "measured.h"
#include "registers.h"

namespace conformance {
namespace {

// LPTIM1 by its Secure alias. RM0456, "Low-power timer (LPTIM)".
constexpr std::uint32_t kFlags = 0x56004400, kForget = kFlags + 0x04, kInterrupts = kFlags + 0x08;
constexpr std::uint32_t kConfiguration = kFlags + 0x0c, kControl = kFlags + 0x10, kCompare = kFlags + 0x14;
constexpr std::uint32_t kReload = kFlags + 0x18, kCount = kFlags + 0x1c, kRepetitions = kFlags + 0x28;
constexpr std::uint32_t kChannels = kFlags + 0x2c;
constexpr std::uint32_t kCompareMatch = 1U << 0, kReloadMatch = 1U << 1, kCompareWritten = 1U << 3;
constexpr std::uint32_t kReloadWritten = 1U << 4, kUpdated = 1U << 7, kRepetitionsWritten = 1U << 8;
constexpr std::uint32_t kInterruptsWritten = 1U << 24;
constexpr std::uint32_t kOn = 1U << 0, kOnce = 1U << 1, kForEver = 1U << 2, kToZero = 1U << 3;
constexpr std::uint32_t kBy128 = 7U << 9;   // LPTIM_CFGR.PRESC: a step takes 32 us
constexpr std::uint32_t kOutput = 1U << 1;  // LPTIM_CCMR1.CC1E
constexpr std::uint32_t kTimerInterrupt = 67;

// RCC: APB3ENR, APB3RSTR, CR.
constexpr std::uint32_t kClock = 0x56020ca8, kReset = 0x56020c80, kBit = 1U << 11;
constexpr std::uint32_t kOscillators = 0x56020c00, kMsikOn = 1U << 4, kMsikReady = 1U << 5;

void wait_for(std::uint32_t flag) {
  while ((reg(kFlags) & flag) == 0) continue;  // or the watchdog says so
}

// Writes a register that belongs to the timer's own clock.
void write(std::uint32_t at, std::uint32_t value, std::uint32_t written) {
  reg(kForget) = written;
  reg(at) = value;
  wait_for(written);
  reg(kForget) = written;
}

// As RCC's reset leaves it, then enabled; it does not count yet.
void fresh_timer(std::uint32_t configuration = 0) {
  reg(kOscillators) = reg(kOscillators) | kMsikOn;
  while ((reg(kOscillators) & kMsikReady) == 0) continue;
  reg(kClock) = reg(kClock) | kBit;
  [[maybe_unused]] const std::uint32_t on = reg(kClock);
  reg(kReset) = reg(kReset) | kBit;
  reg(kReset) = reg(kReset) & ~kBit;
  barrier();
  reg(kConfiguration) = configuration;
  reg(kChannels) = kOutput;
  reg(kControl) = kOn;
}

void stop() { reg(kControl) = 0; }

// It may change while it is read: twice the same is right.
std::uint32_t count() {
  std::uint32_t first = reg(kCount), second = reg(kCount);
  while (first != second) {
    first = second;
    second = reg(kCount);
  }
  return first;
}

}  // namespace

ITEM("RM0456 LPTIM_ISR", "ARROK and CMP1OK are set when ARR and CCR1 have got what was written; ICR clears them") {
  fresh_timer();
  CHECK_EQUAL(reg(kReload), 1);
  CHECK_EQUAL(reg(kFlags) & (kReloadWritten | kCompareWritten), 0);
  reg(kReload) = 0x1234;
  wait_for(kReloadWritten);
  reg(kCompare) = 0x1233;
  wait_for(kCompareWritten);
  reg(kForget) = kReloadWritten;
  CHECK_EQUAL(reg(kFlags) & (kReloadWritten | kCompareWritten), kCompareWritten);
  CHECK_EQUAL(reg(kReload), 0x1234);
  CHECK_EQUAL(reg(kCompare), 0x1233);
  stop();
}

ITEM("RM0456 LPTIM_CR", "CNTSTRT: it counts to ARR, which sets ARRM, again and again") {
  fresh_timer();
  write(kReload, 400, kReloadWritten);
  reg(kControl) = kOn | kForEver;
  for (int times = 0; times < 3; ++times) {
    wait_for(kReloadMatch);
    reg(kForget) = kReloadMatch;
    CHECK(count() <= 400);
  }
  stop();
}

ITEM("RM0456 LPTIM_CR", "SNGSTRT: it counts to ARR once and stands still") {
  fresh_timer();
  write(kReload, 400, kReloadWritten);
  reg(kControl) = kOn | kOnce;
  wait_for(kReloadMatch);
  reg(kForget) = kReloadMatch;
  for (int times = 0; times < 500; ++times) CHECK_EQUAL(reg(kFlags) & kReloadMatch, 0);
  const std::uint32_t at = count();
  for (int times = 0; times < 100; ++times) CHECK_EQUAL(count(), at);
  stop();
}

ITEM("RM0456 LPTIM_ISR", "CC1IF is set when the counter has come to CCR1") {
  fresh_timer(kBy128);
  write(kReload, 0xffff, kReloadWritten);
  write(kCompare, 50, kCompareWritten);
  CHECK_EQUAL(reg(kFlags) & kCompareMatch, 0);
  reg(kControl) = kOn | kForEver;
  wait_for(kCompareMatch);
  CHECK(count() >= 50);
  CHECK_EQUAL(reg(kFlags) & kReloadMatch, 0);
  stop();
}

ITEM("RM0456 LPTIM_CR", "COUNTRST sets the counter to zero") {
  fresh_timer(kBy128);
  write(kReload, 0xffff, kReloadWritten);
  reg(kControl) = kOn | kForEver;
  while (count() < 2000) continue;  // 64 ms
  reg(kControl) = kOn | kToZero;
  while ((reg(kControl) & kToZero) != 0) continue;
  CHECK(count() < 2000);
  stop();
}

ITEM("RM0456 LPTIM_RCR", "UE is set by the turn after REP others") {
  fresh_timer(kBy128);
  write(kReload, 100, kReloadWritten);
  write(kRepetitions, 30, kRepetitionsWritten);
  reg(kControl) = kOn | kForEver;  // a turn takes 3 ms
  wait_for(kReloadMatch);
  CHECK_EQUAL(reg(kFlags) & kUpdated, 0);
  wait_for(kUpdated);
  stop();
}

ITEM("RM0456 LPTIM_DIER", "ARRMIE: the match of ARR raises LPTIM1") {
  fresh_timer();
  write(kReload, 400, kReloadWritten);
  reg(kNvicEnable + kTimerInterrupt / 32 * 4) = 1U << kTimerInterrupt % 32;
  write(kInterrupts, kReloadMatch, kInterruptsWritten);
  CHECK_EQUAL(interrupt.count, 0);
  reg(kControl) = kOn | kOnce;
  while (interrupt.count == 0) continue;  // or the watchdog says so
  reg(kForget) = kReloadMatch;
  stop();
  CHECK_EQUAL(interrupt.count, 1);
  CHECK_EQUAL(interrupt.number, kTimerInterrupt);
}

}  // namespace conformance
