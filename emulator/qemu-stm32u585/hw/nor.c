/*
 * A serial NOR flash: see nor.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include <sys/mman.h>

#include "nor.h"
#include "peripheral.h"
#include "power_cut.h"
#include "qemu/bswap.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "qemu/units.h"

enum {
    WRITE_ENABLE = 0x06,
    WRITE_DISABLE = 0x04,
    READ_STATUS = 0x05,
    READ_ID = 0x9f,
    READ_PARAMETERS = 0x5a, /* SFDP */
    READ = 0x03,
    READ_4 = 0x13,
    FAST_READ = 0x0b,
    FAST_READ_4 = 0x0c,
    PAGE_PROGRAM = 0x02,
    PAGE_PROGRAM_4 = 0x12,
    SECTOR_ERASE = 0x20,
    SECTOR_ERASE_4 = 0x21,
    BLOCK_ERASE = 0xd8,
    BLOCK_ERASE_4 = 0xdc,
    CHIP_ERASE = 0x60,
    CHIP_ERASE_OTHER = 0xc7,
    RESET_ENABLE = 0x66,
    RESET_DEVICE = 0x99,
    POWER_DOWN = 0xb9,
    RELEASE = 0xab,

    STATUS_BUSY = 1 << 0,
    STATUS_WRITE_ENABLED = 1 << 1,

    PAGE = 256,
    SECTOR = 4 * KiB,
    BLOCK = 64 * KiB,
    OCTAL_DENSITY = 0x20, /* third byte of the id: 0x39 for 32 MiB, 0x3a for 64 MiB */

    /* Typical times of the MX25LM51245G. */
    PROGRAM_NS = 150 * 1000,
    SECTOR_ERASE_NS = 25 * 1000 * 1000,
    BLOCK_ERASE_NS = 220 * 1000 * 1000,
};

struct Nor {
    uint8_t *complement; /* of the cells: 0 is erased */
    uint32_t size;
    int64_t busy_until; /* of the virtual clock */
    bool write_enabled, reset_enabled, asleep;
};

Nor *stm32_nor_new(const char *file, uint64_t size)
{
    Nor *nor = g_new0(Nor, 1);
    int descriptor = -1;

    if (!is_power_of_2(size) || size < BLOCK || size > 256 * MiB) {
        error_report("stm32u585: a NOR of %" PRIu64 " bytes: its size is a power of two from 64 KiB to 256 MiB", size);
        exit(1);
    }
    if (file && *file) {
        descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        struct stat state;
        if (descriptor < 0 || fstat(descriptor, &state) != 0 ||
            (state.st_size < size && ftruncate(descriptor, size) != 0)) {
            error_report("stm32u585: the NOR's file %s: %s", file, strerror(errno));
            exit(1);
        }
    }
    nor->size = size;
    nor->complement = mmap(NULL, size, PROT_READ | PROT_WRITE,
                           descriptor < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, descriptor, 0);
    if (nor->complement == MAP_FAILED) {
        error_report("stm32u585: the NOR's file cannot be mapped: %s", strerror(errno));
        exit(1);
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return nor;
}

/* A reset of the chip does not reach it: what it does it goes on doing. */
void stm32_nor_reset(Nor *nor)
{
    nor->write_enabled = nor->reset_enabled = false;
}

static bool is_busy(const Nor *nor)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) < nor->busy_until;
}

static void stay_busy(Nor *nor, int64_t ns)
{
    nor->busy_until = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns;
    nor->write_enabled = false;
}

/* JESD216: the header, one parameter header, and of the basic table what drivers look at. */
static uint8_t parameter(const Nor *nor, uint32_t at)
{
    const uint32_t words[] = {
        0x50444653,                       /* "SFDP" */
        0xff000106,                       /* revision 1.6, one parameter header */
        0x10010600,                       /* basic table, revision 1.6, 16 words */
        0xff000010,                       /* at 0x10 */
        0xfff120e5,                       /* 4 KiB erase by 0x20, 3 or 4 bytes of address */
        (uint32_t)(nor->size * 8ULL - 1), /* density in bits, less one; up to 2 Gbit */
        0, 0, 0, 0, 0,
        0xd810200c,                       /* erase types: 4 KiB by 0x20, 64 KiB by 0xd8 */
        0,
        0,
        0x80,                             /* pages of 256 bytes */
    };
    uint32_t word = at / 4 < ARRAY_SIZE(words) ? words[at / 4] : 0xffffffff;
    return word >> at % 4 * 8;
}

static unsigned dummy_cycles_of(uint8_t instruction)
{
    return instruction == FAST_READ || instruction == FAST_READ_4 || instruction == READ_PARAMETERS ? 8 : 0;
}

static unsigned address_bytes_of(uint8_t instruction)
{
    switch (instruction) {
    case READ:
    case FAST_READ:
    case PAGE_PROGRAM:
    case SECTOR_ERASE:
    case BLOCK_ERASE:
    case READ_PARAMETERS:
        return 3;
    case READ_4:
    case FAST_READ_4:
    case PAGE_PROGRAM_4:
    case SECTOR_ERASE_4:
    case BLOCK_ERASE_4:
        return 4;
    default:
        return 0;
    }
}

