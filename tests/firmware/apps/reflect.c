// Has a HardFault handler of its own, which repairs what went wrong and returns: from the main stack, from the process
// stack with floating-point state, from an interrupt handler, and last not at all.
#include "app.h"

static uint32_t process_stack[256];
static volatile uint32_t faults, frame_pc, ended_by, ticks_in_handler;
static volatile int hopeless;

// The frame that the fault left, its EXC_RETURN, r4.
__attribute__((used)) static void on_fault(uint32_t* frame, uint32_t exc_return, uint32_t r4) {
  uint32_t ipsr;
  __asm volatile("mrs %0, ipsr" : "=r"(ipsr));
  print("reflect: fault in exc ");
  print_hex(exc_return);
  print(" ipsr ");
  print_hex(ipsr);
  print(" r0 ");
  print_hex(frame[0]);
  print(" r4 ");
  print_hex(r4);
  print(" cfsr ");
  print_hex(REG32(0xe000ed28));
  print("\r\n");
  REG32(0xe000ed28) = 0xffffffff;
  const uint32_t before = ticks;
  for (volatile uint32_t i = 0; i < 200000; ++i) continue;  // ten milliseconds: time for ticks, which must wait
  ticks_in_handler += ticks - before;
  if (hopeless) __asm volatile("udf #7");
  ++faults;
  frame[6] += 2;  // past the instruction
}

__attribute__((naked)) void HardFault_Handler(void) {
  __asm volatile(
      "tst lr, #4\n"
      "ite eq\n"
      "mrseq r0, msp\n"
      "mrsne r0, psp\n"
      "mov r1, lr\n"
      "mov r2, r4\n"
      "push {r4, lr}\n"
      "bl on_fault\n"
      "pop {r4, pc}");
}

static void fault_with_known_registers(void) {
  uint32_t r0, r4;
  __asm volatile(
      "movw r0, #0x1111\n movw r4, #0x4444\n udf #1\n mov %0, r0\n mov %1, r4"
      : "=r"(r0), "=r"(r4)
      :
      : "r0", "r4");
  print(r0 == 0x1111 && r4 == 0x4444 ? "reflect: registers kept\r\n" : "reflect: registers BAD\r\n");
}

void on_tick(void) {
  if (ticks != 20) return;
  print("reflect: in a handler\r\n");
  fault_with_known_registers();
  ended_by = 15;
}

static void on_process_stack(void) {
  float value = 1.5f;
  __asm volatile("vmov s5, %0\n vmov s20, %0\n udf #2\n vadd.f32 %0, s5, s20" : "+t"(value) : : "s5", "s20");
  print(value == 3.0f ? "reflect: floats kept\r\n" : "reflect: floats BAD\r\n");
}

int main(void) {
  use_fp();
  fault_with_known_registers();
  __asm volatile(
      "msr psp, %0\n mrs r0, control\n orr r0, #2\n msr control, r0\n isb"
      :
      : "r"(&process_stack[256])
      : "r0");
  on_process_stack();
  start_ticks(1000);
  while (ended_by != 15) __asm volatile("wfi");
  print("reflect: faults ");
  print_hex(faults);
  print(ticks_in_handler == 0 ? " no ticks meanwhile\r\n" : " BAD ticks meanwhile\r\n");
  hopeless = 1;
  __asm volatile("udf #3");
  print("reflect: BAD, came back\r\n");
  for (;;) __asm volatile("wfi");
}
