// The few things of a board that the examples touch: one LED, one console. Registers by name, with their source.
#pragma once

#include <stdint.h>

#define BOARD_REGISTER(address) (*(volatile uint32_t *)(address))

#if defined(MV_ON_STM32U585)

// NUCLEO-U575-class boards: PA5 is the user LED, PD5 the output of USART2 (Non-secure aliases; RM0456, sections 11.8, 13.4 and
// 66.8). Their clocks are the application's to switch on.
#define RCC_AHB2ENR1 BOARD_REGISTER(0x46020C8C)
#define RCC_APB1ENR1 BOARD_REGISTER(0x46020C9C)
#define GPIOA_MODER BOARD_REGISTER(0x42020000)
#define GPIOA_BSRR BOARD_REGISTER(0x42020018)
#define GPIOD_MODER BOARD_REGISTER(0x42020C00)
#define GPIOD_AFRL BOARD_REGISTER(0x42020C20)
#define USART2_CR1 BOARD_REGISTER(0x40004400)
#define USART2_BRR BOARD_REGISTER(0x4000440C)
#define USART2_ISR BOARD_REGISTER(0x4000441C)
#define USART2_TDR BOARD_REGISTER(0x40004428)

#define BOARD_SPARE_INTERRUPT 51  // TIM8_BRK (RM0456, table of vectors): that of a timer which no example uses

static inline void board_start(void) {
  RCC_AHB2ENR1 |= 1U << 0 | 1U << 3;
  RCC_APB1ENR1 |= 1U << 17;
  GPIOA_MODER = (GPIOA_MODER & ~(3U << 10)) | 1U << 10;
  GPIOD_AFRL = (GPIOD_AFRL & ~(15U << 20)) | 7U << 20;
  GPIOD_MODER = (GPIOD_MODER & ~(3U << 10)) | 2U << 10;
  USART2_BRR = 160000000 / 115200;
  USART2_CR1 = 1U << 3;  // transmit
  USART2_CR1 = 1U << 3 | 1U;
}

static inline void board_led(int on) { GPIOA_BSRR = on ? 1U << 5 : 1U << 21; }

static inline void board_write(const char *text) {
  for (; *text; ++text) {
    while (!(USART2_ISR & 1U << 7)) {
    }
    USART2_TDR = (uint8_t)*text;
  }
}

#else

// MPS2+ with AN505: FPGAIO LED0 (Arm DAI 0505, section 3.8) and UART2, a CMSDK APB UART (Arm DDI 0479, section 4.3).
#define FPGAIO_LED BOARD_REGISTER(0x40302000)
#define UART2_DATA BOARD_REGISTER(0x40202000)
#define UART2_STATE BOARD_REGISTER(0x40202004)
#define UART2_CTRL BOARD_REGISTER(0x40202008)
#define UART2_BAUDDIV BOARD_REGISTER(0x40202010)

#define BOARD_SPARE_INTERRUPT 60  // no peripheral drives it

static inline void board_start(void) {
  UART2_BAUDDIV = 16;
  UART2_CTRL = 1;  // transmit
}

static inline void board_led(int on) { FPGAIO_LED = on ? 1 : 0; }

static inline void board_write(const char *text) {
  for (; *text; ++text) {
    while (UART2_STATE & 1) {
    }
    UART2_DATA = (uint8_t)*text;
  }
}

#endif

// NVIC_ISER (Arm DDI 0553).
static inline void board_enable_interrupt(uint32_t number) {
  BOARD_REGISTER(0xE000E100 + number / 32 * 4) = 1U << (number % 32);
}

// SysTick (Arm DDI 0553, D1.2.238): an interrupt every `cycles` cycles of the core clock.
static inline void board_ticks(uint32_t cycles) {
  BOARD_REGISTER(0xE000E014) = cycles - 1;
  BOARD_REGISTER(0xE000E018) = 0;
  BOARD_REGISTER(0xE000E010) = 7;
}
