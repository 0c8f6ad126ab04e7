#include "boards/stm32u585/rcc_access.h"

#include <set>

#include <gtest/gtest.h>

namespace mv::board {
namespace {

constexpr std::uint32_t kRcc = 0x46020c00;

std::uint32_t writable(std::uint32_t offset) {
  for (const RegisterAccess& access : rcc_access()) {
    if (access.address == kRcc + offset) return access.writable;
  }
  return 0;
}

// A peripheral's bit in the registers of resets, clock enables and clocks in sleep.
struct Bit {
  std::uint32_t reset, enable, sleep;
  unsigned number;
};

constexpr Bit ahb1(unsigned number) { return {0x60, 0x88, 0xb0, number}; }
constexpr Bit ahb2(unsigned number) { return {0x64, 0x8c, 0xb4, number}; }
constexpr Bit ahb2_second(unsigned number) { return {0x68, 0x90, 0xb8, number}; }
constexpr Bit ahb3(unsigned number) { return {0x6c, 0x94, 0xbc, number}; }
constexpr Bit apb1(unsigned number) { return {0x74, 0x9c, 0xc4, number}; }
constexpr Bit apb2(unsigned number) { return {0x7c, 0xa4, 0xcc, number}; }
constexpr Bit apb3(unsigned number) { return {0x80, 0xa8, 0xd0, number}; }

bool may_write(std::uint32_t offset, unsigned bit) { return (writable(offset) >> bit & 1U) != 0; }

// Whose bits these are: the peripherals of ownership.def by name, so that a new one is not forgotten here.
Bit bit_of(const std::string& peripheral) {
  if (peripheral == "TIM5") return apb1(3);
  if (peripheral == "USART3") return apb1(18);
  if (peripheral == "USART1") return apb2(14);
  if (peripheral == "HASH") return ahb2(17);
  if (peripheral == "RNG") return ahb2(18);
  if (peripheral == "PKA") return ahb2(19);
  if (peripheral == "SAES") return ahb2(20);
  if (peripheral == "OCTOSPIM") return ahb2(21);
  if (peripheral == "OCTOSPI2") return ahb2_second(8);
  if (peripheral == "RAMCFG") return ahb1(17);
  if (peripheral == "ICACHE") return ahb1(29);
  if (peripheral == "IWDG") return {0, 0, 0, 0};  // has no clock to switch
  ADD_FAILURE() << peripheral << " is the microvisor's: say here which bit of RCC it has";
  return {0, 0, 0, 0};
}

void expect_ours(const Bit& bit, const char* whose) {
  EXPECT_FALSE(may_write(bit.reset, bit.number)) << whose;
  EXPECT_FALSE(may_write(bit.enable, bit.number)) << whose;
  EXPECT_FALSE(may_write(bit.sleep, bit.number)) << whose;
}

TEST(RccAccess, KeepsWhatTheMicrovisorUsesFromTheApplication) {
#define OURS(name, controller, word, bit, use) expect_ours(bit_of(#name), #name);
#define OUR_PIN(port, number, function, use) expect_ours(ahb2(static_cast<unsigned>(#port[0] - 'A')), "port " #port);
#define OUR_CHANNEL(name, number, use)
#include "boards/stm32u585/ownership.def"
#undef OUR_PIN
#undef OUR_CHANNEL
#undef OURS
  expect_ours(ahb1(0), "GPDMA1");
  expect_ours(ahb1(8), "FLASH");
  expect_ours(ahb1(24), "GTZC1");
  expect_ours(ahb1(31), "SRAM1");
  expect_ours(ahb2(30), "SRAM2");
  expect_ours(ahb2(31), "SRAM3");
  expect_ours(ahb3(2), "PWR");
  expect_ours(ahb3(12), "GTZC2");
  expect_ours(apb1(11), "WWDG, whose bite resets the chip");
  expect_ours(apb3(1), "SYSCFG");
}

TEST(RccAccess, LeavesClocksOfTheSystemAlone) {
  for (const std::uint32_t offset : {0x00, 0x08, 0x1c, 0x20, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38, 0xf0, 0xf4}) {
    EXPECT_EQ(writable(offset), 0U) << std::hex << offset;
  }
  EXPECT_EQ(writable(0x110), 0U) << "SECCFGR";
  EXPECT_EQ(writable(0xe0) & 0x00c00033U, 0U) << "USART1, USART3, SysTick";
  EXPECT_EQ(writable(0xe4) & 0x00303800U, 0U) << "SAES, RNG, OCTOSPI";
}

TEST(RccAccess, GivesTheApplicationItsPeripherals) {
  EXPECT_TRUE(may_write(0x9c, 4)) << "TIM6, the time base of ST's library";
  EXPECT_TRUE(may_write(0x9c, 17)) << "USART2";
  EXPECT_TRUE(may_write(0x8c, 1)) << "GPIOB";
  EXPECT_TRUE(may_write(0xa8, 6)) << "LPUART1";
  EXPECT_TRUE(may_write(0x74, 17)) << "USART2's reset";
  EXPECT_EQ(writable(0xe0) & 0xcU, 0xcU) << "USART2's clock";
}

TEST(RccAccess, HasEachRegisterOnceAndReadable) {
  std::set<std::uint32_t> seen;
  for (const RegisterAccess& access : rcc_access()) {
    EXPECT_TRUE(seen.insert(access.address).second) << std::hex << access.address;
    EXPECT_EQ(access.address % 4, 0U);
    EXPECT_EQ(access.readable, 0xffffffffU);
  }
}

}  // namespace
}  // namespace mv::board
