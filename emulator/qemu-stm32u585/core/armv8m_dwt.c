/*
 * The watchpoint unit of an ARMv8-M core: DWT in its v8-M form, at 0xe0001000.
 *
 * Modelled: the cycle counter; comparators for data addresses, ranges of them, one address with a value (linked), and
 * single instructions. Not modelled, and said so with `-d unimp`: ranges of instructions, values at any address, matches of
 * the cycle counter. Trace packets go nowhere. No profiling counters.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "qemu/log.h"
#include "qemu/timer.h"
#include "armv8m_debug.h"
#include "exec/exec-all.h"

enum {
    DWT_CTRL = 0x000,
    DWT_CYCCNT = 0x004,
    DWT_COMP0 = 0x020, /* then every 16 bytes */
    DWT_FUNCTION0 = 0x028,
    DWT_LAST = DWT_COMP0 + 16 * DWT_COMPARATORS - 1,

    CTRL_CYCCNTENA = 1 << 0,
    CTRL_WRITABLE = 0x00ff1fff,
    DEVARCH = 0x47701a02,

    FUNCTION_MATCH = 0xf,
    FUNCTION_ACTION = 0x30,
    FUNCTION_DEBUG_EVENT = 0x10,
    FUNCTION_WRITABLE = 0xc3f,
    FUNCTION_MATCHED = 1 << 24,

    MATCH_INSTRUCTION = 0x2,
    MATCH_ACCESS = 0x4, /* then writes, reads; and 0xc to 0xe for the same */
    MATCH_WRITE = 0x5,
    MATCH_READ = 0x6,
    MATCH_ADDRESS_LIMIT = 0x7,
    MATCH_LINKED_VALUE = 0xb,
};

/*
 * DWT_FUNCTION.ID, ARM 100230 (full debug): all take instruction and data addresses; 0 the cycle counter too; 1 and 3 are
 * limits of the one before; 1 is a data value too, linked or not.
 */
static const uint32_t identity[DWT_COMPARATORS] = { 0x58000000, 0xf0000000, 0x50000000, 0xd0000000 };

static uint64_t clock_cycles(const ARMv8MDebug *d)
{
    return muldiv64(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), clock_get_hz(d->clock), NANOSECONDS_PER_SECOND);
}

static bool counts(const ARMv8MDebug *d)
{
    return (d->demcr & DEMCR_TRCENA) && (d->dwt_ctrl & CTRL_CYCCNTENA);
}

static uint32_t cycle_count(const ARMv8MDebug *d)
{
    return d->cycles_before + (counts(d) ? (uint32_t)(clock_cycles(d) - d->cycles_start) : 0);
}

/* Before DEMCR becomes `demcr`, with TRCENA perhaps another. */
void armv8m_dwt_count(ARMv8MDebug *d, uint32_t demcr)
{
    if ((demcr ^ d->demcr) & DEMCR_TRCENA) {
        d->cycles_before = cycle_count(d);
        d->cycles_start = clock_cycles(d);
    }
}

static unsigned match_of(const ARMv8MDebug *d, unsigned n)
{
    return n < DWT_COMPARATORS ? d->dwt_function[n] & FUNCTION_MATCH : 0;
}

/* 0: not for data; else as MATCH_ACCESS and its two neighbours. */
static unsigned access_of(const ARMv8MDebug *d, unsigned n)
{
    const unsigned match = match_of(d, n) & ~8u;
    return match >= MATCH_ACCESS && match <= MATCH_READ ? match : 0;
}

static bool is_linked(const ARMv8MDebug *d, unsigned n, unsigned match)
{
    return n % 2 == 0 && match_of(d, n + 1) == match;
}

static bool wants_event(const ARMv8MDebug *d, unsigned n)
{
    return (d->dwt_function[n] & FUNCTION_ACTION) == FUNCTION_DEBUG_EVENT;
}

static uint32_t value_size(const ARMv8MDebug *d, unsigned n)
{
    return 1u << extract32(d->dwt_function[n], 10, 2);
}

