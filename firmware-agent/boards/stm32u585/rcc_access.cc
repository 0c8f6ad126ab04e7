#include "boards/stm32u585/rcc_access.h"

#include <cstdint>
#include <initializer_list>

namespace mv::board {
namespace {

constexpr std::uint32_t kRcc = 0x46020c00;  // RM0456, 2.3.2: the Non-secure alias
constexpr std::uint32_t kAll = 0xffffffff;

constexpr std::uint32_t bits(std::initializer_list<unsigned> numbers) {
  std::uint32_t mask = 0;
  for (const unsigned number : numbers) mask |= 1U << number;
  return mask;
}

constexpr std::uint32_t field(unsigned lowest, unsigned width) { return ((1U << width) - 1) << lowest; }

// The peripherals of each bus that are the application's. A peripheral has the same bit in the registers of resets,
// clock enables and clocks in sleep of its bus (RM0456, 11.8).
//
// GPIO ports with a pin of ours are not there, nor what both sides use: their clocks are always on.
constexpr std::uint32_t kAhb1 =  // GPDMA1 (0) stays on: channels of it are ours
    bits({1 /* CORDIC */, 2 /* FMAC */, 3 /* MDF1 */, 12 /* CRC */, 16 /* TSC */, 18 /* DMA2D */});
constexpr std::uint32_t kAhb2 =
    bits({1 /* GPIOB */, 2 /* GPIOC */, 4 /* GPIOE */, 6 /* GPIOG */, 10 /* ADC1, ADC2 */, 12 /* DCMI, PSSI */,
          14 /* OTG */, 16 /* AES */, 23 /* OTFDEC1 */, 27 /* SDMMC1 */, 28 /* SDMMC2 */});
constexpr std::uint32_t kAhb2Second = bits({0 /* FSMC */, 4 /* OCTOSPI1 */});
constexpr std::uint32_t kAhb3 = bits({0 /* LPGPIO1 */, 5 /* ADC4 */, 6 /* DAC1 */, 9 /* LPDMA1 */, 10 /* ADF1 */});
constexpr std::uint32_t kApb1 =
    bits({0 /* TIM2 */, 1 /* TIM3 */, 2 /* TIM4 */, 4 /* TIM6 */, 5 /* TIM7 */, 14 /* SPI2 */, 17 /* USART2 */,
          19 /* UART4 */, 20 /* UART5 */, 21 /* I2C1 */, 22 /* I2C2 */, 24 /* CRS */});
constexpr std::uint32_t kApb1Second = bits({1 /* I2C4 */, 5 /* LPTIM2 */, 9 /* FDCAN1 */, 23 /* UCPD1 */});
constexpr std::uint32_t kApb2 = bits({11 /* TIM1 */, 12 /* SPI1 */, 13 /* TIM8 */, 16 /* TIM15 */, 17 /* TIM16 */,
                                      18 /* TIM17 */, 21 /* SAI1 */, 22 /* SAI2 */});
constexpr std::uint32_t kApb3 = bits({5 /* SPI3 */, 6 /* LPUART1 */, 7 /* I2C3 */, 11 /* LPTIM1 */, 12 /* LPTIM3 */,
                                      13 /* LPTIM4 */, 14 /* OPAMP */, 15 /* COMP */, 20 /* VREFBUF */});

// Without a reset of their own.
constexpr std::uint32_t kAhb1Memories = bits({28 /* backup SRAM */, 30 /* DCACHE1 */});
constexpr std::uint32_t kRtcInterface = bits({21});

// Clocks in Stop modes.
constexpr std::uint32_t kAutonomous = kApb3 | bits({21 /* RTC interface */, 25 /* ADC4 */, 26 /* LPGPIO1 */,
                                                    27 /* DAC1 */, 28 /* LPDMA1 */, 29 /* ADF1 */});

// Kernel clocks. Not those of USART1, USART3, SysTick, SAES, RNG, and the one of both OCTOSPIs.
constexpr std::uint32_t kKernelClocks1 = field(2, 2) /* USART2 */ | field(6, 2) /* UART4 */ | field(8, 2) /* UART5 */ |
                                         field(10, 2) /* I2C1 */ | field(12, 2) /* I2C2 */ | field(14, 2) /* I2C4 */ |
                                         field(16, 2) /* SPI2 */ | field(18, 2) /* LPTIM2 */ | field(20, 2) /* SPI1 */ |
                                         field(24, 2) /* FDCAN1 */ | field(26, 2) /* OTG, SDMMC */ |
                                         field(29, 3) /* timers' input capture */;
constexpr std::uint32_t kKernelClocks2 =
    field(0, 3) /* MDF1 */ | field(5, 3) /* SAI1 */ | field(8, 3) /* SAI2 */ | field(14, 1) /* SDMMC */;
constexpr std::uint32_t kKernelClocks3 =
    field(0, 3) /* LPUART1 */ | field(3, 2) /* SPI3 */ | field(6, 2) /* I2C3 */ | field(8, 2) /* LPTIM3, LPTIM4 */ |
    field(10, 2) /* LPTIM1 */ | field(12, 3) /* ADCs, DAC1 */ | field(15, 1) /* DAC1 */ | field(16, 3) /* ADF1 */;

constexpr RegisterAccess kAccess[] = {
    {kRcc + 0x60, kAll, kAhb1},                  // AHB1RSTR
    {kRcc + 0x64, kAll, kAhb2},                  // AHB2RSTR1
    {kRcc + 0x68, kAll, kAhb2Second},            // AHB2RSTR2
    {kRcc + 0x6c, kAll, kAhb3},                  // AHB3RSTR
    {kRcc + 0x74, kAll, kApb1},                  // APB1RSTR1
    {kRcc + 0x78, kAll, kApb1Second},            // APB1RSTR2
    {kRcc + 0x7c, kAll, kApb2},                  // APB2RSTR
    {kRcc + 0x80, kAll, kApb3},                  // APB3RSTR
    {kRcc + 0x88, kAll, kAhb1 | kAhb1Memories},  // AHB1ENR
    {kRcc + 0x8c, kAll, kAhb2},                  // AHB2ENR1
    {kRcc + 0x90, kAll, kAhb2Second},            // AHB2ENR2
    {kRcc + 0x94, kAll, kAhb3},                  // AHB3ENR
    {kRcc + 0x9c, kAll, kApb1},                  // APB1ENR1
    {kRcc + 0xa0, kAll, kApb1Second},            // APB1ENR2
    {kRcc + 0xa4, kAll, kApb2},                  // APB2ENR
    {kRcc + 0xa8, kAll, kApb3 | kRtcInterface},  // APB3ENR
    {kRcc + 0xb0, kAll, kAhb1 | kAhb1Memories},  // AHB1SMENR
    {kRcc + 0xb4, kAll, kAhb2},                  // AHB2SMENR1
    {kRcc + 0xb8, kAll, kAhb2Second},            // AHB2SMENR2
    {kRcc + 0xbc, kAll, kAhb3},                  // AHB3SMENR
    {kRcc + 0xc4, kAll, kApb1},                  // APB1SMENR1
    {kRcc + 0xc8, kAll, kApb1Second},            // APB1SMENR2
    {kRcc + 0xcc, kAll, kApb2},                  // APB2SMENR
    {kRcc + 0xd0, kAll, kApb3 | kRtcInterface},  // APB3SMENR
    {kRcc + 0xd8, kAll, kAutonomous},            // SRDAMR
    {kRcc + 0xe0, kAll, kKernelClocks1},         // CCIPR1
    {kRcc + 0xe4, kAll, kKernelClocks2},         // CCIPR2
    {kRcc + 0xe8, kAll, kKernelClocks3},         // CCIPR3
    {kRcc + 0x00, kAll, 0},                      // CR: oscillators, PLLs
    {kRcc + 0x08, kAll, 0},                      // ICSCR1: ranges of the MSI oscillators
    {kRcc + 0x1c, kAll, 0},                      // CFGR1: system clock
    {kRcc + 0x20, kAll, 0},                      // CFGR2: AHB, APB1 and APB2 prescalers
    {kRcc + 0x24, kAll, 0},                      // CFGR3: APB3 prescaler
    {kRcc + 0x28, kAll, 0},                      // PLL1CFGR
    {kRcc + 0x2c, kAll, 0},                      // PLL2CFGR
    {kRcc + 0x30, kAll, 0},                      // PLL3CFGR
    {kRcc + 0x34, kAll, 0},                      // PLL1DIVR
    {kRcc + 0x38, kAll, 0},                      // PLL1FRACR
    {kRcc + 0x3c, kAll, 0},                      // PLL2DIVR
    {kRcc + 0x40, kAll, 0},                      // PLL2FRACR
    {kRcc + 0x44, kAll, 0},                      // PLL3DIVR
    {kRcc + 0x48, kAll, 0},                      // PLL3FRACR
    {kRcc + 0xf0, kAll, 0},                      // BDCR: low-speed oscillators, RTC
    {kRcc + 0xf4, kAll, 0},                      // CSR: why the chip was reset
};

}  // namespace

std::span<const RegisterAccess> rcc_access() { return kAccess; }

}  // namespace mv::board
