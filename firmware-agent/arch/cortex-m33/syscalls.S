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
    .syntax unified
    .thumb

/* LABEL is what the application knows, CALL the function in syscalls.cc. */
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
    push {r4, lr}
    bl \call
    b.w mv_leave
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
    ldr r1, =mv_switch_wanted
    ldr r1, [r1]
    cbz r1, 1f
    svc #1                  /* the scheduler takes over: as if interrupted right after the call (scheduler.cc) */
1:  mov r1, lr
    mov r2, lr
    mov r3, lr
    mov r12, lr
    msr APSR_nzcvqg, lr
    bxns lr

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
