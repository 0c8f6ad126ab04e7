/*
 * The breakpoint unit of an ARMv8-M core: FPB revision 2, at 0xe0002000. Comparators compare a whole address; there is no
 * remapping and there are no literal comparators.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "armv8m_debug.h"
#include "exec/exec-all.h"

enum {
    FP_CTRL = 0x000,
    FP_REMAP = 0x004,
    FP_COMP0 = 0x008,
    FP_COMP_LAST = FP_COMP0 + 4 * (FPB_COMPARATORS - 1),

    CTRL_ENABLE = 1 << 0,
    CTRL_KEY = 1 << 1,
    CTRL_IDENTITY = 1 << 28 | FPB_COMPARATORS << 4, /* REV 1 is revision 2; NUM_CODE */
    COMP_ENABLE = 1 << 0,
    DEVARCH = 0x47701a03,
};

static bool enabled(const ARMv8MDebug *d, unsigned n)
{
    return (d->fp_ctrl & CTRL_ENABLE) && (d->fp_comp[n] & COMP_ENABLE);
}

/*
 * QEMU looks for breakpoints where instructions begin, so that one in the middle of a 32-bit instruction never matches.
 * In Secure state nothing matches while DebugMonitor must not be taken from there.
 */
bool armv8m_fpb_matches(ARMv8MDebug *d, uint32_t pc)
{
    if (d->cpu->env.v7m.secure && !armv8m_debug_sdme(d)) {
        return false;
    }
    for (unsigned n = 0; n < FPB_COMPARATORS; n++) {
        if (enabled(d, n) && (d->fp_comp[n] & ~1u) == pc) {
            return true;
        }
    }
    return false;
}

void armv8m_fpb_apply(ARMv8MDebug *d)
{
    for (unsigned n = 0; n < FPB_COMPARATORS; n++) {
        if (d->breakpoint[n]) {
            cpu_breakpoint_remove_by_ref(CPU(d->cpu), d->breakpoint[n]);
            d->breakpoint[n] = NULL;
        }
        if (enabled(d, n)) {
            cpu_breakpoint_insert(CPU(d->cpu), d->fp_comp[n] & ~1u, BP_CPU, &d->breakpoint[n]);
        }
    }
}

static MemTxResult fpb_read(void *opaque, hwaddr offset, uint64_t *data, unsigned size, MemTxAttrs attrs)
{
    const ARMv8MDebug *d = opaque;
    if (attrs.user) {
        return MEMTX_ERROR;
    }
    switch (offset) {
    case FP_CTRL:
        *data = d->fp_ctrl | CTRL_IDENTITY;
        break;
    case FP_REMAP: /* RMPSPT is 0: no remapping */
        *data = 0;
        break;
    case FP_COMP0 ... FP_COMP_LAST:
        *data = d->fp_comp[(offset - FP_COMP0) / 4];
        break;
    default:
        *data = armv8m_debug_component_id(offset, DEVARCH);
        break;
    }
    return MEMTX_OK;
}

static MemTxResult fpb_write(void *opaque, hwaddr offset, uint64_t value, unsigned size, MemTxAttrs attrs)
{
    ARMv8MDebug *d = opaque;
    if (attrs.user) {
        return MEMTX_ERROR;
    }
    switch (offset) {
    case FP_CTRL:
        if (value & CTRL_KEY) {
            d->fp_ctrl = value & CTRL_ENABLE;
        }
        break;
    case FP_COMP0 ... FP_COMP_LAST:
        d->fp_comp[(offset - FP_COMP0) / 4] = value;
        break;
    default:
        return MEMTX_OK;
    }
    armv8m_fpb_apply(d);
    armv8m_debug_leave_translation(d);
    return MEMTX_OK;
}

static const MemoryRegionOps fpb_ops = {
    .read_with_attrs = fpb_read,
    .write_with_attrs = fpb_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 4,
    .valid.max_access_size = 4,
};

void armv8m_fpb_init(ARMv8MDebug *d, MemoryRegion *container)
{
    memory_region_init_io(&d->fpb_region, NULL, &fpb_ops, d, "armv8m-fpb", 0x1000);
    memory_region_add_subregion_overlap(container, 0xe0002000, &d->fpb_region, 1);
}
