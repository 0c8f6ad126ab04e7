// The random number generator and the NOR beside the chip, as the microvisor uses them.
#include "boards/stm32u585/nor.h"

#include "board.h"
#include "conformance.h"
#include "measured.h"
#include "registers.h"

namespace conformance {
namespace {

// RNG, RM0456 48.7; configuration of 48.6.2, as boards/stm32u585/random.cc has it.
constexpr std::uint32_t kRng = 0x520c0800, kRngStatus = kRng + 4, kRngData = kRng + 8, kRngHealth = kRng + 16;
constexpr std::uint32_t kNist = 0x00f00d00, kNistHealth = 0xaac7;
constexpr std::uint32_t kEnable = 1U << 2, kConditionReset = 1U << 30;
constexpr std::uint32_t kReady = 1, kRngErrors = 0x66;
constexpr std::uint32_t kWords = 1024;

constexpr std::uint32_t kMebibyte = 1024 * 1024;
constexpr std::uint32_t kCyclesAMillisecond = 4'000;

void start_random() {
  board_power_random(true);
  reg(kRng) = kNist | kConditionReset;
  reg(kRngHealth) = kNistHealth;
  reg(kRng) = kNist | kEnable;
  while ((reg(kRng) & kConditionReset) != 0) continue;  // or the watchdog says so
  reg(kRngStatus) = 0;
}

std::uint32_t random_word() {
  while ((reg(kRngStatus) & (kReady | kRngErrors)) == 0) continue;
  CHECK_EQUAL(reg(kRngStatus) & kRngErrors, 0);
  return reg(kRngData);
}

mv::board::Nor open_nor() {
  board_power_nor();
  mv::board::Nor nor;
  CHECK(nor.set_up());
  return nor;
}

std::uint32_t last_sector(const mv::board::Nor& nor) { return nor.size() - mv::board::Nor::kSector; }

// Cycles until the device is not busy after `begin`.
template <typename Begin>
std::uint32_t time_nor(mv::board::Nor& nor, Begin begin) {
  reg(kDwtControl) = reg(kDwtControl) | 1;
  const std::uint32_t start = reg(kCycleCount);
  CHECK(begin());
  while (nor.busy()) continue;
  return reg(kCycleCount) - start;
}

}  // namespace

ITEM("RM0456 48 RNG", "1024 words, no error of clock or seed, no word twice in a row: the ones in them") {
  start_random();
  std::uint32_t ones = 0, last = 0;
  for (std::uint32_t n = 0; n < kWords; ++n) {
    const std::uint32_t word = random_word();
    CHECK(word != last);
    last = word;
    for (std::uint32_t bits = word; bits != 0; bits &= bits - 1) ++ones;
  }
  reg(kRng) = 0;
  board_power_random(false);
  counted(ones, {15'700, 17'068}, "ones", "half of 32768, and 7.5 standard deviations");
}

ITEM("JESD216 NOR", "it answers in SPI mode; JEDEC id: maker Macronix, type MX25LM, lowest byte first") {
  const mv::board::Nor nor = open_nor();
  read_back(nor.id() & 0xffff, exactly(0x85c2), "MX25LM51245G, RDID");
}

ITEM("JESD216 NOR", "the third byte of its JEDEC id: the density") {
  const mv::board::Nor nor = open_nor();
  read_back(nor.id() >> 16, exactly(0x3a), "MX25LM51245G, RDID");
}

ITEM("JESD216 NOR", "SFDP: sectors of 4 KiB, and a size of 64 MiB") {
  const mv::board::Nor nor = open_nor();
  counted(nor.size() / kMebibyte, exactly(64), "MiB", "MX25LM51245G, SFDP");
}

ITEM("JESD216 NOR", "its last sector is erased") {
  mv::board::Nor nor = open_nor();
  const std::uint32_t cycles = time_nor(nor, [&] { return nor.start_erase(last_sector(nor)); });
  std::uint8_t byte = 0;
  CHECK(nor.read(last_sector(nor) + 4095, {&byte, 1}));
  CHECK_EQUAL(byte, 0xff);
  timed(cycles, {5 * kCyclesAMillisecond, 400 * kCyclesAMillisecond}, "cycles", "MX25LM51245G: 25 ms, at most 400 ms");
}

ITEM("JESD216 NOR", "a page of 256 bytes of its last sector is programmed") {
  mv::board::Nor nor = open_nor();
  CHECK(nor.erase_sector(last_sector(nor)));
  std::uint8_t page[mv::board::Nor::kPage];
  for (std::uint32_t at = 0; at < sizeof(page); ++at) page[at] = static_cast<std::uint8_t>(at);
  const std::uint32_t cycles = time_nor(nor, [&] { return nor.start_program(last_sector(nor), page); });
  std::uint8_t byte = 0;
  CHECK(nor.read(last_sector(nor) + 0x5a, {&byte, 1}));
  CHECK_EQUAL(byte, 0x5a);
  CHECK(nor.erase_sector(last_sector(nor)));
  timed(cycles, {0, 20 * kCyclesAMillisecond}, "cycles", "MX25LM51245G: 0.15 ms, and the transfer at 1 MHz");
}

}  // namespace conformance
