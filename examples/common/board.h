// The few things of a board that the examples touch: one LED, one console. Registers by name, with their source.
#pragma once

#include <stdint.h>

#define BOARD_REGISTER(address) (*(volatile uint32_t *)(address))

#if defined(MV_ON_STM32U585)

// GPIOA, Non-secure alias (RM0456, section 2.3); PA5 is the user LED of NUCLEO-U575-class boards.
#define GPIOA_MODER BOARD_REGISTER(0x42020000)
#define GPIOA_BSRR BOARD_REGISTER(0x42020018)

static inline void board_start(void) { GPIOA_MODER = (GPIOA_MODER & ~(3U << 10)) | 1U << 10; }
static inline void board_led(int on) { GPIOA_BSRR = on ? 1U << 5 : 1U << 21; }
static inline void board_write(const char *text) { (void)text; }

#else

// MPS2+ with AN505: FPGAIO LED0 (Arm DAI 0505, section 3.8) and UART2, a CMSDK APB UART (Arm DDI 0479, section 4.3).
#define FPGAIO_LED BOARD_REGISTER(0x40302000)
#define UART2_DATA BOARD_REGISTER(0x40202000)
#define UART2_STATE BOARD_REGISTER(0x40202004)
#define UART2_CTRL BOARD_REGISTER(0x40202008)
#define UART2_BAUDDIV BOARD_REGISTER(0x40202010)

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

// SysTick (Arm DDI 0553, D1.2.238): an interrupt every `cycles` cycles of the core clock.
static inline void board_ticks(uint32_t cycles) {
  BOARD_REGISTER(0xE000E014) = cycles - 1;
  BOARD_REGISTER(0xE000E018) = 0;
  BOARD_REGISTER(0xE000E010) = 7;
}
