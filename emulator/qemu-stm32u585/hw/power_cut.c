/*
 * Power that fails at a chosen operation on non-volatile memory: see power_cut.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "power_cut.h"

enum { STATUS_OF_A_CUT = 86 };

static struct {
    uint64_t cut_at, operations;
    bool torn;
    FILE *count_file;
} power;

/* At each operation, for the power of an emulated device is cut by killing this process. */
static void write_count(void)
{
    if (!power.count_file) {
        return;
    }
    rewind(power.count_file);
    if (fprintf(power.count_file, "%" PRIu64 "\n", power.operations) < 0 || fflush(power.count_file) != 0) {
        fprintf(stderr, "stm32u585: cannot write the number of flash operations\n");
    }
}

void stm32_power_configure(uint64_t cut_at, bool torn, const char *count_file)
{
    power.cut_at = cut_at;
    power.torn = torn;
    if (count_file && *count_file) {
        power.count_file = fopen(count_file, "w");
        if (!power.count_file) {
            fprintf(stderr, "stm32u585: cannot write %s: %s\n", count_file, strerror(errno));
            exit(EXIT_FAILURE);
        }
        write_count();
    }
}

PowerCut stm32_power_step(const char *what, uint32_t address)
{
    power.operations++;
    write_count();
    if (power.operations != power.cut_at) {
        return POWER_STAYS;
    }
    fprintf(stderr, "stm32u585: power fails at operation %" PRIu64 ", %s of 0x%08x, %s\n", power.operations, what, address,
            power.torn ? "in its midst" : "before it begins");
    if (!power.torn) {
        stm32_power_off();
    }
    return POWER_FAILS_WITHIN;
}

void stm32_power_off(void)
{
    _exit(STATUS_OF_A_CUT);
}
