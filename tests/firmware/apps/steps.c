// What the debug tests step through. Labels in assembly, so that a test can name one instruction.
#include "app.h"

volatile uint32_t counter, atomic, served, ticked;

__attribute__((noinline)) uint32_t twice(uint32_t value) { return 2 * value; }

// Everything that moves pc in its own way: calls, tables, IT blocks, compare-and-branch, loads.
__attribute__((naked, noinline)) uint32_t branches(uint32_t value) {
  (void)value;
  __asm volatile(
      ".global step_begin, step_end, table_target, popped\n"
      "push {r4, lr}\n"
      "step_begin:\n"
      "movs r4, r0\n"
      "movs r1, #1\n"
      "tbb [pc, r1]\n"
      "1: .byte (2f - 1b) / 2, (table_target - 1b) / 2\n"
      "2: nop\n"
      "table_target:\n"
      "cmp r1, #1\n"
      "ite eq\n"
      "addeq r4, #1\n"
      "addne r4, #100\n"
      "cbnz r1, 6f\n"
      "nop\n"
      "6:\n"
      "ldr r2, =(3f + 1)\n"
      "bx r2\n"
      ".ltorg\n"
      "3: adr r3, 4f\n"
      "ldr pc, [r3, #0]\n"
      ".align 2\n"
      "4: .word 5f + 1\n"
      "5: mov r0, r4\n"
      "bl twice\n"
      "step_end: pop {r4, pc}\n");
}

__attribute__((naked, noinline)) void add_atomically(volatile uint32_t* to) {
  (void)to;
  __asm volatile(
      ".global exclusive_begin, exclusive_end\n"
      "exclusive_begin:\n"
      "1: ldrex r1, [r0]\n"
      "adds r1, #1\n"
      "strex r2, r1, [r0]\n"
      "cmp r2, #0\n"
      "bne 1b\n"
      "exclusive_end: bx lr\n");
}

void SVC_Handler(void) { served = served + 1; }

__attribute__((naked, noinline)) void call_supervisor(void) {
  __asm volatile(".global svc_at\nsvc_at: svc 0\nnop\nbx lr\n");
}

// Masks interrupts and works on.
__attribute__((naked, noinline)) void masked_work(void) {
  __asm volatile(
      ".global masked_begin, masked_end\n"
      "cpsid i\n"
      "masked_begin: movs r0, #1\n"
      "movs r1, #2\n"
      "masked_end: cpsie i\n"
      "bx lr\n");
}

// Waits for a tick by looking at memory: it never ends while interrupts are held back.
__attribute__((naked, noinline)) void wait_for_tick(volatile uint32_t* at) {
  (void)at;
  __asm volatile(
      ".global wait_begin, wait_end\n"
      "ldr r1, [r0]\n"
      "wait_begin: ldr r2, [r0]\n"
      "cmp r1, r2\n"
      "beq wait_begin\n"
      "wait_end: bx lr\n");
}

__attribute__((noinline)) void fault(void) { __asm volatile(".global udf_at\nudf_at: udf #0"); }

void on_tick(void) {
  ticked = ticked + 1;
  __asm volatile(".global in_handler\nin_handler: nop\nnop");
}

int main(void) {
  start_ticks(1000);
  for (;;) {
    counter = counter + 1;
    branches(counter);
    add_atomically(&atomic);
    call_supervisor();
    masked_work();
    wait_for_tick(&ticked);
    __asm volatile(".global wfi_at\nwfi_at: wfi\nnop");
    if (counter == 0xffffffff) fault();
  }
}
