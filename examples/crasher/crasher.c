// crasher: commits one fault after another, to show how the microvisor records it and brings the application back.
//
// Set `command` in the debugger, or leave it: a counter that survives the restart picks the next fault. RAM keeps its
// contents over a restart of the application, and `.noinit` is not cleared at start-up.
#include "../common/board.h"
#include "mv_log.h"
#include "mv_syscalls.h"

enum Command {
  UNDEFINED_INSTRUCTION = 0,
  NULL_CALL,
  SECURE_READ,
  UNMAPPED_WRITE,
  DIVISION_BY_ZERO,
  STACK_OVERFLOW,
  BREAKPOINT_OF_ITS_OWN,
  PERIPHERAL_THAT_IS_NOT_THERE,
  FORBIDDEN_BY_THE_MPU,
  UNALIGNED_READ,
  NO_COPROCESSOR,
  CALL_OF_AN_EVEN_ADDRESS,
  FAULT_IN_A_FAULT_HANDLER,
  INTERRUPTS_OFF_FOREVER,
  COMMANDS,
};

#define MAGIC 0xC4A54E4UL
static volatile uint32_t ticks;
static volatile int zero;
static volatile int what_now;
static uint32_t magic __attribute__((section(".noinit")));
static uint32_t next __attribute__((section(".noinit")));

volatile int command = -1;  // what to do next; -1: one after another

void SysTick_Handler(void) { ticks = ticks + 1; }

// Taken once `commit` has switched it on; what goes wrong here nobody takes.
void UsageFault_Handler(void) { __asm__ volatile("udf 2"); }

// Gets the faults if the bundle was made with --faults reflect; else the microvisor records a crash and it never runs.
void HardFault_Handler(void) {
  mv_log("crasher: fault %d came to its own handler", what_now);
  mvRestart(MV_RESTARTMODE_AUTOAPPLYUPDATE);
  for (;;) {
  }
}

// A region of the MPU (ARM DDI 0553B, D1.2: MPU_RNR, MPU_RBAR, MPU_RLAR) that may be read and not written.
static uint32_t constant[8] __attribute__((aligned(32)));
static void forbid_writing(void) {
  BOARD_REGISTER(0xE000ED98) = 0;
  BOARD_REGISTER(0xE000ED9C) = (uint32_t)constant | 3U << 1 | 1;  // AP: read-only, privileged or not; XN
  BOARD_REGISTER(0xE000EDA0) = (uint32_t)constant | 1;            // one granule of 32 bytes, on
  BOARD_REGISTER(0xE000ED94) = 1U << 2 | 1;                       // the rest as without MPU; on
  __asm__ volatile("dsb\n isb");
}

static void wait_ticks(uint32_t count) {
  const uint32_t end = ticks + count;
  while (ticks != end) __asm__ volatile("wfi");
}

static int __attribute__((noinline)) overflow_stack(volatile int depth) {
  volatile char filler[512];
  filler[0] = (char)depth;
  if (depth < 0) return 0;  // never; the compiler need not know
  return overflow_stack(depth + 1) + filler[0];
}

static void commit(int what) {
  switch (what) {
    case UNDEFINED_INSTRUCTION:
      __asm__ volatile("udf 1");
      break;
    case NULL_CALL:
      ((void (*)(void))0)();
      break;
    case SECURE_READ:
      (void)*(volatile uint32_t *)0x30000000;
      break;
    case UNMAPPED_WRITE:
      *(volatile uint32_t *)0x60000000 = 1;
      break;
    case DIVISION_BY_ZERO:
      BOARD_REGISTER(0xE000ED14) |= 1U << 4;  // CCR.DIV_0_TRP
      command = (int)ticks / zero;  // a constant dividend would be compiled to a comparison
      break;
    case STACK_OVERFLOW:
      overflow_stack(0);
      break;
    case BREAKPOINT_OF_ITS_OWN:
      __asm__ volatile("bkpt 42");
      break;
    case PERIPHERAL_THAT_IS_NOT_THERE:
      *(volatile uint32_t *)0x4F004400 = 1;
      break;
    case FORBIDDEN_BY_THE_MPU:
      forbid_writing();
      *(volatile uint32_t *)&constant[2] = 1;
      break;
    case UNALIGNED_READ:
      __asm__ volatile("ldrd r2, r3, [%0]" : : "r"((uint32_t)constant + 1) : "r2", "r3");
      break;
    case NO_COPROCESSOR:
      __asm__ volatile("mrc p0, 0, r0, c0, c0, 0" : : : "r0");
      break;
    case CALL_OF_AN_EVEN_ADDRESS:
      ((void (*)(void))((uint32_t)wait_ticks & ~1U))();
      break;
    case FAULT_IN_A_FAULT_HANDLER:
      BOARD_REGISTER(0xE000ED24) |= 1U << 18;  // SHCSR.USGFAULTENA
      __asm__ volatile("dsb\n isb\n udf 3");
      break;
    default:
      __asm__ volatile("cpsid i");
      for (;;) {
      }
  }
}

int main(void) {
  uint32_t clock = 0;
  mvGetSysClk(&clock);
  board_start();
  board_ticks(clock / 20);
  if (magic != MAGIC) {
    magic = MAGIC;
    next = 0;
  }
  const int what = command >= 0 ? command : (int)(next++ % (COMMANDS - 1));
  what_now = what;
  mv_log("crasher: about to commit fault %d", what);
  wait_ticks(10);
  commit(what);
}
