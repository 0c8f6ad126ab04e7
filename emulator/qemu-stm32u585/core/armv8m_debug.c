/*
 * DebugMonitor of an ARMv8-M core: its registers in the System Control Space, when a debug event pends it, and stepping.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "qemu/main-loop.h"
#include "armv8m_debug.h"
#include "internals.h"
#include "exec/exec-all.h"
#include "hw/arm/armv7m.h"

enum {
    DHCSR = 0xdf0,
    DEMCR = 0xdfc,
    DAUTHCTRL = 0xe04,
    DSCSR = 0xe08,
    DAUTHSTATUS = 0xfb8,
    DDEVARCH = 0xfbc,

    /* The vector catch bits do nothing without a probe; they only keep what was written. */
    DEMCR_VECTOR_CATCH = 0xff1,
    DEMCR_MONITOR = DEMCR_MON_EN | DEMCR_MON_PEND | DEMCR_MON_STEP | DEMCR_MON_REQ,

    DAUTHCTRL_SPIDENSEL = 1 << 0,
    DAUTHCTRL_INTSPIDEN = 1 << 1,
    DAUTHCTRL_SPNIDENSEL = 1 << 2,
    DAUTHCTRL_INTSPNIDEN = 1 << 3,
    DAUTHCTRL_BITS = 0xf,

    DHCSR_S_RETIRE_ST = 1 << 24,
    DSCSR_CDS = 1 << 16,
};

static ARMv8MDebug *debug_of(CPUARMState *env)
{
    NVICState *nvic = env->nvic;
    return nvic ? nvic->debug : NULL;
}

/* SecureDebugMonitorAllowed() */
static bool secure_monitor_allowed(const ARMv8MDebug *d)
{
    return d->dauthctrl & DAUTHCTRL_SPIDENSEL ? d->dauthctrl & DAUTHCTRL_INTSPIDEN : d->spiden;
}

static bool secure_noninvasive_allowed(const ARMv8MDebug *d)
{
    return secure_monitor_allowed(d) ||
           (d->dauthctrl & DAUTHCTRL_SPNIDENSEL ? d->dauthctrl & DAUTHCTRL_INTSPNIDEN : d->spiden);
}

/* DEMCR.SDME: follows what is allowed, but for as long as DebugMonitor is pending or active. */
bool armv8m_debug_sdme(ARMv8MDebug *d)
{
    const VecInfo *monitor = &d->nvic->vectors[ARMV7M_EXCP_DEBUG];
    if (!monitor->pending && !monitor->active) {
        d->sdme = secure_monitor_allowed(d);
    }
    return d->sdme;
}

/* CanPendMonitorOnEvent() */
bool armv8m_debug_can_pend(ARMv8MDebug *d, bool secure, bool check_priority)
{
    return (d->demcr & DEMCR_MON_EN) && (!secure || armv8m_debug_sdme(d)) &&
           (!check_priority || armv7m_nvic_get_ready_status(d->nvic, ARMV7M_EXCP_DEBUG, false));
}

/* An event that happened in the given state. False: it is lost. The caller holds the big lock. */
bool armv8m_debug_event(ARMv8MDebug *d, uint32_t dfsr, bool secure)
{
    if (!armv8m_debug_can_pend(d, secure, true)) {
        return false;
    }
    d->cpu->env.v7m.dfsr |= dfsr;
    armv7m_nvic_set_pending(d->nvic, ARMV7M_EXCP_DEBUG, false);
    return true;
}

/* BKPT, or a match of the FPB: unlike all others, an event that cannot be lost. */
void armv8m_debug_breakpoint(CPUARMState *env)
{
    ARMv8MDebug *d = debug_of(env);
    if (!d) {
        armv7m_nvic_set_pending(env->nvic, ARMV7M_EXCP_DEBUG, false);
        return;
    }
    if (armv8m_debug_event(d, R_V7M_DFSR_BKPT_MASK, env->v7m.secure)) {
        return;
    }
    env->v7m.dfsr |= R_V7M_DFSR_BKPT_MASK;
    env->v7m.hfsr |= R_V7M_HFSR_DEBUGEVT_MASK;
    armv7m_nvic_set_pending(d->nvic, ARMV7M_EXCP_HARD,
                            armv8m_debug_sdme(d) || !(env->v7m.aircr & R_V7M_AIRCR_BFHFNMINS_MASK));
}

