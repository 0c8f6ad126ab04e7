/*
 * Power control.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STM32U585_PWR_H
#define STM32U585_PWR_H

#include "peripheral.h"

#define TYPE_STM32_PWR "stm32u585-pwr"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Pwr, STM32_PWR)

/* PWR_DBPR.DBP: RTC, TAMP and the backup domain of RCC may be written. */
bool stm32_pwr_backup_writable(Stm32Pwr *s);

#endif
