// ticker: an application without C: its own vector table and reset handler, no library. Logs a line at every 32nd tick.
    .syntax unified
    .cpu cortex-m33
    .thumb

    .section .vectors, "a"
    .word __stack_top
    .word Reset_Handler
    .rept 13
    .word fault + 1
    .endr
    .word tick + 1
    .rept 144
    .word fault + 1
    .endr

    .section .rodata
line:
    .ascii "ticker: 32 ticks"
    .equ line_length, . - line

    .bss
    .balign 512
log_buffer:
    .space 512
clock:
    .space 4
count:
    .space 4

    .text
    .global Reset_Handler
    .type Reset_Handler, %function
    .thumb_func
Reset_Handler:
    ldr   r0, =clock
    bl    mvGetSysClk
    ldr   r0, =count
    movs  r1, #0
    str   r1, [r0]
    ldr   r0, =log_buffer
    mov   r1, #512
    bl    mvServerLoggingInit
    // SysTick: an interrupt every 1/32 s (Arm DDI 0553, SYST_RVR, SYST_CVR, SYST_CSR).
    ldr   r0, =clock
    ldr   r0, [r0]
    lsrs  r0, r0, #5
    ldr   r1, =0xE000E010
    str   r0, [r1, #4]
    str   r0, [r1, #8]
    movs  r0, #7
    str   r0, [r1]
wait:
    wfi
    ldr   r0, =count
    ldr   r1, [r0]
    cmp   r1, #32
    blo   wait
    movs  r1, #0
    str   r1, [r0]
    ldr   r0, =line
    movs  r1, #line_length
    bl    mvServerLog
    b     wait
    .size Reset_Handler, . - Reset_Handler

    .type tick, %function
tick:
    ldr   r0, =count
    ldr   r1, [r0]
    adds  r1, r1, #1
    str   r1, [r0]
    bx    lr
    .size tick, . - tick

    .type fault, %function
fault:
    bkpt  1
    b     fault
    .size fault, . - fault