/*
 * Asked before the code at PC is looked up: whether it is to be executed as one instruction with an end that we see, for
 * MON_STEP or for a comparator that waits for it.
 */
bool armv8m_debug_steps(CPUARMState *env)
{
    ARMv8MDebug *d = debug_of(env);
    if (!d) {
        return false;
    }
    d->pc = env->regs[15];
    d->steps = (d->demcr & DEMCR_MON_STEP) && !d->nvic->vectors[ARMV7M_EXCP_DEBUG].pending &&
               armv8m_debug_can_pend(d, env->v7m.secure, true);
    return d->steps || (d->pc_matches && armv8m_dwt_waits_for(d, d->pc));
}

/* The instruction is done, an exception entry or return that was part of it included. The caller holds the big lock. */
void armv8m_debug_stepped(CPUARMState *env)
{
    ARMv8MDebug *d = debug_of(env);
    if (!d) {
        return;
    }
    if (d->pc_matches) {
        armv8m_dwt_executed(d, d->pc);
    }
    if (d->steps) {
        d->steps = false;
        armv8m_debug_event(d, R_V7M_DFSR_HALTED_MASK, env->v7m.secure);
    }
}

/* The same at the end of the translated code; goes on with the next instruction, or DebugMonitor. */
void armv8m_debug_step_done(CPUARMState *env)
{
    qemu_mutex_lock_iothread();
    armv8m_debug_stepped(env);
    cpu_loop_exit_noexc(env_cpu(env)); /* gives the lock back */
}

bool armv8m_debug_check_breakpoint(CPUState *cs)
{
    CPUARMState *env = &ARM_CPU(cs)->env;
    ARMv8MDebug *d = debug_of(env);
    return d && armv8m_fpb_matches(d, env->regs[15]);
}

bool armv8m_debug_check_watchpoint(CPUState *cs, CPUWatchpoint *watchpoint)
{
    ARMv8MDebug *d = debug_of(&ARM_CPU(cs)->env);
    return d && armv8m_dwt_touched(d, watchpoint);
}

/* QEMU stopped for one of its breakpoints or watchpoints. Returns if that is GDB's and not ours. */
void armv8m_debug_excp_handler(CPUState *cs)
{
    CPUARMState *env = &ARM_CPU(cs)->env;
    ARMv8MDebug *d = debug_of(env);
    CPUWatchpoint *watchpoint = cs->watchpoint_hit;

    if (!d) {
        return;
    }
    if (watchpoint) {
        if (watchpoint->flags & BP_CPU) {
            cs->watchpoint_hit = NULL;
            qemu_mutex_lock_iothread();
            armv8m_dwt_accessed(d, watchpoint);
            cpu_loop_exit_noexc(cs);
        }
        return;
    }
    if (!cpu_breakpoint_test(cs, env->regs[15], BP_GDB) && armv8m_fpb_matches(d, env->regs[15])) {
        cs->exception_index = EXCP_BKPT;
        cpu_loop_exit(cs);
    }
}

/* What is translated already may run past a breakpoint that is new: have it end, and be looked up again. */
void armv8m_debug_leave_translation(ARMv8MDebug *d)
{
    cpu_interrupt(CPU(d->cpu), CPU_INTERRUPT_EXITTB);
}

uint32_t armv8m_debug_scs_read(ARMv8MDebug *d, uint32_t offset, bool secure)
{
    const bool sdme = armv8m_debug_sdme(d);
    uint32_t value;

    switch (offset) {
    case DHCSR:
        return DHCSR_S_RETIRE_ST;
    case DEMCR:
        value = d->demcr;
        if (d->nvic->vectors[ARMV7M_EXCP_DEBUG].pending) {
            value |= DEMCR_MON_PEND;
        }
        if (sdme) {
            value |= DEMCR_SDME;
        }
        return secure || !sdme ? value : value & ~DEMCR_MONITOR;
    case DAUTHCTRL:
        return secure ? d->dauthctrl : 0;
    case DSCSR:
        return secure ? DSCSR_CDS : 0;
    case DAUTHSTATUS:
        /* SNID, SID, NSNID, NSID: 3 is allowed, 2 is not */
        return 0xaf + (secure_monitor_allowed(d) ? 0x10 : 0) + (secure_noninvasive_allowed(d) ? 0x40 : 0);
    case DDEVARCH:
        return 0x47702a04;
    default:
        return 0; /* DCRSR, DCRDR: nothing without a probe */
    }
}

