/*
 * Reset and clock control.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STM32U585_RCC_H
#define STM32U585_RCC_H

#include "pwr.h"

#define TYPE_STM32_RCC "stm32u585-rcc"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Rcc, STM32_RCC)

/* A pulse on one of these inputs resets the system, and RCC_CSR says why afterwards. */
typedef enum ResetCause { RESET_OPTION_BYTES, RESET_SOFTWARE, RESET_IWDG, RESET_WWDG, RESET_CAUSES } ResetCause;
#define STM32_RCC_RESET "reset"

/* Outputs: a pulse on both resets the backup domain. */
#define STM32_RCC_BACKUP_RESET "backup-reset"
typedef enum BackupReset { BACKUP_RESET_RTC, BACKUP_RESET_TAMP, BACKUP_RESETS } BackupReset;

/* PWR says when RCC_BDCR may be written. */
void stm32_rcc_connect_pwr(Stm32Rcc *s, Stm32Pwr *pwr);

/* Outputs, as qdev clocks: "hclk", "systick", "pclk1", "rtc", "tim1" (TIM2 to TIM7), "tim2" (TIM1, TIM8, TIM15 to TIM17),
   "rng", "lptim1", "lptim2", "lptim34", "usart1", "usart2", "usart3", "uart4", "uart5", "lpuart1". A clock that is off has
   0 Hz. */

/* `p` lives on a clock that bit `bit` of the register at `enable` (RCC_xxxENR) switches; the bit of the same number in
   RCC_xxxRSTR resets it. To be called once for each. */
void stm32_rcc_serve(Stm32Rcc *s, Stm32Peripheral *p, uint32_t enable, unsigned bit);

/* Called when SYSCLK or its source changed. */
uint32_t stm32_rcc_hclk_hz(Stm32Rcc *s);

#endif
