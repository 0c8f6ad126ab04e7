/*
 * A serial NOR flash in plain SPI mode, as JEDEC JESD216 describes it; sizes and times of Macronix's MX25LM51245G.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STM32U585_NOR_H
#define STM32U585_NOR_H

typedef struct Nor Nor;

/* What is clocked while the device is selected. Lines are counted by the controller: the device knows one only. */
typedef struct NorCommand {
    uint8_t instruction;
    unsigned address_bytes; /* 0, 3 or 4 */
    uint32_t address;
    unsigned dummy_cycles;
    bool one_line;          /* every phase on one data line, single rate */
} NorCommand;

/*
 * `file` holds the complement of the cells, so that an erased device is a sparse file; it is made as long as `size`, a power
 * of two. NULL: the cells are lost with the process. Errors end QEMU with a sentence.
 */
Nor *stm32_nor_new(const char *file, uint64_t size);

void stm32_nor_reset(Nor *nor);

/* One byte of the data that a command reads: number `at`, counted from 0. */
uint8_t stm32_nor_read(Nor *nor, const NorCommand *command, uint32_t at);

/* A command without data, or with all the data it writes: the device is deselected, and does it. */
void stm32_nor_write(Nor *nor, const NorCommand *command, const uint8_t *data, size_t size);

#endif