static void write_demcr(ARMv8MDebug *d, uint32_t value, bool secure)
{
    const bool monitor_too = secure || !armv8m_debug_sdme(d);
    const uint32_t writable = DEMCR_VECTOR_CATCH | DEMCR_TRCENA |
                              (monitor_too ? DEMCR_MON_EN | DEMCR_MON_STEP | DEMCR_MON_REQ : 0);
    const uint32_t demcr = (d->demcr & ~writable) | (value & writable);

    armv8m_dwt_count(d, demcr);
    d->demcr = demcr;
    armv8m_dwt_apply(d);
    armv8m_debug_leave_translation(d);
    if (!monitor_too) {
        return;
    }
    if (value & DEMCR_MON_PEND) {
        armv7m_nvic_set_pending(d->nvic, ARMV7M_EXCP_DEBUG, false);
    } else {
        armv7m_nvic_clear_monitor(d->nvic);
    }
}

void armv8m_debug_scs_write(ARMv8MDebug *d, uint32_t offset, uint32_t value, bool secure)
{
    switch (offset) {
    case DEMCR:
        write_demcr(d, value, secure);
        break;
    case DAUTHCTRL:
        if (secure) {
            d->dauthctrl = value & DAUTHCTRL_BITS;
            armv8m_debug_sdme(d);
            armv7m_nvic_refresh(d->nvic);
        }
        break;
    default: /* DHCSR and its companions are a probe's to write */
        break;
    }
}

/* A reset of the processor. FPB, DWT and TRCENA are reset when the power comes on, and then they are empty anyway. */
void armv8m_debug_reset(ARMv8MDebug *d)
{
    armv8m_dwt_count(d, d->demcr);
    d->demcr &= DEMCR_TRCENA | DEMCR_VECTOR_CATCH;
    d->dauthctrl = 0;
    d->steps = false;
    armv8m_debug_sdme(d);
}

/* The reset of the CPU object freed all breakpoints and watchpoints that are not GDB's. */
void armv8m_debug_cpu_reset(CPUARMState *env)
{
    ARMv8MDebug *d = debug_of(env);
    if (!d) {
        return;
    }
    memset(d->breakpoint, 0, sizeof(d->breakpoint));
    memset(d->pc_breakpoint, 0, sizeof(d->pc_breakpoint));
    memset(d->watchpoint, 0, sizeof(d->watchpoint));
    armv8m_fpb_apply(d);
    armv8m_dwt_apply(d);
}

/* The registers by which a CoreSight component is told, from 0xfb4 on (LSR: no lock for software). */
uint32_t armv8m_debug_component_id(hwaddr offset, uint32_t devarch)
{
    static const uint8_t kIds[] = { /* PIDR4-7, PIDR0-3, CIDR0-3: Arm, Cortex-M33 */
        0x04, 0, 0, 0, 0x21, 0xbd, 0x0b, 0, 0x0d, 0x90, 0x05, 0xb1,
    };
    if (offset == 0xfbc) {
        return devarch;
    }
    return offset >= 0xfd0 ? kIds[(offset - 0xfd0) / 4] : 0;
}

void armv8m_debug_realize(ARMv7MState *armv7m)
{
    ARMv8MDebug *d = g_new0(ARMv8MDebug, 1);
    d->cpu = armv7m->cpu;
    d->nvic = &armv7m->nvic;
    d->clock = armv7m->cpuclk;
    d->spiden = armv7m->nvic.spiden;
    armv8m_fpb_init(d, &armv7m->container);
    armv8m_dwt_init(d, &armv7m->container);
    armv7m->nvic.debug = d;
}
