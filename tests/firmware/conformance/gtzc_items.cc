// Who may reach which block of SRAM and which peripheral, and that an illegal access is told.
#include "board.h"
#include "conformance.h"
#include "measured.h"
#include "nonsecure.h"
#include "registers.h"

namespace conformance {
namespace {

// GTZC1: TZSC, TZIC, MPCBB1 to 3. RM0456 5.7.
constexpr std::uint32_t kSecureOnes = 0x50032410;                                         // TZSC_SECCFGR1
constexpr std::uint32_t kEnable = 0x50032800, kFlags = 0x50032810, kForget = 0x50032820;  // TZIC_IER1, SR1, FCR1
constexpr std::uint32_t kRamWord = 3 * 4;  // of TZIC's registers: SRAM is in the fourth
constexpr std::uint32_t kSram3Flag = 1U << 28, kTim2 = 1U << 0;
constexpr std::uint32_t kBlocks2 = 0x50033100, kBlocks3 = 0x50033500, kControl3 = 0x50033400;  // MPCBBx_SECCFGR0
constexpr std::uint32_t kSecureMayReachNonSecure = 1U << 31;                                   // MPCBB_CR.SRWILADIS
constexpr std::uint32_t kControllerInterrupt = 8;

// RAM of SRAM3 that the program does not use: the first 16 KiB above its half, 512 bytes a bit.
constexpr std::uint32_t kNumber = 16, kRam = kNonSecureRam + kNumber * 0x4000, kRamAsSecure = kRam + 0x10000000;
constexpr std::uint32_t kBlockSize = 512;

constexpr std::uint32_t kTimerClock = 0x56020c9c;                               // RCC_APB1ENR1
constexpr std::uint32_t kReload = 0x5000002c, kReloadAsNonSecure = 0x4000002c;  // TIM2_ARR

std::uint32_t read(std::uint32_t address) { return call_nonsecure(reinterpret_cast<const void*>(ns_read), address); }
void write(std::uint32_t address, std::uint32_t value) {
  call_nonsecure(reinterpret_cast<const void*>(ns_write), address, value);
}

// Which blocks of that RAM are Secure.
void make_secure(std::uint32_t blocks) {
  reg(kBlocks3 + 4 * kNumber) = blocks;
  barrier();
}

// The flag of the SRAM or peripheral, forgotten after.
std::uint32_t take_flag(std::uint32_t word, std::uint32_t flag) {
  barrier();
  const std::uint32_t value = reg(kFlags + word) & flag;
  reg(kForget + word) = flag;
  return value;
}

void watch(std::uint32_t word, std::uint32_t flag) {
  reg(kForget + word) = flag;
  reg(kEnable + word) = reg(kEnable + word) | flag;
}

void unwatch(std::uint32_t word, std::uint32_t flag) {
  reg(kEnable + word) = reg(kEnable + word) & ~flag;
  reg(kForget + word) = flag;
}

void clock_timer() {
  reg(kTimerClock) = reg(kTimerClock) | 1;
  [[maybe_unused]] const std::uint32_t on = reg(kTimerClock);
}

}  // namespace

ITEM("RM0456 GTZC1_MPCBB2_SECCFGR0", "after a reset all of an SRAM is Secure") {
  for (std::uint32_t n = 0; n < 4; ++n) CHECK_EQUAL(reg(kBlocks2 + 4 * n), 0xffffffff);
}

ITEM("RM0456 GTZC1_MPCBB3_SECCFGR0", "a Secure block reads as zero for Non-secure code, which cannot write it") {
  make_secure(0);
  write(kRam, 0x11111111);
  make_secure(1);
  reg(kRamAsSecure) = 0x22222222;
  const std::uint32_t found = read(kRam);
  write(kRam, 0x33333333);
  const std::uint32_t kept = reg(kRamAsSecure);
  make_secure(0);
  CHECK_EQUAL(found, 0);
  CHECK_EQUAL(kept, 0x22222222);
}

ITEM("RM0456 GTZC1_MPCBB3_SECCFGR0", "a bit stands for 512 bytes") {
  make_secure(0);
  for (std::uint32_t block = 0; block < 4; ++block) write(kRam + block * kBlockSize, block + 1);
  write(kRam + 2 * kBlockSize - 4, 7);
  make_secure(1U << 1);
  std::uint32_t found[4];
  for (std::uint32_t block = 0; block < 4; ++block) found[block] = read(kRam + block * kBlockSize);
  const std::uint32_t end = read(kRam + 2 * kBlockSize - 4);
  make_secure(0);
  CHECK_EQUAL(found[0], 1);
  CHECK_EQUAL(found[1], 0);
  CHECK_EQUAL(end, 0);
  CHECK_EQUAL(found[2], 3);
  CHECK_EQUAL(found[3], 4);
}

ITEM("RM0456 GTZC1_MPCBB3_CR", "Secure code reaches a Non-secure block by its Secure address only with SRWILADIS") {
  make_secure(0);
  write(kRam, 0x5a5a5a5a);
  const std::uint32_t without = reg(kRamAsSecure);
  reg(kControl3) = kSecureMayReachNonSecure;
  barrier();
  const std::uint32_t with = reg(kRamAsSecure);
  reg(kControl3) = 0;
  barrier();
  CHECK_EQUAL(without, 0);
  CHECK_EQUAL(with, 0x5a5a5a5a);
}

ITEM("RM0456 GTZC1_MPCBB3_SECCFGR0", "Non-secure code cannot make a block its own") {
  make_secure(1);
  write(kBlocks3 + 4 * kNumber - 0x10000000, 0);
  const std::uint32_t kept = reg(kBlocks3 + 4 * kNumber);
  make_secure(0);
  CHECK_EQUAL(kept, 1);
}

ITEM("RM0456 GTZC1_TZIC_SR4", "an illegal access to SRAM3 sets SRAM3F, a legal one does not; FCR4 clears it") {
  make_secure(0);
  watch(kRamWord, kSram3Flag);
  read(kRam);
  const std::uint32_t legal = take_flag(kRamWord, kSram3Flag);
  make_secure(1);
  read(kRam);
  const std::uint32_t illegal = take_flag(kRamWord, kSram3Flag), cleared = reg(kFlags + kRamWord) & kSram3Flag;
  make_secure(0);
  unwatch(kRamWord, kSram3Flag);
  CHECK_EQUAL(legal, 0);
  CHECK_EQUAL(illegal, kSram3Flag);
  CHECK_EQUAL(cleared, 0);
}

ITEM("RM0456 GTZC1_TZSC_SECCFGR1", "TIM2SEC: TIM2 reads as zero for Non-secure code, which cannot write it") {
  clock_timer();
  reg(kSecureOnes) = reg(kSecureOnes) & ~kTim2;
  write(kReloadAsNonSecure, 1234);
  const std::uint32_t open = read(kReloadAsNonSecure);
  reg(kSecureOnes) = reg(kSecureOnes) | kTim2;
  barrier();
  const std::uint32_t closed = read(kReloadAsNonSecure);
  write(kReloadAsNonSecure, 77);
  const std::uint32_t kept = reg(kReload);
  reg(kReload) = 0xffffffff;
  reg(kSecureOnes) = reg(kSecureOnes) & ~kTim2;
  CHECK_EQUAL(open, 1234);
  CHECK_EQUAL(closed, 0);
  CHECK_EQUAL(kept, 1234);
}

ITEM("RM0456 GTZC1_TZSC_SECCFGR1", "Non-secure code cannot write it") {
  reg(kSecureOnes) = reg(kSecureOnes) | kTim2;
  write(kSecureOnes - 0x10000000, 0);
  const std::uint32_t kept = reg(kSecureOnes) & kTim2;
  reg(kSecureOnes) = reg(kSecureOnes) & ~kTim2;
  CHECK_EQUAL(kept, kTim2);
}

ITEM("RM0456 GTZC1_TZIC_SR1", "an illegal access to TIM2 sets TIM2F, and GTZC is raised if IER1 has it") {
  clock_timer();
  reg(kSecureOnes) = reg(kSecureOnes) | kTim2;
  watch(0, kTim2);
  reg(kNvicEnable) = 1U << kControllerInterrupt;
  read(kReloadAsNonSecure);
  const std::uint32_t flag = take_flag(0, kTim2);
  reg(kNvicDisable) = 1U << kControllerInterrupt;
  unwatch(0, kTim2);
  reg(kSecureOnes) = reg(kSecureOnes) & ~kTim2;
  CHECK_EQUAL(flag, kTim2);
  CHECK_EQUAL(interrupt.count, 1);
  CHECK_EQUAL(interrupt.number, kControllerInterrupt);
}

ITEM("RM0456 GTZC1_TZIC_IER1", "it reads as zero for Non-secure code, which cannot write it") {
  watch(0, kTim2);
  const std::uint32_t found = read(kEnable - 0x10000000);
  write(kEnable - 0x10000000, 0);
  const std::uint32_t kept = reg(kEnable) & kTim2;
  unwatch(0, kTim2);
  CHECK_EQUAL(found, 0);
  CHECK_EQUAL(kept, kTim2);
}

}  // namespace conformance
