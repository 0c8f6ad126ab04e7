// Gives each system call its address: absolute Thumb functions at MV_SYSCALL_BASE. The linker adds a long-branch stub for
// those that an application calls.
    .syntax unified
    .thumb

#define MV_SYSCALL(offset, name) \
    .global name; .type name, %function; .thumb_set name, MV_SYSCALL_BASE + offset + 1;

#include "mv_syscall_table.h"
