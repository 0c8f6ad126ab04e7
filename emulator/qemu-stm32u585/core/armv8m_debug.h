/*
 * Self-hosted debug of an ARMv8-M core: DebugMonitor, the breakpoint unit (FPB) and the watchpoint unit (DWT).
 *
 * QEMU 7.2 has none of it. The NVIC owns the one `ARMv8MDebug` if its property "core-debug" is set; without, every function
 * here does what QEMU did before. Facts from ARM DDI 0553B (the architecture; chapters Debug, and Debug and Trace Components)
 * and ARM 100230 (Cortex-M33). There is no probe: DHCSR.C_DEBUGEN is 0, so no event halts the core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ARMV8M_DEBUG_H
#define ARMV8M_DEBUG_H

#include "cpu.h"
#include "exec/memory.h"
#include "hw/clock.h"

typedef struct ARMv7MState ARMv7MState;
typedef struct NVICState NVICState;

enum {
    FPB_COMPARATORS = 8,
    DWT_COMPARATORS = 4,
};

typedef struct ARMv8MDebug {
    ARMCPU *cpu;
    NVICState *nvic;
    Clock *clock; /* of the core, counted by DWT_CYCCNT */
    MemoryRegion dwt_region, fpb_region;

    uint32_t demcr; /* but for MON_PEND and SDME */
    uint32_t dauthctrl;
    bool sdme;
    bool spiden; /* the signal SPIDEN, with DBGEN and the others taken as high */

    /* The instruction that is being executed: whether it is a step of DEMCR.MON_STEP, and where it is. */
    bool steps;
    uint32_t pc;

    uint32_t fp_ctrl;
    uint32_t fp_comp[FPB_COMPARATORS];

    uint32_t dwt_ctrl;
    uint32_t dwt_comp[DWT_COMPARATORS];
    uint32_t dwt_function[DWT_COMPARATORS];
    uint32_t cycles_before; /* CYCCNT when counting last began or ended */
    uint64_t cycles_start;  /* the clock at that time */
    unsigned pc_matches;    /* how many comparators wait for an instruction */
    bool hit_secure;        /* the state in which the last access to watched memory was made */

    /* What QEMU's own breakpoints and watchpoints are set for it. */
    CPUBreakpoint *breakpoint[FPB_COMPARATORS];
    CPUBreakpoint *pc_breakpoint[DWT_COMPARATORS];
    CPUWatchpoint *watchpoint[DWT_COMPARATORS];
} ARMv8MDebug;

enum { /* DEMCR */
    DEMCR_MON_EN = 1 << 16,
    DEMCR_MON_PEND = 1 << 17,
    DEMCR_MON_STEP = 1 << 18,
    DEMCR_MON_REQ = 1 << 19,
    DEMCR_SDME = 1 << 20,
    DEMCR_TRCENA = 1 << 24,
};

/* For the NVIC and the container of the core. */
void armv8m_debug_realize(ARMv7MState *armv7m);
void armv8m_debug_reset(ARMv8MDebug *d);
bool armv8m_debug_sdme(ARMv8MDebug *d);
uint32_t armv8m_debug_scs_read(ARMv8MDebug *d, uint32_t offset, bool secure);
void armv8m_debug_scs_write(ARMv8MDebug *d, uint32_t offset, uint32_t value, bool secure);

/* From the NVIC, armv7m_nvic.c. */
void armv7m_nvic_clear_monitor(NVICState *s);
void armv7m_nvic_refresh(NVICState *s);
uint32_t armv7m_nvic_priority_mask(void *nvic); /* of a priority, the bits that are implemented */

/* For the core's execution. */
void armv8m_debug_cpu_reset(CPUARMState *env);
bool armv8m_debug_steps(CPUARMState *env);
void armv8m_debug_breakpoint(CPUARMState *env);
void armv8m_debug_stepped(CPUARMState *env);
G_NORETURN void armv8m_debug_step_done(CPUARMState *env);
bool armv8m_debug_check_breakpoint(CPUState *cs);
bool armv8m_debug_check_watchpoint(CPUState *cs, CPUWatchpoint *watchpoint);
void armv8m_debug_excp_handler(CPUState *cs);

/* Between the files of it. */
bool armv8m_debug_can_pend(ARMv8MDebug *d, bool secure, bool check_priority);
bool armv8m_debug_event(ARMv8MDebug *d, uint32_t dfsr, bool secure);
void armv8m_debug_leave_translation(ARMv8MDebug *d);
void armv8m_fpb_init(ARMv8MDebug *d, MemoryRegion *container);
void armv8m_fpb_apply(ARMv8MDebug *d);
bool armv8m_fpb_matches(ARMv8MDebug *d, uint32_t pc);
void armv8m_dwt_init(ARMv8MDebug *d, MemoryRegion *container);
void armv8m_dwt_apply(ARMv8MDebug *d);
void armv8m_dwt_count(ARMv8MDebug *d, uint32_t demcr);
bool armv8m_dwt_waits_for(ARMv8MDebug *d, uint32_t pc);
void armv8m_dwt_executed(ARMv8MDebug *d, uint32_t pc);
bool armv8m_dwt_touched(ARMv8MDebug *d, CPUWatchpoint *watchpoint);
void armv8m_dwt_accessed(ARMv8MDebug *d, CPUWatchpoint *watchpoint);
uint32_t armv8m_debug_component_id(hwaddr offset, uint32_t devarch);

#endif
