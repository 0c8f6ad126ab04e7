/*
 * General purpose DMA controller: see gpdma.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STM32U585_GPDMA_H
#define STM32U585_GPDMA_H

#include "peripheral.h"

#define TYPE_STM32_GPDMA "stm32u585-gpdma"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Gpdma, STM32_GPDMA)

enum { STM32_GPDMA_CHANNELS = 16 };

/* Inputs: the request lines, by number (GPDMA_CxTR2.REQSEL), high while a peripheral wants a transfer. */
#define STM32_GPDMA_REQUEST "request"
/* Sysbus interrupts 0 to 15 are those of the channels. Output: pulses when Non-secure code touches a Secure channel. */
#define STM32_GPDMA_ILLEGAL "illegal-access"

#endif
