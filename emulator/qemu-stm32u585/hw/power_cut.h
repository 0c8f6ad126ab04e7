/*
 * Power that fails at a chosen operation on non-volatile memory, for tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STM32U585_POWER_CUT_H
#define STM32U585_POWER_CUT_H

typedef enum PowerCut { POWER_STAYS, POWER_FAILS_BEFORE, POWER_FAILS_WITHIN } PowerCut;

/*
 * Once, before the machine runs: the operation number `cut_at` (from 1 on; 0: none) is cut, in its midst if `torn`. `count_file`
 * holds the number of operations at any time; NULL: none does.
 */
void stm32_power_configure(uint64_t cut_at, bool torn, const char *count_file);

/*
 * Counts one operation that is about to begin: a quad-word or page programmed, a page or sector erased. POWER_FAILS_WITHIN:
 * the caller leaves behind what half of the operation would, then calls stm32_power_off. POWER_FAILS_BEFORE is never returned
 * to a caller: the program has ended.
 */
PowerCut stm32_power_step(const char *what, uint32_t address);

/* Ends QEMU with status 86. */
G_NORETURN void stm32_power_off(void);

#endif
