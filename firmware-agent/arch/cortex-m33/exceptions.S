// Exception entry of the Secure side: the few instructions that cannot be written in C++.
//
// Layout of mv::arch::SavedContext (scheduler.h): r4-r11 at 0, EXC_RETURN 32, PSP_S 36, PSPLIM_S 40, BASEPRI_S 44.
        .syntax unified
        .thumb

        .macro FUNCTION name
        .section .text.\name, "ax", %progbits
        .global \name
        .type   \name, %function
        .thumb_func
\name:
        .endm

// The switch between the Secure thread and the Non-secure world. What is not saved here is on the interrupted stack.
FUNCTION PendSV_Handler
        ldr     r3, =mv_current_context
        ldr     r0, [r3]
        stmia   r0, {r4-r11}
        mrs     r1, psp
        mrs     r2, psplim
        mrs     r3, basepri
        str     lr, [r0, #32]
        strd    r1, r2, [r0, #36]
        str     r3, [r0, #44]
        bl      mv_switch_context               // r0: the context that goes on
        ldrd    r1, r2, [r0, #36]
        movs    r3, #0
        msr     psplim, r3                      // so that no moment has the new pointer under the old limit
        msr     psp, r1
        msr     psplim, r2
        ldr     r3, [r0, #44]
        msr     basepri, r3
        ldr     lr, [r0, #32]
        ldmia   r0, {r4-r11}
        bx      lr

// Three places of ours make supervisor calls: the trampoline and mv_idle below, and a system call that ends while a
// switch is due (syscalls.S, mv_leave).
FUNCTION SVC_Handler
        tst     lr, #8
        beq     leave_system_call
        mrs     r0, psp
        ldr     r1, [r0, #24]
        ldr     r2, =mv_idle_called
        bic     r2, r2, #1
        cmp     r1, r2
        beq     mv_sleep
        ldr     r2, =mv_trampoline_called
        bic     r2, r2, #1
        cmp     r1, r2
        bne     leave_system_call

        // Back into a Non-secure context that was put aside (scheduler.cc, adopt). Above the frame on PSP_S lies:
        // r4-r11, EXC_RETURN, BASEPRI_S, two words unused.
        adds    r0, #32
        ldmia   r0!, {r4-r11}
        ldr     lr, [r0]
        ldr     r1, [r0, #4]
        adds    r0, #16
        msr     psp, r0
        msr     basepri, r1
        ldr     r0, =0xe000ed04                 // the scheduler looks at what goes on before it does
        ldr     r1, =0x10000000
        str     r1, [r0]
        dsb
        bx      lr

leave_system_call:
        mov     r0, lr
        mrs     r1, msp
        mrs     r2, psp
        push    {r4, lr}
        bl      mv_leave_system_call            // r0: EXC_RETURN to use, r1: bytes of MSP_S to give up
        add     sp, #8
        add     sp, r1
        bx      r0

// Runs in Secure Thread mode when an adopted interrupt handler of the application has returned.
FUNCTION mv_return_trampoline
        svc     #0
mv_trampoline_called:
        b       mv_return_trampoline

// The Secure thread has nothing to do: see Scheduler::sleep.
FUNCTION mv_idle
        svc     #2
mv_idle_called:
        bx      lr

FUNCTION HardFault_Handler
        mov     r0, lr
        mrs     r1, msp
        mrs     r2, psp
        push    {r4, lr}
        bl      mv_hard_fault
        pop     {r4, pc}

FUNCTION NMI_Handler
        mov     r0, lr
        mrs     r1, msp
        mrs     r2, psp
        push    {r4, lr}
        bl      mv_board_nmi
        pop     {r4, pc}

FUNCTION DebugMonitor_Handler
        mov     r0, lr
        push    {r4, lr}
        bl      mv_debug_monitor
        pop     {r4, pc}

FUNCTION SysTick_Handler
        mov     r0, lr
        push    {r4, lr}
        bl      mv_tick
        pop     {r4, pc}

FUNCTION Interrupt_Handler
        mrs     r0, ipsr
        subs    r0, #16
        mov     r1, lr
        mrs     r2, msp
        mrs     r3, psp
        push    {r4, lr}
        bl      mv_board_interrupt
        pop     {r4, pc}

// Single accesses that may fault: mv_hard_fault goes on at mv_probe_failed when the fault is between the two labels.
// bool mv_peekN(uint32_t address, uint32_t* out), bool mv_pokeN(uint32_t address, uint32_t value)
        .section .text.mv_probe, "ax", %progbits
        .global mv_probe_begin, mv_probe_end, mv_probe_failed
        .thumb_func
mv_probe_begin:
        .macro PROBE name, first, second
        .global \name
        .type   \name, %function
        .thumb_func
\name:
        \first
        dsb
        \second
        movs    r0, #1
        bx      lr
        .endm
PROBE mv_peek8, "ldrb r2, [r0]", "str r2, [r1]"
PROBE mv_peek16, "ldrh r2, [r0]", "str r2, [r1]"
PROBE mv_peek32, "ldr r2, [r0]", "str r2, [r1]"
PROBE mv_poke8, "strb r1, [r0]", "nop"
PROBE mv_poke16, "strh r1, [r0]", "nop"
PROBE mv_poke32, "str r1, [r0]", "nop"
        .thumb_func
mv_probe_end:
        .thumb_func
mv_probe_failed:
        movs    r0, #0
        bx      lr

// s16-s31 are the application's at all times: Secure code is built without FP. To read or write them makes an FP context
// of ours, which is given up again at once: CONTROL.FPCA and .SFPA cleared.
        .fpu    fpv5-sp-d16
        .macro DROP_FP_CONTEXT
        mrs     r1, control
        bic     r1, r1, #0xc
        msr     control, r1
        isb
        .endm
FUNCTION mv_read_high_fp
        vstmia  r0, {s16-s31}
        DROP_FP_CONTEXT
        bx      lr

FUNCTION mv_write_high_fp
        vldmia  r0, {s16-s31}
        DROP_FP_CONTEXT
        bx      lr