static void watch(ARMv8MDebug *d, unsigned n)
{
    const unsigned access = access_of(d, n);
    const uint32_t first = d->dwt_comp[n];
    uint32_t size = value_size(d, n);
    int flags = BP_CPU;

    if (!access) {
        return;
    }
    flags |= access == MATCH_WRITE ? BP_MEM_WRITE : access == MATCH_READ ? BP_MEM_READ : BP_MEM_ACCESS;
    if (is_linked(d, n, MATCH_ADDRESS_LIMIT)) {
        const uint32_t last = d->dwt_comp[n + 1]; /* inclusive */
        if (last < first) {
            return;
        }
        size = last - first + 1;
    } else if (first & (size - 1)) {
        qemu_log_mask(LOG_GUEST_ERROR, "DWT: comparator %u: 0x%08x is not aligned to its size, UNPREDICTABLE\n", n, first);
        return;
    }
    if (size == 0) {
        size = UINT32_MAX;
    }
    cpu_watchpoint_insert(CPU(d->cpu), first, size, flags, &d->watchpoint[n]);
}

static void apply_one(ARMv8MDebug *d, unsigned n)
{
    if (d->watchpoint[n]) {
        cpu_watchpoint_remove_by_ref(CPU(d->cpu), d->watchpoint[n]);
        d->watchpoint[n] = NULL;
    }
    if (d->pc_breakpoint[n]) {
        cpu_breakpoint_remove_by_ref(CPU(d->cpu), d->pc_breakpoint[n]);
        d->pc_breakpoint[n] = NULL;
        d->pc_matches--;
    }
    if (!(d->demcr & DEMCR_TRCENA)) {
        return;
    }
    watch(d, n);
    if (match_of(d, n) == MATCH_INSTRUCTION) {
        /* Never hit as a breakpoint: it has the instruction begin a translation of its own, see armv8m_debug_steps. */
        cpu_breakpoint_insert(CPU(d->cpu), d->dwt_comp[n] & ~1u, BP_CPU, &d->pc_breakpoint[n]);
        d->pc_matches++;
    }
}

void armv8m_dwt_apply(ARMv8MDebug *d)
{
    d->pc_matches = 0;
    for (unsigned n = 0; n < DWT_COMPARATORS; n++) {
        d->pc_matches += d->pc_breakpoint[n] != NULL;
    }
    for (unsigned n = 0; n < DWT_COMPARATORS; n++) {
        apply_one(d, n);
    }
}

bool armv8m_dwt_waits_for(ARMv8MDebug *d, uint32_t pc)
{
    for (unsigned n = 0; n < DWT_COMPARATORS; n++) {
        if (d->pc_breakpoint[n] && d->pc_breakpoint[n]->pc == pc) {
            return true;
        }
    }
    return false;
}

void armv8m_dwt_executed(ARMv8MDebug *d, uint32_t pc)
{
    for (unsigned n = 0; n < DWT_COMPARATORS; n++) {
        if (d->pc_breakpoint[n] && d->pc_breakpoint[n]->pc == pc) {
            d->dwt_function[n] |= FUNCTION_MATCHED;
            if (wants_event(d, n)) {
                armv8m_debug_event(d, R_V7M_DFSR_DWTTRAP_MASK, d->cpu->env.v7m.secure);
            }
        }
    }
}

static int comparator_of(const ARMv8MDebug *d, const CPUWatchpoint *watchpoint)
{
    for (unsigned n = 0; n < DWT_COMPARATORS; n++) {
        if (d->watchpoint[n] == watchpoint) {
            return n;
        }
    }
    return -1;
}

static bool pair_wants_event(const ARMv8MDebug *d, unsigned n)
{
    const bool linked = is_linked(d, n, MATCH_ADDRESS_LIMIT) || is_linked(d, n, MATCH_LINKED_VALUE);
    return wants_event(d, n) || (linked && wants_event(d, n + 1));
}

/* An access is about to be made. True: an event may follow it. */
bool armv8m_dwt_touched(ARMv8MDebug *d, CPUWatchpoint *watchpoint)
{
    const int n = comparator_of(d, watchpoint);
    if (n < 0) {
        return false;
    }
    d->hit_secure = d->cpu->env.v7m.secure;
    if (is_linked(d, n, MATCH_LINKED_VALUE)) {
        return true; /* the value is looked at afterwards */
    }
    d->dwt_function[n] |= FUNCTION_MATCHED;
    return pair_wants_event(d, n) && armv8m_debug_can_pend(d, d->hit_secure, true);
}

