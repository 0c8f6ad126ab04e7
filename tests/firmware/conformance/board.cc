#include "board.h"

#include "conformance.h"
#include "registers.h"

namespace conformance {
namespace {

// RCC, RM0456 11.8.
constexpr std::uint32_t kRcc = 0x56020c00;
constexpr std::uint32_t kMsiRanges = kRcc + 0x08, kClockSource = kRcc + 0x1c;  // ICSCR1, CFGR1
constexpr std::uint32_t kOscillators = kRcc + 0x00;                            // CR
constexpr std::uint32_t kAhb1 = kRcc + 0x88, kAhb2 = kRcc + 0x8c, kAhb2Second = kRcc + 0x90, kAhb3 = kRcc + 0x94;
constexpr std::uint32_t kApb2 = kRcc + 0xa4, kCause = kRcc + 0xf4;
constexpr std::uint32_t kControllerClock = 1U << 24;  // GTZC1EN
constexpr std::uint32_t kPower = 1U << 2;             // PWREN
constexpr std::uint32_t kUsart1 = 1U << 14;           // USART1EN
constexpr std::uint32_t kHsi48On = 1U << 12, kHsi48Ready = 1U << 13;
constexpr std::uint32_t kForgetCause = 1U << 23, kByOptions = 1U << 25, kBySoftware = 1U << 28;
constexpr std::uint32_t kByWatchdog = 1U << 29;

constexpr std::uint32_t kSram3Blocks = 0x50033400 + 0x100;  // GTZC1_MPCBB3_SECCFGR0, RM0456 5.7: a bit for 512 bytes
constexpr std::uint32_t kBlocksOfAWord = 32 * 512;

constexpr std::uint32_t kIdCode = 0xe0044000;    // DBGMCU_IDCODE
constexpr std::uint32_t kUniqueId = 0x0bfa0700;  // RM0456, "Device electronic signature"
constexpr std::uint32_t kModelsLot[] = {'Q' << 8 | 'E' << 16 | 'M' << 24 | 7U, 'U' | '5' << 8 | '8' << 16 | '5' << 24};

// IWDG, 61.7.
constexpr std::uint32_t kWatchdog = 0x50003000;
constexpr std::uint32_t kStart = 0xcccc, kFeed = 0xaaaa, kUnlock = 0x5555;
constexpr std::uint32_t kBy512 = 7, kTicksASecond = 62;  // LSI / 512

void clock_on(std::uint32_t enable, std::uint32_t bits) {
  reg(enable) = reg(enable) | bits;
  [[maybe_unused]] const std::uint32_t on = reg(enable);  // 11.4.19: reading waits until it is on
}

// A pin for an alternate function, at high speed. Ports: 13.4.
void connect(char port, std::uint32_t pin, std::uint32_t function) {
  const std::uint32_t base = 0x52020000 + static_cast<std::uint32_t>(port - 'A') * 0x400, shift = 2 * pin;
  clock_on(kAhb2, 1U << (port - 'A'));
  const auto write_field = [](std::uint32_t at, std::uint32_t mask, std::uint32_t value) {
    reg(at) = (reg(at) & ~mask) | value;
  };
  write_field(base + 0x20 + pin / 8 * 4, 0xfU << pin % 8 * 4, function << pin % 8 * 4);
  write_field(base + 0x08, 3U << shift, 2U << shift);
  write_field(base, 3U << shift, 2U << shift);
}

}  // namespace

// After reset all SRAM is Secure, RM0456 5.4.2.
void board_set_up() {
  clock_on(kAhb1, kControllerClock);
  clock_on(kAhb3, kPower);
  barrier();
  for (std::uint32_t at = 0; at < kNonSecureRamSize / kBlocksOfAWord; ++at) reg(kSram3Blocks + 4 * at) = 0;
  barrier();
}

// B-U585I-IOT02A (UM2839): T.VCP_TX and T.VCP_RX.
void board_connect_console() {
  clock_on(kApb2, kUsart1);
  connect('A', 9, 7);
  connect('A', 10, 7);
}

std::uint32_t board_clock_hz() {
  constexpr std::uint32_t kMsiHz[16] = {48'000'000, 24'000'000, 16'000'000, 12'000'000, 4'000'000, 2'000'000,
                                        1'330'000,  1'000'000,  3'072'000,  1'536'000,  1'024'000, 768'000,
                                        400'000,    200'000,    133'000,    100'000};
  constexpr std::uint32_t kHsi16 = 16'000'000, kRangeOfRunMode = 1U << 23;
  const std::uint32_t source = reg(kClockSource) >> 2 & 3, ranges = reg(kMsiRanges);
  if (source == 0) return kMsiHz[(ranges & kRangeOfRunMode) != 0 ? ranges >> 28 : reg(kCause) >> 12 & 15];
  return source == 1 ? kHsi16 : 0;
}

std::uint32_t board_chip_id() { return reg(kIdCode); }

std::uint32_t board_unique_id(std::uint32_t word) { return reg(kUniqueId + 4 * word); }

bool board_is_model() { return board_unique_id(1) == kModelsLot[0] && board_unique_id(2) == kModelsLot[1]; }

void board_power_random(bool on) {
  if (!on) {
    reg(kOscillators) = reg(kOscillators) & ~kHsi48On;
    return;
  }
  reg(kOscillators) = reg(kOscillators) | kHsi48On;
  while ((reg(kOscillators) & kHsi48Ready) == 0) continue;  // or the watchdog says so
  clock_on(kAhb2, 1U << 18);
}

void board_power_nor() {
  clock_on(kAhb2, 1U << 21);       // OCTOSPIM
  clock_on(kAhb2Second, 1U << 8);  // OCTOSPI2
  connect('F', 0, 5);
  connect('F', 1, 5);
  connect('F', 4, 5);
  connect('I', 5, 5);
}

void board_reset() {
  constexpr std::uint32_t kRequest = 1U << 2;
  barrier();
  reg(kAircr) = kVectKey | kPris | kRequest;
  for (;;) barrier();
}

std::uint32_t board_reset_cause() { return reg(kCause); }

bool board_reset_itself(std::uint32_t cause) {
  return (cause & (kByOptions | kBySoftware | kByWatchdog | kByWindowWatchdog)) != 0;
}

bool board_reset_by_watchdog(std::uint32_t cause) { return (cause & kByWatchdog) != 0; }

void board_forget_reset_cause() { reg(kCause) = reg(kCause) | kForgetCause; }

void board_feed_watchdog() {
  static bool started;
  reg(kWatchdog) = started ? kFeed : kStart;
  if (started) return;
  started = true;
  reg(kWatchdog) = kUnlock;
  reg(kWatchdog + 0x04) = kBy512;
  reg(kWatchdog + 0x08) = kWatchdogSeconds * kTicksASecond;
  reg(kWatchdog) = kFeed;
}

}  // namespace conformance
