// How long the chip takes, in cycles of the core as the reset leaves it: 4 MHz, so that a cycle is 250 ns.
#include "board.h"
#include "conformance.h"
#include "measured.h"
#include "registers.h"

extern "C" std::uint32_t conf_scratch_page;

namespace conformance {
namespace {

constexpr std::uint32_t kCyclesAMillisecond = 4'000;

// Flash, RM0456 7.9.
constexpr std::uint32_t kSecureKey = 0x5002200c, kSecureStatus = 0x50022024, kSecureControl = 0x5002202c;
constexpr std::uint32_t kKey1 = 0x45670123, kKey2 = 0xcdef89ab, kLock = 1U << 31;
constexpr std::uint32_t kErrors = 0x20fa, kBusy = 3U << 16, kEndOfOperation = 1;
constexpr std::uint32_t kProgram = 1U << 0, kPageErase = 1U << 1, kSecondBank = 1U << 11, kStart = 1U << 16;
constexpr std::uint32_t kPageSize = 0x2000, kBank2 = 0x0c100000;

// RCC, RM0456 11.8; PWR_DBPR, 10.11.
constexpr std::uint32_t kOscillators = 0x56020c00, kBackupDomain = 0x56020cf0, kBackupAccess = 0x56020828;
constexpr std::uint32_t kHsi48On = 1U << 12, kHsi48Ready = 1U << 13, kLseOn = 1U << 0, kLseReady = 1U << 1;

constexpr std::uint32_t kSpareInterrupt = 50;  // TIM7: nobody uses it here

// Cycles of the core, counted while it lives.
class Cycles {
 public:
  Cycles() : was_(reg(kDwtControl)) {
    reg(kDwtControl) = was_ | 1;
    barrier();
    start_ = reg(kCycleCount);
  }
  ~Cycles() { reg(kDwtControl) = was_; }
  Cycles(const Cycles&) = delete;
  Cycles& operator=(const Cycles&) = delete;
  std::uint32_t start() const { return start_; }
  std::uint32_t passed() const { return reg(kCycleCount) - start_; }

 private:
  std::uint32_t was_, start_;
};

std::uint32_t scratch_page() { return reinterpret_cast<std::uint32_t>(&conf_scratch_page); }

// Cycles from the start of the operation until the controller is idle. Code of this bank stands still meanwhile.
template <typename Operation>
std::uint32_t time_flash(std::uint32_t control, Operation operation) {
  reg(kSecureKey) = kKey1;
  reg(kSecureKey) = kKey2;
  reg(kSecureStatus) = kErrors | kEndOfOperation;
  reg(kSecureControl) = control;
  const Cycles cycles;
  operation();
  barrier();
  while ((reg(kSecureStatus) & kBusy) != 0) continue;
  const std::uint32_t passed = cycles.passed(), status = reg(kSecureStatus);
  reg(kSecureControl) = 0;
  reg(kSecureControl) = kLock;
  CHECK_EQUAL(status & kErrors, 0);
  return passed;
}

std::uint32_t erase_scratch_page() {
  const std::uint32_t page = kPageErase | kSecondBank | (scratch_page() - kBank2) / kPageSize << 3;
  return time_flash(page, [page] { reg(kSecureControl) = page | kStart; });
}

std::uint32_t program_scratch_page() {
  return time_flash(kProgram, [] {
    for (std::uint32_t word = 0; word < 4; ++word) reg(scratch_page() + 4 * word) = 0x12345678 + word;
  });
}

// Cycles until `ready` is seen after `on` was set; 0 if it was on before.
std::uint32_t time_oscillator(std::uint32_t control, std::uint32_t on, std::uint32_t ready, std::uint32_t patience) {
  const std::uint32_t before = reg(control);
  if ((before & on) != 0) return 0;
  const Cycles cycles;
  reg(control) = before | on;
  while ((reg(control) & ready) == 0 && cycles.passed() < patience) continue;
  const std::uint32_t passed = cycles.passed(), after = reg(control);
  reg(control) = before;
  CHECK((after & ready) != 0);
  return passed;
}

}  // namespace

ITEM("RM0456 7.3.7 FLASH", "a page of 8 KiB is erased, at 4 MHz from the same bank") {
  const std::uint32_t cycles = erase_scratch_page();
  CHECK_EQUAL(reg(scratch_page()), 0xffffffff);
  timed(cycles, {kCyclesAMillisecond / 2, 7 * kCyclesAMillisecond / 2}, "cycles", "DS13086: 1.5 ms, at most 3.4 ms");
}

ITEM("RM0456 7.3.8 FLASH", "a quad-word is programmed, at 4 MHz from the same bank") {
  erase_scratch_page();
  const std::uint32_t cycles = program_scratch_page();
  CHECK_EQUAL(reg(scratch_page() + 12), 0x1234567b);
  erase_scratch_page();
  timed(cycles, {kCyclesAMillisecond / 20, kCyclesAMillisecond / 4}, "cycles", "DS13086: 118 us");
}

ITEM("RM0456 11.4.8 HSI48", "ready after it was switched on") {
  const std::uint32_t cycles = time_oscillator(kOscillators, kHsi48On, kHsi48Ready, kCyclesAMillisecond);
  timed(cycles, {0, 150}, "cycles", "DS13086: 6 us, and the loop that looks");
}

ITEM("RM0456 11.4.7 LSE", "ready after it was switched on; 0 if it ran before") {
  constexpr std::uint32_t kMost = 5'000 * kCyclesAMillisecond;
  reg(kBackupAccess) = reg(kBackupAccess) | 1;
  const std::uint32_t cycles = time_oscillator(kBackupDomain, kLseOn, kLseReady, kMost);
  timed(cycles, {0, kMost}, "cycles", "DS13086: 2 s");
}

ITEM("B3.9 exceptions", "from the store that pends an interrupt to its handler's first load of CYCCNT") {
  const Cycles cycles;
  reg(kNvicEnable + kSpareInterrupt / 32 * 4) = 1U << kSpareInterrupt % 32;
  barrier();
  const std::uint32_t before = reg(kCycleCount);
  reg(kNvicPend + kSpareInterrupt / 32 * 4) = 1U << kSpareInterrupt % 32;
  barrier();
  CHECK_EQUAL(interrupt.count, 1);
  CHECK_EQUAL(interrupt.number, kSpareInterrupt);
  timed(interrupt.cycle - before, {12, 40}, "cycles", "12 by the core, and the instructions around it");
}

}  // namespace conformance