/* What lies at the watched address now is what was read or written, in memory that is no peripheral. */
static bool value_matches(const ARMv8MDebug *d, unsigned n)
{
    const uint32_t size = MIN(value_size(d, n + 1), 4);
    const MemTxAttrs attrs = { .secure = d->hit_secure };
    AddressSpace *as = arm_addressspace(CPU(d->cpu), attrs);
    hwaddr offset, length = size;
    uint8_t bytes[4];
    bool direct;

    WITH_RCU_READ_LOCK_GUARD() {
        MemoryRegion *mr = address_space_translate(as, d->dwt_comp[n], &offset, &length, false, attrs);
        direct = memory_access_is_direct(mr, false);
    }
    if (!direct || address_space_read(as, d->dwt_comp[n], attrs, bytes, size) != MEMTX_OK) {
        qemu_log_mask(LOG_UNIMP, "DWT: a value is compared in memory only\n");
        return false;
    }
    return ldn_le_p(bytes, size) == extract32(d->dwt_comp[n + 1], 0, 8 * size);
}

/* The access has been made. */
void armv8m_dwt_accessed(ARMv8MDebug *d, CPUWatchpoint *watchpoint)
{
    const int n = comparator_of(d, watchpoint);
    if (n < 0) {
        return;
    }
    if (is_linked(d, n, MATCH_LINKED_VALUE)) {
        if (!value_matches(d, n)) {
            return;
        }
        d->dwt_function[n + 1] |= FUNCTION_MATCHED;
    }
    armv8m_debug_event(d, R_V7M_DFSR_DWTTRAP_MASK, d->hit_secure);
}

static MemTxResult dwt_read(void *opaque, hwaddr offset, uint64_t *data, unsigned size, MemTxAttrs attrs)
{
    ARMv8MDebug *d = opaque;
    const unsigned n = (offset - DWT_COMP0) / 16;

    if (attrs.user) {
        return MEMTX_ERROR;
    }
    *data = 0;
    switch (offset) {
    case DWT_CTRL:
        *data = (uint32_t)DWT_COMPARATORS << 28 | d->dwt_ctrl;
        break;
    case DWT_CYCCNT:
        *data = cycle_count(d);
        break;
    case DWT_COMP0 ... DWT_LAST:
        if (offset % 16 == DWT_COMP0 % 16) {
            *data = d->dwt_comp[n];
        } else if (offset % 16 == DWT_FUNCTION0 % 16) {
            *data = identity[n] | d->dwt_function[n];
            d->dwt_function[n] &= ~FUNCTION_MATCHED;
        }
        break;
    default:
        *data = armv8m_debug_component_id(offset, DEVARCH);
        break;
    }
    return MEMTX_OK;
}

static void write_function(ARMv8MDebug *d, unsigned n, uint32_t value)
{
    d->dwt_function[n] = value & FUNCTION_WRITABLE;
    switch (value & FUNCTION_MATCH) {
    case 0x1:
    case 0x3:
    case 0x8 ... 0xa:
        qemu_log_mask(LOG_UNIMP, "DWT: comparator %u: MATCH 0x%x is not modelled\n", n, value & FUNCTION_MATCH);
        break;
    default:
        break;
    }
}

static MemTxResult dwt_write(void *opaque, hwaddr offset, uint64_t value, unsigned size, MemTxAttrs attrs)
{
    ARMv8MDebug *d = opaque;
    const unsigned n = (offset - DWT_COMP0) / 16;

    if (attrs.user) {
        return MEMTX_ERROR;
    }
    switch (offset) {
    case DWT_CTRL:
        d->cycles_before = cycle_count(d);
        d->cycles_start = clock_cycles(d);
        d->dwt_ctrl = value & CTRL_WRITABLE;
        return MEMTX_OK;
    case DWT_CYCCNT:
        d->cycles_before = value;
        d->cycles_start = clock_cycles(d);
        return MEMTX_OK;
    case DWT_COMP0 ... DWT_LAST:
        if (offset % 16 == DWT_COMP0 % 16) {
            d->dwt_comp[n] = value;
        } else if (offset % 16 == DWT_FUNCTION0 % 16) {
            write_function(d, n, value);
        }
        armv8m_dwt_apply(d);
        armv8m_debug_leave_translation(d);
        return MEMTX_OK;
    default:
        return MEMTX_OK;
    }
}

static const MemoryRegionOps dwt_ops = {
    .read_with_attrs = dwt_read,
    .write_with_attrs = dwt_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 4,
    .valid.max_access_size = 4,
};

void armv8m_dwt_init(ARMv8MDebug *d, MemoryRegion *container)
{
    memory_region_init_io(&d->dwt_region, NULL, &dwt_ops, d, "armv8m-dwt", 0x1000);
    memory_region_add_subregion_overlap(container, 0xe0001000, &d->dwt_region, 1);
}
