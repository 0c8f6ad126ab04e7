/*
 * The flash memory and its controller.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STM32U585_FLASH_H
#define STM32U585_FLASH_H

#include "peripheral.h"

#define TYPE_STM32_FLASH "stm32u585-flash"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Flash, STM32_FLASH)

/* The memory: 2 MiB, to be mapped at each of its addresses. */
MemoryRegion *stm32_flash_memory(Stm32Flash *s);

/*
 * Lets the core at the memory. What it reads directly and what is watched are put at `free_address` (4 MiB, above all that
 * the core can name) of its container: QEMU 7.2 mixes up the sections of a translation that leaves the core's address space.
 */
void stm32_flash_connect(Stm32Flash *s, MemoryRegion *container, AddressSpace *core, uint64_t free_address);

/* Where the core finds its vectors after a reset: option byte SECBOOTADD0. */
uint32_t stm32_flash_boot_address(Stm32Flash *s);

/* Wait states set in FLASH_ACR. */
unsigned stm32_flash_wait_states(Stm32Flash *s);

/* Told of a Non-secure access to Secure flash or the reverse: a line to the TrustZone illegal access controller. */
#define STM32_FLASH_ILLEGAL "illegal-access"
#define STM32_FLASH_NMI "nmi"
/* Level 1: the option bytes are to be loaded anew by a reset (FLASH_NSCR.OBL_LAUNCH). */
#define STM32_FLASH_LAUNCH "option-launch"

#endif
