// Clocks, pins, backup registers and the configuration of the random number generator.
#include "board.h"
#include "conformance.h"
#include "nonsecure.h"
#include "registers.h"

namespace conformance {
namespace {

constexpr std::uint32_t kSecureAlias = 0x10000000;

// RCC, RM0456 11.8.
constexpr std::uint32_t kOscillators = 0x56020c00, kClockSource = 0x56020c1c, kSecureOnes = 0x56020d10;
constexpr std::uint32_t kPortClocks = 0x56020c8c, kBackupClock = 0x56020ca8;
constexpr std::uint32_t kHsiOn = 1U << 8, kHsiReady = 1U << 10, kHsi = 1, kSourceInUse = 3U << 2;
constexpr std::uint32_t kSystemClock = 1U << 5;    // RCC_SECCFGR.SYSCLKSEC
constexpr std::uint32_t kWakesWithHsi = 1U << 4;   // RCC_CFGR1.STOPWUCK
constexpr std::uint32_t kWaitStates = 0x50022000;  // FLASH_ACR.LATENCY

// GPIOH, RM0456 13.4. On B-U585I-IOT02A its pin 6 is a LED.
constexpr std::uint32_t kPort = 0x52021c00, kMode = kPort, kInput = kPort + 0x10, kOutput = kPort + 0x14;
constexpr std::uint32_t kSetOrReset = kPort + 0x18, kReset = kPort + 0x28, kSecurePins = kPort + 0x30;
constexpr std::uint32_t kPin = 6, kPinMode = 3U << 2 * kPin, kPinOutput = 1U << 2 * kPin;

// TAMP; PWR_DBPR.
constexpr std::uint32_t kSecureRegisters = 0x56007c20, kBackup = 0x56007d00, kBackupAccess = 0x56020828;

// RNG, RM0456 48.7.
constexpr std::uint32_t kRandom = 0x520c0800, kConditionReset = 1U << 30, kConfiguration = 0x00f00f00;

std::uint32_t read(std::uint32_t address) {
  return call_nonsecure(reinterpret_cast<const void*>(ns_read), address - kSecureAlias);
}
void write(std::uint32_t address, std::uint32_t value) {
  call_nonsecure(reinterpret_cast<const void*>(ns_write), address - kSecureAlias, value);
}

void clock_port() {
  reg(kPortClocks) = reg(kPortClocks) | 1U << 7;
  [[maybe_unused]] const std::uint32_t on = reg(kPortClocks);
}

// Pin 6 is an output, and Secure, while it lives.
class Led {
 public:
  Led() {
    clock_port();
    reg(kSecurePins) = reg(kSecurePins) | 1U << kPin;
    reg(kSetOrReset) = 1U << kPin;
    reg(kMode) = (reg(kMode) & ~kPinMode) | kPinOutput;
  }
  ~Led() {
    reg(kSecurePins) = reg(kSecurePins) | 1U << kPin;
    reg(kSetOrReset) = 1U << kPin;
    reg(kMode) = reg(kMode) | kPinMode;
  }
  Led(const Led&) = delete;
  Led& operator=(const Led&) = delete;
};

void allow_backup(bool on) {
  reg(kBackupClock) = reg(kBackupClock) | 1U << 21;
  reg(kBackupAccess) = on ? 1 : 0;
  barrier();
  while ((reg(kBackupAccess) & 1) != (on ? 1U : 0U)) continue;
}

constexpr std::uint32_t kLast = kBackup + 4 * 31;

// Tries something with the last backup register; it and the owners of all are as they were, when it returns.
template <typename Try>
void with_last_register(std::uint32_t value, Try attempt) {
  allow_backup(true);
  const std::uint32_t was = reg(kLast), owners = reg(kSecureRegisters);
  reg(kLast) = value;
  attempt();
  allow_backup(true);
  reg(kSecureRegisters) = owners;
  reg(kLast) = was;
}

// What Non-secure code reads there, and what is left when it has written.
struct Seen {
  std::uint32_t found, held;
};
Seen last_register_under(std::uint32_t owners, std::uint32_t value) {
  Seen seen{};
  with_last_register(value, [&] {
    reg(kSecureRegisters) = owners;
    barrier();
    seen.found = read(kLast);
    write(kLast, ~value);
    seen.held = reg(kLast);
  });
  return seen;
}

}  // namespace

ITEM("RM0456 RCC_CFGR1", "SWS follows SW from MSIS to HSI16 and back, once HSI16 is ready") {
  const std::uint32_t clock = reg(kClockSource), wait_states = reg(kWaitStates);
  reg(kWaitStates) = (wait_states & ~0xfU) | 2;
  while ((reg(kWaitStates) & 0xf) != 2) continue;
  reg(kOscillators) = reg(kOscillators) | kHsiOn;
  while ((reg(kOscillators) & kHsiReady) == 0) continue;
  reg(kClockSource) = (clock & ~3U) | kHsi;
  while ((reg(kClockSource) & kSourceInUse) != kHsi << 2) continue;
  const std::uint32_t hz = board_clock_hz();
  reg(kClockSource) = clock;
  while ((reg(kClockSource) & kSourceInUse) != (clock & kSourceInUse)) continue;
  reg(kOscillators) = reg(kOscillators) & ~kHsiOn;
  reg(kWaitStates) = wait_states;
  CHECK_EQUAL(hz, 16'000'000);
  CHECK_EQUAL(board_clock_hz(), 4'000'000);
}

ITEM("RM0456 RCC_SECCFGR", "SYSCLKSEC: Non-secure code cannot write RCC_CFGR1, nor take the bit back") {
  const std::uint32_t clock = reg(kClockSource), owners = reg(kSecureOnes);
  reg(kSecureOnes) = owners | kSystemClock;
  write(kClockSource, clock ^ kWakesWithHsi);
  write(kSecureOnes, 0);
  const std::uint32_t kept_clock = reg(kClockSource), kept_owner = reg(kSecureOnes) & kSystemClock;
  reg(kSecureOnes) = owners;
  reg(kClockSource) = clock;
  CHECK_EQUAL(kept_clock, clock);
  CHECK_EQUAL(kept_owner, kSystemClock);
}

ITEM("RM0456 GPIOx_BSRR", "it sets and resets an output, and what is set and reset at once is set") {
  const Led led;
  reg(kReset) = 1U << kPin;
  const std::uint32_t reset = reg(kOutput) >> kPin & 1;
  reg(kSetOrReset) = 1U << kPin | 1U << (16 + kPin);
  const std::uint32_t both = reg(kOutput) >> kPin & 1;
  reg(kSetOrReset) = 1U << (16 + kPin);
  const std::uint32_t again = reg(kOutput) >> kPin & 1;
  CHECK_EQUAL(reset, 0);
  CHECK_EQUAL(both, 1);
  CHECK_EQUAL(again, 0);
}

ITEM("RM0456 GPIOx_IDR", "an output reads as it is driven") {
  const Led led;
  std::uint32_t seen[2];
  for (std::uint32_t level = 0; level < 2; ++level) {
    reg(kSetOrReset) = 1U << (level != 0 ? kPin : 16 + kPin);
    barrier();
    [[maybe_unused]] const std::uint32_t settles = reg(kInput);
    seen[level] = reg(kInput) >> kPin & 1;
  }
  CHECK_EQUAL(seen[0], 0);
  CHECK_EQUAL(seen[1], 1);
}

ITEM("RM0456 GPIOx_SECCFGR", "a Secure pin reads as zero for Non-secure code, which cannot drive it") {
  const Led led;
  const std::uint32_t found = read(kOutput) >> kPin & 1;
  write(kReset, 1U << kPin);
  write(kSecurePins, 0);
  const std::uint32_t kept = reg(kOutput) >> kPin & 1, owner = reg(kSecurePins) >> kPin & 1;
  reg(kSecurePins) = reg(kSecurePins) & ~(1U << kPin);
  write(kReset, 1U << kPin);
  const std::uint32_t open = reg(kOutput) >> kPin & 1;
  CHECK_EQUAL(found, 0);
  CHECK_EQUAL(kept, 1);
  CHECK_EQUAL(owner, 1);
  CHECK_EQUAL(open, 0);
}

ITEM("RM0456 RCC_BDCR", "it is written only while PWR_DBPR.DBP is set") {
  constexpr std::uint32_t kDomain = 0x56020cf0, kOutputOfLse = 1U << 25;  // LSCOSEL, of an output that is off
  const std::uint32_t was = reg(kDomain);
  allow_backup(false);
  reg(kDomain) = was ^ kOutputOfLse;
  CHECK_EQUAL(reg(kDomain), was);
  allow_backup(true);
  reg(kDomain) = was ^ kOutputOfLse;
  CHECK_EQUAL(reg(kDomain), was ^ kOutputOfLse);
  reg(kDomain) = was;
}

ITEM("RM0456 TAMP_BKPxR", "a backup register is written only while PWR_DBPR.DBP is set") {
  std::uint32_t written = 0, kept = 0;
  with_last_register(0x600d600d, [&] {
    written = reg(kLast);
    allow_backup(false);
    reg(kLast) = 0;
    kept = reg(kLast);
  });
  CHECK_EQUAL(written, 0x600d600d);
  CHECK_EQUAL(kept, 0x600d600d);
}

ITEM("RM0456 TAMP_SECCFGR", "BKPRWSEC: those registers read as zero for Non-secure code, which cannot write them") {
  const Seen seen = last_register_under(32, 0x5ec5ec5e);
  CHECK_EQUAL(seen.found, 0);
  CHECK_EQUAL(seen.held, 0x5ec5ec5e);
}

ITEM("RM0456 TAMP_SECCFGR", "BKPWSEC: those registers are read by Non-secure code, which cannot write them") {
  const Seen seen = last_register_under(32U << 16, 0x5ec5ec5e);
  CHECK_EQUAL(seen.found, 0x5ec5ec5e);
  CHECK_EQUAL(seen.held, 0x5ec5ec5e);
}

ITEM("RM0456 TAMP_SECCFGR", "registers of neither are Non-secure code's to write") {
  CHECK_EQUAL(last_register_under(31 | 31U << 16, 0x5ec5ec5e).held, ~0x5ec5ec5eU);
}

ITEM("RM0456 RNG_CR", "the configuration changes only when it is written with CONDRST") {
  board_power_random(true);
  const std::uint32_t before = reg(kRandom);
  reg(kRandom) = kConfiguration | kConditionReset;
  const std::uint32_t set = reg(kRandom);
  reg(kRandom) = kConfiguration;
  while ((reg(kRandom) & kConditionReset) != 0) continue;
  reg(kRandom) = 0;
  const std::uint32_t kept = reg(kRandom);
  reg(kRandom) = before | kConditionReset;
  reg(kRandom) = before;
  while ((reg(kRandom) & kConditionReset) != 0) continue;
  board_power_random(false);
  CHECK_EQUAL(set & kConfiguration, kConfiguration);
  CHECK_EQUAL(kept & kConfiguration, kConfiguration);
}

}  // namespace conformance