static bool is_well_formed(const NorCommand *command)
{
    if (command->one_line && command->dummy_cycles == dummy_cycles_of(command->instruction) &&
        command->address_bytes == address_bytes_of(command->instruction)) {
        return true;
    }
    stm32_complain("NOR: command 0x%02x with %u bytes of address and %u dummy cycles on %s is not one it knows",
                   command->instruction, command->address_bytes, command->dummy_cycles,
                   command->one_line ? "one line" : "several lines or at double rate");
    return false;
}

uint8_t stm32_nor_read(Nor *nor, const NorCommand *command, uint32_t at)
{
    static const uint8_t id[] = { 0xc2, 0x85 }; /* Macronix, MX25LM */
    const bool busy = is_busy(nor);

    if (nor->asleep || !is_well_formed(command)) {
        return 0xff;
    }
    if (busy && command->instruction != READ_STATUS) {
        stm32_complain("NOR: command 0x%02x while it programs or erases", command->instruction);
        return 0xff;
    }
    switch (command->instruction) {
    case READ_STATUS:
        return (busy ? STATUS_BUSY : 0) | (nor->write_enabled ? STATUS_WRITE_ENABLED : 0);
    case READ_ID:
        return at < 2 ? id[at] : at == 2 ? OCTAL_DENSITY + ctz32(nor->size) : 0;
    case READ_PARAMETERS:
        return parameter(nor, command->address + at);
    case READ:
    case READ_4:
    case FAST_READ:
    case FAST_READ_4:
        return ~nor->complement[(command->address + at) % nor->size];
    default:
        stm32_complain("NOR: nothing is read by command 0x%02x", command->instruction);
        return 0xff;
    }
}

static void program(Nor *nor, uint32_t address, const uint8_t *data, size_t size)
{
    const uint32_t page = address % nor->size & ~(PAGE - 1);
    const PowerCut cut = stm32_power_step("program", address);

    /* More than a page wraps round within it: the last bytes count. */
    for (size_t at = size > PAGE ? size - PAGE : 0; at < (cut == POWER_FAILS_WITHIN ? size / 2 : size); at++) {
        nor->complement[page + (address + at) % PAGE] |= ~data[at];
    }
    if (cut == POWER_FAILS_WITHIN) {
        if (size > 0) { /* one byte is half done */
            nor->complement[page + (address + size / 2) % PAGE] |= ~data[size / 2] & 0x55;
        }
        stm32_power_off();
    }
    stay_busy(nor, PROGRAM_NS);
}

static void erase(Nor *nor, uint32_t address, uint32_t size, int64_t ns)
{
    const uint32_t first = address % nor->size & ~(size - 1);
    const PowerCut cut = stm32_power_step("erase", first);

    if (cut == POWER_FAILS_WITHIN) {
        memset(nor->complement + first + size / 2, 0, size / 2);
        for (uint32_t at = 0; at < size / 2; at += 3) {
            nor->complement[first + at] &= 0x33;
        }
        stm32_power_off();
    }
    memset(nor->complement + first, 0, size);
    stay_busy(nor, ns);
}

static void write_memory(Nor *nor, const NorCommand *command, const uint8_t *data, size_t size)
{
    if (!nor->write_enabled) {
        stm32_complain("NOR: command 0x%02x without write enable before it", command->instruction);
        return;
    }
    switch (command->instruction) {
    case PAGE_PROGRAM:
    case PAGE_PROGRAM_4:
        program(nor, command->address, data, size);
        break;
    case SECTOR_ERASE:
    case SECTOR_ERASE_4:
        erase(nor, command->address, SECTOR, SECTOR_ERASE_NS);
        break;
    case BLOCK_ERASE:
    case BLOCK_ERASE_4:
        erase(nor, command->address, BLOCK, BLOCK_ERASE_NS);
        break;
    default:
        erase(nor, 0, nor->size, (int64_t)BLOCK_ERASE_NS * (nor->size / BLOCK));
        break;
    }
}

void stm32_nor_write(Nor *nor, const NorCommand *command, const uint8_t *data, size_t size)
{
    const bool reset_enabled = nor->reset_enabled;

    nor->reset_enabled = false;
    if (!is_well_formed(command) || (nor->asleep && command->instruction != RELEASE)) {
        return;
    }
    if (is_busy(nor) && command->instruction != RESET_ENABLE && command->instruction != RESET_DEVICE) {
        stm32_complain("NOR: command 0x%02x while it programs or erases", command->instruction);
        return;
    }
    switch (command->instruction) {
    case WRITE_ENABLE:
        nor->write_enabled = true;
        break;
    case WRITE_DISABLE:
        nor->write_enabled = false;
        break;
    case RESET_ENABLE:
        nor->reset_enabled = true;
        break;
    case RESET_DEVICE:
        if (reset_enabled) {
            nor->write_enabled = nor->asleep = false;
            nor->busy_until = 0;
        }
        break;
    case POWER_DOWN:
    case RELEASE:
        nor->asleep = command->instruction == POWER_DOWN;
        break;
    case PAGE_PROGRAM:
    case PAGE_PROGRAM_4:
    case SECTOR_ERASE:
    case SECTOR_ERASE_4:
    case BLOCK_ERASE:
    case BLOCK_ERASE_4:
    case CHIP_ERASE:
    case CHIP_ERASE_OTHER:
        write_memory(nor, command, data, size);
        break;
    default:
        stm32_complain("NOR: command 0x%02x is not one it knows", command->instruction);
    }
}
