    .syntax unified
    .cpu cortex-m33
    .thumb
    .section .vectors, "a"
    .word 0x38010000
    .word reset
    .rept 14
    .word hang
    .endr
    .text
    .thumb_func
    .global reset
reset:
    ldr r0, =__data_start
    ldr r1, =__data_end
    ldr r2, =__data_source
1:  cmp r0, r1
    bhs 2f
    ldr r3, [r2], #4
    str r3, [r0], #4
    b 1b
2:  bl main
    .thumb_func
hang:
    b hang
