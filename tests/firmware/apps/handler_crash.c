// Crashes in an interrupt handler of an external interrupt, while two exceptions are active. Started again, it says
// whether it gets interrupts at all.
#include "app.h"

enum { kPend = 0xe000e200, kEnable = 0xe000e100, kPriorities = 0xe000e400, kNumber = 60 };

void on_tick(void) {
  if (ticks == 10) REG32(kPend + 4) = 1u << (kNumber - 32);
}

void on_interrupt(uint32_t number) {
  print("handler: interrupt ");
  print_hex(number);
  print("\r\n");
  __asm volatile("udf #0");
}

int main(void) {
  REG32(kPriorities + kNumber) = 0x20;
  *(volatile uint8_t*)0xe000ed23 = 0x80;  // SysTick below it
  REG32(kEnable + 4) = 1u << (kNumber - 32);
  start_ticks(1000);
  for (;;) __asm volatile("wfi");
}
