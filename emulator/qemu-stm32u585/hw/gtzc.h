/*
 * Global TrustZone controller: see gtzc.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STM32U585_GTZC_H
#define STM32U585_GTZC_H

#include "peripheral.h"

#define TYPE_STM32_GTZC "stm32u585-gtzc"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Gtzc, STM32_GTZC)

/* A bit of TZSC_SECCFGRn and of TZIC_SRn: register n (1 to 4), bit. */
#define STM32_GTZC_BIT(n, bit) ((n) * 32 + (bit))
enum {
    STM32_GTZC1_GPDMA1 = STM32_GTZC_BIT(4, 0),
    STM32_GTZC1_FLASH_REGISTERS = STM32_GTZC_BIT(4, 1),
    STM32_GTZC1_FLASH = STM32_GTZC_BIT(4, 2),
};

/* Lets TZSC decide who may use a peripheral. */
void stm32_gtzc_guard(Stm32Gtzc *s, Stm32Peripheral *p, unsigned bit);

/* An input, with the numbers above: a pulse is an illegal access. */
#define STM32_GTZC_ILLEGAL "illegal-access"

/*
 * Puts SRAM number `index` of this controller (its MPCBB, from 0 on) at `base` and the Secure alias. `flag`: its bit in
 * TZIC_SRn. The RAM itself goes to `free_address` of the core's container (twice its size, beyond the core's reach), see
 * stm32_flash_connect.
 */
void stm32_gtzc_add_sram(Stm32Gtzc *s, unsigned index, const char *name, uint32_t base, uint32_t size, unsigned flag,
                         MemoryRegion *container, AddressSpace *core, uint64_t free_address);

#endif
