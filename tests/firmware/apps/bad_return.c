// Returns from its interrupt handler as if it had interrupted the Secure side.
#include "app.h"

int main(void) {
  print("return: begin\r\n");
  start_ticks(1000);
  for (;;) __asm volatile("wfi");
}

void on_tick(void) {
  print("return: now\r\n");
  __asm volatile("ldr r0, =0xfffffff8\n bx r0");  // EXC_RETURN.S set
}
