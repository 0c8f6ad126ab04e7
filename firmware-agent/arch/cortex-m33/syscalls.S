/*
 * The veneers: where an application enters the Secure side. The board places section .nsc at the address of the system
 * calls; it is the only Non-secure callable memory.
 *
 * Each slot is eight bytes, `sg` and a branch, at the offset that sdk/include/mv_syscall_table.h gives it. The slots are
 * written by hand, not made by the linker (CMSE import libraries), because their places are an ABI that never changes.
 *
 * Behind a slot the stub calls the system call proper in syscalls.cc and goes back through mv_leave, which does what a
 * compiler does for `cmse_nonsecure_entry`: no register but the result carries anything of the Secure side. Secure
 * code is built without floating point and never touches those registers.
 */
#include "arch/cortex-m33/call_again.h"

    .syntax unified
    .thumb

/* Calls that may have to be made again before they are done (docs/decisions/0015-restartable-calls.md). */
.macro restartable name
    .set mv_restarts_\name, 1
.endm
    restartable mvExternalFlashReadBlocking
    restartable mvExternalFlashWriteBlocking
    restartable mvExternalFlashEraseBlocking
    restartable mvSetWifiConfig
    restartable mvTestLog
    restartable mvTestingComplete

/* LABEL is what the application knows, CALL the function in syscalls.cc. That of a restartable call is given its
   arguments as an array, which it may change. */
.macro slot label, call
    .global \label
    .type \label, %function
    .thumb_func
\label:
    sg
    b.w stub_\label
    .pushsection .text.syscalls, "ax", %progbits
    .type stub_\label, %function
    .thumb_func
stub_\label:
    .ifdef mv_restarts_\label
    push {r0-r4, lr}
    mov r0, sp
    bl \call
    ldr r12, =\label
    b.w mv_leave_or_repeat
    .else
    push {r4, lr}
    bl \call
    b.w mv_leave
    .endif
    .popsection
.endm

/* Fills the place up to OFFSET with slots that answer "unavailable". */
.macro fill_to offset
    .rept (\offset - (. - mv_veneers)) / 8
    sg
    b.w stub_unused
    .endr
.endm

    .section .text.syscalls, "ax", %progbits
    .thumb_func
stub_unused:
    push {r4, lr}
    bl mv_call_unavailable
mv_leave:
    pop {r4, lr}
    mov r1, lr
    mov r2, lr
    mov r3, lr
    mov r12, lr
mv_go:                      /* to r12, with r0-r3 and lr as the application is to see them */
    push {r0, r1}
    ldr r0, =mv_switch_wanted
    ldr r0, [r0]
    cmp r0, #0
    pop {r0, r1}
    beq 1f
    svc #1                  /* the scheduler takes over: as if interrupted there (scheduler.cc) */
1:  msr APSR_nzcvqg, r12
    bxns r12

    .thumb_func
mv_leave_or_repeat:         /* r12: the veneer */
    cmp r0, #MV_CALL_AGAIN
    ite ne
    addne sp, #16
    popeq {r0-r3}
    bne mv_leave
    pop {r4, lr}
    orr lr, lr, #1          /* `sg` cleared it, and will again */
    bic r12, r12, #1
    b mv_go

    .section .nsc, "ax", %progbits
    .balign 32
    .global mv_veneers
mv_veneers:

.macro slot_at offset, name
    .if (. - mv_veneers) > \offset
    .error "the table of system calls is not in order of offsets"
    .endif
    fill_to \offset
    slot \name, mv_call_\name
.endm

#define MV_SYSCALL(offset, name) slot_at offset, name;
#include "sdk/include/mv_syscall_table.h"

    fill_to 0x260
