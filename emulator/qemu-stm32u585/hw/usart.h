/*
 * USART, UART, LPUART: a sysbus device with one interrupt, clock input "clock" and property "chardev".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STM32U585_USART_H
#define STM32U585_USART_H

#include "peripheral.h"

#define TYPE_STM32_USART "stm32u585-usart"

/* Requests to the DMA controller, high while there is something to do. */
#define STM32_USART_DMA_RX "dma-rx"
#define STM32_USART_DMA_TX "dma-tx"

#endif
