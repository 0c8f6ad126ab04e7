// What a program of the suite needs beside the SDK's start-up: an end, streams that lead nowhere, and the calls of a
// system that there is not.
//
// Linked without debug information, so that `break 42` before main finds the program's line and not one in here.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern uint32_t __stack_limit;
int __real_main(void);

// RAM keeps its contents over a restart; QEMU's begins with zeroes, and scripts count on variables that nobody set.
__attribute__((always_inline)) static inline void clear_stack(void) {
  uint32_t *sp;
  __asm__ volatile("mov %0, sp" : "=r"(sp));
  for (volatile uint32_t *word = &__stack_limit; word < sp; ++word) *word = 0;
}

// Start-up calls this for main (ld --wrap): unlike firmware, these programs end.
int __wrap_main(void) {
  clear_stack();
  exit(__real_main());
}

// Arm semihosting, SYS_EXIT_EXTENDED: the debugger is told the status.
_Noreturn void _exit(int status) {
  volatile uint32_t block[2] = {0x20026, (uint32_t)status};
  register uint32_t request __asm__("r0") = 0x20;
  register volatile uint32_t *parameter __asm__("r1") = block;
  __asm__ volatile("bkpt 0xAB" : "+r"(request) : "r"(parameter) : "memory");
  for (;;) __asm__ volatile("wfi");  // the debugger left
}

static int put(char c, FILE *stream) {
  (void)stream;
  return (unsigned char)c;
}

static int get(FILE *stream) {
  (void)stream;
  return EOF;
}

static FILE nowhere = FDEV_SETUP_STREAM(put, get, NULL, _FDEV_SETUP_RW);
FILE *const stdin = &nowhere;
FILE *const stdout = &nowhere;
FILE *const stderr = &nowhere;

int isatty(int file) {
  (void)file;
  return 0;
}

int read(int file, void *into, unsigned size) {
  (void)file, (void)into, (void)size;
  return 0;
}

int write(int file, const void *from, unsigned size) {
  (void)file, (void)from;
  return (int)size;
}

int getpid(void) { return 1; }

int kill(int process, int signal) {
  (void)process;
  _exit(128 + signal);
}
