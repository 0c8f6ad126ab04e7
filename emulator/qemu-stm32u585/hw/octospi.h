/*
 * OCTOSPI: see octospi.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STM32U585_OCTOSPI_H
#define STM32U585_OCTOSPI_H

#include "nor.h"
#include "peripheral.h"

#define TYPE_STM32_OCTOSPI "stm32u585-octospi"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Octospi, STM32_OCTOSPI)

/* Puts a realized controller at its addresses, with its memory at `window`. `nor` may be NULL: nothing is connected. */
void stm32_octospi_map(Stm32Octospi *s, const char *name, uint32_t base, uint32_t window, Nor *nor);

#endif
